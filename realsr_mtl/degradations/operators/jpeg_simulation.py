"""libjpeg's arithmetic as tensor operations, for GPUs and for gradients.

Every step of a baseline JPEG with chroma 4:2:0 as libjpeg computes it: fixed-point colour
conversion, edge replication, chroma averaging with alternating rounding, the integer DCT of
Loeffler, Ligtenberg and Moschytz in two rounded passes, quantisation with integer tables, the
inverse, and "fancy" triangle up-sampling. All intermediate values are whole numbers below 2^53, so
float64 holds them exactly in any order of summation, and the pixels equal the real codec's.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.degradations.operators import canvas
from realsr_mtl.degradations.operators.padding import repeat_edges
from realsr_mtl.degradations.operators.quantise import to_levels

_LUMA_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA_CORNER = ((17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99))
"""Annex K of ITU-T T.81; the rest of the chroma table is 99."""

_HALF = 2.0**15  # one half in the 16-bit fixed point of the colour conversion


def simulate_jpeg(
    image: Tensor,
    quality: Tensor,
    sizes: Tensor | None = None,
    *,
    straight_through: bool = False,
) -> Tensor:
    """Compress every sample with its own quality.

    Args:
        image: ``[B, 3, H, W]`` RGB; clamped to [0, 1] and rounded to 8 bits first. Any size.
        quality: ``[B]`` integers in [1, 100], libjpeg's scale; not modified.
        sizes: ``[B, 2]`` valid heights and widths, if smaller than the canvas.
        straight_through: pass gradients through every rounding and clamp as if it were absent.

    Returns:
        ``[B, 3, H, W]`` float32 in multiples of 1/255, equal to libjpeg's decoder.
    """
    rounding = _Rounding(straight_through)
    height, width = image.shape[-2:]
    sizes = canvas.whole(image) if sizes is None else sizes
    half = (sizes + 1) // 2
    levels = rounding.replace(image.double() * 255, to_levels(image.detach()).double())
    padded = repeat_edges(F.pad(levels, (0, -width % 16, 0, -height % 16)), sizes)
    red, green, blue = padded.unbind(1)
    offset = 128 * 2.0**16 + _HALF - 1
    luma = rounding.shift(19595 * red + 38470 * green + 7471 * blue + _HALF, 16)
    chroma = (
        rounding.shift(-11059 * red - 21709 * green + 32768 * blue + offset, 16),
        rounding.shift(32768 * red - 27439 * green - 5329 * blue + offset, 16),
    )
    tables = quantisation_tables(quality.to(image.device))
    luma = _code(luma, tables[0], rounding)[:, :height, :width]
    tall = torch.stack((half[:, 0], torch.full_like(half[:, 1], padded.shape[3] // 2)), 1)
    cb, cr = (
        _upsample(
            # libjpeg repeats the last row of the chroma it has averaged, not of the image
            _code(_extend(_average(c, rounding), tall), tables[1], rounding),
            half,
            rounding,
        )[:, :height, :width]
        - 128
        for c in chroma
    )
    rgb = torch.stack(
        (
            luma + rounding.shift(91881 * cr + _HALF, 16),
            luma + rounding.shift(-22554 * cb - 46802 * cr + _HALF, 16),
            luma + rounding.shift(116130 * cb + _HALF, 16),
        ),
        1,
    )
    return (rounding.clamp(rgb, 0, 255) / 255).float()


def quantisation_tables(quality: Tensor) -> tuple[Tensor, Tensor]:
    """Luma and chroma tables, float64 ``[B, 8, 8]`` of whole numbers in [1, 255].

    ``floor((base * s + 50) / 100)`` with ``s = floor(5000 / q)`` below quality 50, else
    ``200 - 2 q``.
    """
    q = quality.double()
    scale = torch.where(q < 50, torch.floor(5000 / q), 200 - 2 * q)[:, None, None]
    luma = torch.tensor(_LUMA_TABLE, dtype=torch.float64, device=q.device)
    chroma = torch.full_like(luma, 99)
    chroma[:4, :4] = torch.tensor(_CHROMA_CORNER, dtype=torch.float64, device=q.device)
    first, second = (torch.floor((t * scale + 50) / 100).clamp(1, 255) for t in (luma, chroma))
    return first, second


class _Rounding:
    """Floor and clamp, with the identity as gradient where that is asked for."""

    def __init__(self, straight_through: bool) -> None:
        self._straight = straight_through

    def floor(self, value: Tensor) -> Tensor:
        return self.replace(value, torch.floor(value))

    def shift(self, value: Tensor, bits: int) -> Tensor:
        """Arithmetic right shift."""
        return self.floor(value * 2.0**-bits)

    def descale(self, value: Tensor, bits: int) -> Tensor:
        """Right shift with rounding, halves upwards."""
        return self.floor(value * 2.0**-bits + 0.5)

    def clamp(self, value: Tensor, low: float, high: float) -> Tensor:
        return self.replace(value, value.clamp(low, high))

    def quantise(self, value: Tensor, step: Tensor) -> Tensor:
        """Nearest multiple count of ``step``, halves away from zero."""
        whole = torch.sign(value) * torch.floor((value.abs() + step / 2) / step)
        return self.replace(value / step, whole)

    def replace(self, exact: Tensor, rounded: Tensor) -> Tensor:
        return exact + (rounded - exact).detach() if self._straight else rounded


def _code(plane: Tensor, table: Tensor, rounding: _Rounding) -> Tensor:
    """DCT, quantise, dequantise and invert ``[B, H, W]`` with sides that are multiples of 8."""
    batch, height, width = plane.shape
    dct = _dct_matrix().to(plane.device)
    blocks = (plane - 128).reshape(batch, height // 8, 8, width // 8, 8)
    step = table.view(batch, 1, 8, 1, 8)
    rows = rounding.descale(torch.einsum("lj,bminj->bminl", dct, blocks), 11)
    coefficients = rounding.descale(torch.einsum("ki,bminl->bmknl", dct, rows), 15)
    levels = rounding.quantise(coefficients, 8 * step) * step  # the DCT's output is 8 times scaled
    columns = rounding.descale(torch.einsum("ki,bmknl->bminl", dct, levels), 11)
    pixels = rounding.descale(torch.einsum("lj,bminl->bminj", dct, columns), 18) + 128
    return rounding.clamp(pixels, 0, 255).reshape(batch, height, width)


def _dct_matrix() -> Tensor:
    """Float64 ``[8, 8]``: one pass of libjpeg's "islow" DCT, 2^13 times scaled; output by input.

    A pass has no rounding inside, so it is this matrix; the inverse pass is its transpose.
    """
    even = (
        (8192, 8192, 8192, 8192),
        (4433 + 6270, 4433, -4433, -4433 - 6270),
        (8192, -8192, -8192, 8192),
        (4433, 4433 - 15137, 15137 - 4433, -4433),
    )
    a, b, c, d = 12299, 25172, 16819, 2446  # the inputs' own weights
    far, near, skip, next_ = -7373, -20995, -16069, -3196  # weights of their sums in pairs
    z = 9633
    odd = (
        (a + far + next_ + z, z, next_ + z, far + z),
        (z, b + near + skip + z, near + z, skip + z),
        (next_ + z, near + z, c + near + next_ + z, z),
        (far + z, skip + z, z, d + far + skip + z),
    )
    matrix = torch.zeros(8, 8, dtype=torch.float64)
    for k in range(4):
        left = torch.tensor(even[k], dtype=torch.float64)
        matrix[2 * k] = torch.cat((left, left.flip(0)))
        left = torch.tensor(odd[k], dtype=torch.float64)
        matrix[2 * k + 1] = torch.cat((left, -left.flip(0)))
    return matrix


def _average(plane: Tensor, rounding: _Rounding) -> Tensor:
    """Means of 2 x 2 pixels, rounded down and up in turn along a row."""
    batch, height, width = plane.shape
    total = plane.reshape(batch, height // 2, 2, width // 2, 2).sum((2, 4))
    bias = torch.arange(width // 2, device=plane.device) % 2 + 1
    return rounding.shift(total + bias, 2)


def _upsample(plane: Tensor, sizes: Tensor, rounding: _Rounding) -> Tensor:
    """Double both sides with the weights 3/4 and 1/4 of the nearest and the next sample."""
    plane = _extend(plane, sizes)
    above, below = _neighbours(plane, 1)
    tall = torch.stack((3 * plane + above, 3 * plane + below), 2).flatten(1, 2)
    left, right = _neighbours(tall, 2)
    pair = (rounding.shift(3 * tall + left + 8, 4), rounding.shift(3 * tall + right + 7, 4))
    fancy = torch.stack(pair, 3).flatten(2)
    narrow = (sizes[:, 1] <= 2).to(plane.device)[:, None, None]
    # libjpeg's rule: no triangles for so few columns
    return torch.where(narrow, plane.repeat_interleave(2, 1).repeat_interleave(2, 2), fancy)


def _extend(plane: Tensor, sizes: Tensor) -> Tensor:
    """Repeat the last valid row and column of ``[B, H, W]``."""
    return repeat_edges(plane[:, None], sizes)[:, 0]


def _neighbours(plane: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """The sample before and the sample after along a dimension, edges repeated."""
    size = plane.shape[dim]
    before = torch.cat((plane.narrow(dim, 0, 1), plane.narrow(dim, 0, size - 1)), dim)
    after = torch.cat((plane.narrow(dim, 1, size - 1), plane.narrow(dim, size - 1, 1)), dim)
    return before, after
