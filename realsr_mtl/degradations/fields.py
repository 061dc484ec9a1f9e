"""Random fields of pixels, each a pure function of the seed in a sample's record.

The words come from Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
SC 2011), keyed by the seed and counted along rows, columns and channels of the sample. NumPy has it
in C; `philox` is the same with integer tensor operations, for GPUs. Words become values by integer
operations and table look-ups alone, so a field is the same to the last bit on every device.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realsr_mtl.degradations.boxes import Box

_LOW = 0xFFFFFFFF
_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_LEVELS = 2**16


def words_at(
    seed: int, box: Box, width: int, channels: int, bits: int
) -> npt.NDArray[np.unsignedinteger]:
    """Words ``[h, w, channels]`` of 16 or 32 bits in a part of the field of an image."""
    row = width * channels
    first, last = box.top * row, box.bottom * row
    per_block = 256 // bits
    block = first // per_block
    source = np.random.Philox(key=seed, counter=block)
    raw = source.random_raw(4 * (-(-last // per_block) - block))
    words = raw.astype("<u8", copy=False).view(f"<u{bits // 8}")
    words = words[first - block * per_block :][: last - first]
    return words.reshape(-1, width, channels)[:, box.left : box.right]


def words_on_canvas(seed: Tensor, sizes: Tensor, channels: int, bits: int) -> Tensor:
    """Int64 ``[B, channels, H, W]``: the same words for samples of several sizes on one canvas.

    Args:
        seed: int64 ``[B]``, on the device of the result.
        sizes: int64 ``[B, 2]`` heights and widths on the CPU; H and W are the largest of each.
        channels: of the field.
        bits: 16 or 32.
    """
    height, width = sizes.amax(0).tolist()
    device = seed.device
    count = int((sizes[:, 0] * sizes[:, 1]).max()) * channels
    per_word = 64 // bits
    block = torch.arange(1, -(-count // (4 * per_word)) + 1, device=device)
    zero = torch.zeros((), dtype=torch.int64, device=device)
    raw = philox((block[None], zero, zero, zero), (seed[:, None], zero))
    long = raw.permute(1, 2, 0).reshape(len(seed), -1, 1)
    shift = torch.arange(per_word, device=device) * bits
    words = ((long >> shift) & (2**bits - 1)).flatten(1)
    rows = torch.arange(height, device=device)[:, None, None]
    columns = torch.arange(width, device=device)[:, None]
    own = sizes[:, 1].to(device)[:, None, None, None]
    index = (rows * own + columns) * channels + torch.arange(channels, device=device)
    index = index.clamp(max=words.shape[1] - 1).permute(0, 3, 1, 2)
    return words.gather(1, index.flatten(1)).view(index.shape)


def philox(counter: tuple[Tensor, Tensor, Tensor, Tensor], key: tuple[Tensor, Tensor]) -> Tensor:
    """Philox4x64-10 on int64 tensors that hold 64-bit words; ``[4, ...]``, broadcast."""
    c0, c1, c2, c3 = torch.broadcast_tensors(*counter)
    k0, k1 = key
    for turn in range(10):
        h0, l0 = _product(c0, _MULTIPLIERS[0])
        h1, l1 = _product(c2, _MULTIPLIERS[1])
        c0, c1, c2, c3 = (
            h1 ^ c1 ^ (k0 + _signed(turn * _WEYL[0])),
            l1,
            h0 ^ c3 ^ (k1 + _signed(turn * _WEYL[1])),
            l0,
        )
    return torch.stack(torch.broadcast_tensors(c0, c1, c2, c3))


def _product(a: Tensor, b: int) -> tuple[Tensor, Tensor]:
    """High and low 64 bits of the unsigned 128-bit product; int64 arithmetic wraps around."""
    a0, a1 = a & _LOW, (a >> 32) & _LOW
    b0, b1 = b & _LOW, b >> 32
    low, cross, other = a0 * b0, a0 * b1, a1 * b0
    middle = _high(low) + (cross & _LOW) + (other & _LOW)
    return a1 * b1 + _high(cross) + _high(other) + (middle >> 32), a * _signed(b)


def _high(word: Tensor) -> Tensor:
    return (word >> 32) & _LOW


def _signed(word: int) -> int:
    """The int64 with the same 64 bits."""
    word &= 2**64 - 1
    return word - 2**64 if word >= 2**63 else word


@functools.cache
def normal_quantiles() -> Tensor:
    """Float32 ``[65536]``: equally likely values with mean 0 and variance 1, all but normal.

    They are the normal quantiles at ``(i + 1/2) / 65536``, scaled by 1 + 2e-5; the distribution
    function differs from the normal one by less than 2e-5 and ends at 4.27 deviations.
    """
    middle = (torch.arange(_LEVELS, dtype=torch.float64) + 0.5) / _LEVELS
    value = torch.special.ndtri(middle)
    value = (value - value.flip(0)) / 2
    return (value / value.square().mean().sqrt()).float()
