"""Counter-based random streams: every number is a pure function of (seed, purpose, index).

The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
SC 2011), computed with integer tensor operations, so the numbers are the same on every machine and
device, in any batch, with any number of workers or ranks, and after resuming. No state is kept.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

_MASK = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)


def philox(counter: tuple[Tensor, Tensor, Tensor, Tensor], key: tuple[Tensor, Tensor]) -> Tensor:
    """Philox4x32-10.

    Args:
        counter: four int64 tensors of values in [0, 2^32), broadcastable.
        key: two int64 tensors of values in [0, 2^32), broadcastable to the counters.

    Returns:
        Int64 ``[4, ...]`` of values in [0, 2^32).
    """
    c0, c1, c2, c3 = torch.broadcast_tensors(*counter)
    k0, k1 = key
    for _ in range(10):
        # 32 x 32 bit products wrap around in int64 but keep all 64 bits
        p0 = c0 * _MULTIPLIERS[0]
        p1 = c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            ((p1 >> 32) & _MASK) ^ c1 ^ k0,
            p1 & _MASK,
            ((p0 >> 32) & _MASK) ^ c3 ^ k1,
            p0 & _MASK,
        )
        k0 = (k0 + _WEYL[0]) & _MASK
        k1 = (k1 + _WEYL[1]) & _MASK
    return torch.stack(torch.broadcast_tensors(c0, c1, c2, c3))


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
        block = torch.arange((count + 3) // 4, device=index.device)
        zero = torch.zeros((), dtype=torch.int64, device=index.device)
        words = philox(
            (block[None, :], zero, (index & _MASK)[:, None], ((index >> 32) & _MASK)[:, None]),
            (zero + self.seed, zero + purpose_key(purpose)),
        )
        return words.permute(1, 2, 0).flatten(1)[:, :count]

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
