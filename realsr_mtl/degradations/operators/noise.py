"""Gaussian and Poisson noise whose realisation comes from a seed of each sample."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realsr_mtl.degradations.boxes import Box
from realsr_mtl.degradations.fields import normal_quantiles, words_at, words_on_canvas
from realsr_mtl.degradations.operators import canvas
from realsr_mtl.degradations.operators.canvas import column
from realsr_mtl.degradations.operators.quantise import to_bytes, to_levels

NOISE_TYPES = ("gaussian", "poisson")
"""Kinds of noise; a record holds the position in this list."""

_LUMA = (0.2989, 0.587, 0.114)  # weights of torchvision's rgb_to_grayscale, as Real-ESRGAN uses


def gaussian_noise(
    image: Tensor,
    sigma: Tensor,
    grey: Tensor,
    seed: Tensor,
    sizes: Tensor | None = None,
    mixing: Tensor | None = None,
) -> Tensor:
    """Add ``sigma / 255 * n`` with ``n`` standard normal.

    Args:
        image: ``[B, C, H, W]``.
        sigma: ``[B]`` standard deviation in grey levels of 255.
        grey: ``[B]`` bool; one field for all channels of the sample.
        seed: int64 ``[B]``, not negative; every sample has its own field, grey or not.
        sizes: ``[B, 2]`` valid heights and widths, if smaller than the canvas.
        mixing: ``[B, C, C]``; the colours of a pixel's noise become ``n M``, so that their
            covariance is ``M^T M``. Without it, and for grey noise, they are as drawn.

    Returns:
        ``[B, C, H, W]`` clamped to [0, 1].
    """
    if canvas.by_arrays(image):

        def add(i: int, pixels: canvas.Pixels) -> canvas.Pixels:
            mixed = None if mixing is None else mixing[i].float().numpy()
            return gaussian_pixels(
                pixels, float(sigma[i]), bool(grey[i]), int(seed[i]), *_all_of(pixels), mixed
            )

        return canvas.map_pixels(add, image, sizes)
    sizes = canvas.whole(image) if sizes is None else sizes
    table = normal_quantiles().to(image.device)
    noise = torch.zeros_like(image, memory_format=torch.contiguous_format)
    for single in (False, True):
        chosen = torch.nonzero(grey.cpu() == single).flatten()
        if len(chosen):
            own = seed[chosen].to(image.device)
            words = words_on_canvas(own, sizes[chosen], 1 if single else image.shape[1], 16)
            field = table[words]
            if mixing is not None and not single:
                field = _mixed(field, mixing[chosen].to(image))
            noise[chosen, :, : words.shape[2], : words.shape[3]] = field
    return (image + noise * (column(sigma, image) / 255)).clamp(0, 1)


def gaussian_pixels(
    pixels: canvas.Pixels,
    sigma: float,
    grey: bool,
    seed: int,
    box: Box,
    width: int,
    mixing: npt.NDArray[np.float32] | None = None,
) -> canvas.Pixels:
    """`gaussian_noise` of a part of an image of some width."""
    words = words_at(seed, box, width, 1 if grey else pixels.shape[2], 16)
    noise = np.take(normal_quantiles().numpy(), words, mode="clip")
    if mixing is not None and not grey:
        noise = np.ascontiguousarray(noise @ mixing)
    noise *= np.float32(sigma) / np.float32(255)
    return _clipped(np.add(pixels, noise))


def _mixed(field: Tensor, mixing: Tensor) -> Tensor:
    """Sums of products by hand: a matrix product may round differently in another batch."""
    terms = [field[:, i : i + 1] * mixing[:, i, :, None, None] for i in range(field.shape[1])]
    return functools.reduce(torch.add, terms)


def poisson_noise(
    image: Tensor, scale: Tensor, grey: Tensor, seed: Tensor, sizes: Tensor | None = None
) -> Tensor:
    """Add ``scale * (k / v - x)`` with ``k ~ Poisson(x v)``.

    ``x`` is the image at 8 bits (its luma for grey noise), ``v = 2^ceil(log2 n)`` with ``n`` the
    number of different levels in the sample: the rule of Real-ESRGAN.

    Args:
        image: ``[B, C, H, W]``; C = 3 for grey noise.
        scale: ``[B]`` strength, without unit.
        grey: ``[B]`` bool; one field, made from the luma, for all channels.
        seed: int64 ``[B]``, not negative.
        sizes: ``[B, 2]`` valid heights and widths, if smaller than the canvas.

    Returns:
        ``[B, C, H, W]`` clamped to [0, 1].
    """
    if canvas.by_arrays(image):

        def add(i: int, pixels: canvas.Pixels) -> canvas.Pixels:
            return poisson_pixels(
                pixels, float(scale[i]), bool(grey[i]), int(seed[i]), *_all_of(pixels)
            )

        return canvas.map_pixels(add, image, sizes)
    sizes = canvas.whole(image) if sizes is None else sizes
    noise = torch.zeros_like(image, memory_format=torch.contiguous_format)
    for single in (False, True):
        chosen = torch.nonzero(grey.cpu() == single).flatten()
        if len(chosen):
            height, width = sizes[chosen].amax(0).tolist()
            source = image[chosen, :, :height, :width]
            if single:
                weights = torch.tensor(_LUMA, device=image.device)[:, None, None]
                source = (source * weights).sum(1, keepdim=True)
            field = _poisson_field(source, seed[chosen], sizes[chosen])
            noise[chosen, :, :height, :width] = field
    return (image + noise * column(scale, image)).clamp(0, 1)


def poisson_pixels(
    pixels: canvas.Pixels, scale: float, grey: bool, seed: int, box: Box, width: int
) -> canvas.Pixels:
    """`poisson_noise` of a part of an image of some width; grey levels are counted in the part."""
    levels = to_bytes(pixels @ np.array(_LUMA, np.float32)[:, None] if grey else pixels)
    seen = torch.bincount(torch.from_numpy(levels).flatten(), minlength=256)
    peak = _peak(int(seen.count_nonzero()))
    words = words_at(seed, box, width, levels.shape[2], 32)
    row = levels.astype(np.uint32)
    row <<= _BITS
    row |= words >> (32 - _BITS)
    entry = np.take(_alias_table(peak).numpy().view(np.uint32), row, mode="clip")
    row &= _BINS - 1
    count = np.where(words & _REST < entry >> _BITS, row, entry & (_BINS - 1))
    noise = count.astype(np.float32)
    noise /= np.float32(peak)
    noise -= levels / np.float32(255)
    noise *= np.float32(scale)
    return _clipped(np.add(pixels, noise))


def _poisson_field(source: Tensor, seed: Tensor, sizes: Tensor) -> Tensor:
    """``k / v - x`` on a canvas ``[B, C, H, W]``."""
    device = source.device
    rows, columns = (
        torch.arange(side)[None] < limit[:, None]
        for side, limit in zip(source.shape[-2:], sizes.unbind(1), strict=True)
    )
    valid = (rows[:, :, None] & columns[:, None, :])[:, None].to(device)
    levels = to_levels(source).long().where(valid, 0)
    seen = torch.zeros(len(source), 257, dtype=torch.bool, device=device)
    seen.scatter_(1, levels.where(valid, 256).flatten(1), True)
    peaks = torch.tensor([_peak(n) for n in seen[:, :256].sum(1).tolist()])
    words = words_on_canvas(seed.to(device), sizes, source.shape[1], 32)
    tables, which = peaks.unique(return_inverse=True)
    table = torch.cat([_alias_table(int(v)) for v in tables]).to(device).long() & 0xFFFFFFFF
    place = which.to(device)[:, None, None, None] * (256 * _BINS) + levels * _BINS
    guess = words >> (32 - _BITS)
    entry = table[place + guess]
    count = torch.where((words & _REST) < (entry >> _BITS), guess, entry & (_BINS - 1))
    return count.float() / column(peaks, source) - levels.float() / 255


_BITS = 9
_BINS = 2**_BITS  # more than any count that the largest peak, 256, makes likely
_REST = 2 ** (32 - _BITS) - 1


def _peak(levels: int) -> int:
    return 1 << (levels - 1).bit_length()


@functools.cache
def _alias_table(peak: int) -> Tensor:
    """Int32 ``[256 * 512]``: how to draw from Poisson(level / 255 * peak) for every level.

    Walker's method as Vose builds it: the upper 9 bits of a word propose a count, the lower 23 are
    compared with a threshold, and beyond it the entry's alias is drawn instead. An entry holds the
    threshold (23 bits) and the alias (9 bits).
    """
    k = torch.arange(_BINS, dtype=torch.float64)
    mean = torch.arange(256, dtype=torch.float64)[:, None] * (peak / 255)
    share = torch.exp(torch.xlogy(k, mean) - mean - torch.lgamma(k + 1)).numpy() * _BINS
    entries = np.empty((256, _BINS), dtype=np.uint32)
    for level, row in enumerate(share):
        threshold, alias = _vose(row * (_BINS / row.sum()))
        limit = np.minimum((threshold * (_REST + 1)).round(), _REST).astype(np.uint32)
        entries[level] = limit << _BITS | alias
    return torch.from_numpy(entries.view(np.int32).reshape(-1))


def _vose(
    share: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint32]]:
    """Threshold and alias of every outcome, given probabilities times their number."""
    left, alias = share.tolist(), list(range(len(share)))
    small = [i for i, v in enumerate(left) if v < 1]
    large = [i for i, v in enumerate(left) if v >= 1]
    threshold = [1.0] * len(share)
    while small and large:
        less, more = small.pop(), large[-1]
        threshold[less], alias[less] = left[less], more
        left[more] -= 1 - left[less]
        if left[more] < 1:
            small.append(large.pop())
    return np.array(threshold), np.array(alias, dtype=np.uint32)


def _all_of(pixels: canvas.Pixels) -> tuple[Box, int]:
    height, width = pixels.shape[:2]
    return Box.whole((height, width)), width


def _clipped(pixels: canvas.Pixels) -> canvas.Pixels:
    return np.clip(pixels, 0, 1, out=pixels)
