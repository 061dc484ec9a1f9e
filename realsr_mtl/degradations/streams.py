"""Counter-based random streams: every number is a pure function of (seed, purpose, index).

The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
SC 2011), computed with integer operations, so the numbers are the same on every machine, in any
batch, with any number of workers or ranks, and after resuming. No state is kept.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_MASK = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_HALF, _LOW = np.uint64(32), np.uint64(_MASK)

Words = npt.NDArray[np.uint64]
"""Values in [0, 2^32)."""


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> Words:
    """Philox4x32-10.

    Args:
        counter: four arrays of words, broadcastable.
        key: two words.

    Returns:
        ``[4, ...]`` words.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0 = c0 * np.uint64(_MULTIPLIERS[0])  # all 64 bits of a product of two words
        p1 = c2 * np.uint64(_MULTIPLIERS[1])
        c0, c1, c2, c3 = (
            (p1 >> _HALF) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _HALF) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0 = (k0 + _WEYL[0]) & _MASK
        k1 = (k1 + _WEYL[1]) & _MASK
    return np.stack(np.broadcast_arrays(c0, c1, c2, c3))


class RandomStreams:
    """Random numbers keyed by a seed, the purpose they serve and the global sample index.

    Args:
        seed: in [0, 2^32).

    Example:
        >>> streams = RandomStreams(0)
        >>> a = streams.uniform("crop", torch.tensor([3, 4]), 2)
        >>> bool((a[1] == streams.uniform("crop", torch.tensor([4]), 2)[0]).all())
        True
    """

    def __init__(self, seed: int) -> None:
        if not 0 <= seed < 2**32:
            raise ValueError(f"seed must be in [0, 2^32), found {seed}")
        self.seed = seed

    def bits(self, purpose: str, index: Tensor, count: int) -> Tensor:
        """Int64 ``[B, count]`` of 32-bit words for int64 ``index [B]`` (non-negative)."""
        block = np.arange((count + 3) // 4, dtype=np.uint64)[None]
        number = index.cpu().numpy().astype(np.uint64)[:, None]
        zero = np.zeros((), dtype=np.uint64)
        words = philox(
            (block, zero, number & _LOW, number >> _HALF), (self.seed, purpose_key(purpose))
        )
        flat = np.moveaxis(words, 0, -1).reshape(len(number), 4 * block.size)[:, :count]
        return torch.from_numpy(flat.astype(np.int64)).to(index.device)

    def uniform(self, purpose: str, index: Tensor, count: int) -> Tensor:
        """Float64 ``[B, count]`` uniform on [0, 1), multiples of 2^-53."""
        words = self.bits(purpose, index, 2 * count).reshape(len(index), count, 2)
        return ((words[..., 0] >> 5) * 2**26 + (words[..., 1] >> 6)).double() * 2.0**-53

    def seeds(self, purpose: str, index: Tensor, count: int) -> Tensor:
        """Int64 ``[B, count]`` of 53-bit seeds (exact in JSON)."""
        words = self.bits(purpose, index, 2 * count).reshape(len(index), count, 2)
        return (words[..., 0] >> 5) * 2**26 + (words[..., 1] >> 6)

    def permutation(self, purpose: str, index: int, length: int) -> Tensor:
        """Int64 permutation of ``range(length)``; a new one for every ``index``."""
        position = torch.tensor([index])
        return self.uniform(purpose, position, length)[0].argsort(stable=True)


def stable_index(*parts: str) -> int:
    """A 62-bit index from names, for streams keyed by names instead of positions."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 2


def purpose_key(purpose: str) -> int:
    """The 32-bit key of a purpose."""
    return int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:4], "big")
