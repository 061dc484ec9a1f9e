"""Resizing: the three modes of Real-ESRGAN, and MATLAB's bicubic."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.degradations.boxes import Box, Size
from realsr_mtl.degradations.operators import canvas
from realsr_mtl.degradations.operators.padding import take

RESIZE_MODES = ("area", "bilinear", "bicubic")
"""Resize modes; a record holds the position in this list."""


def resized(size: Size, factor: float) -> Size:
    """Height and width times a factor, rounded down, at least one pixel."""
    return max(1, math.floor(size[0] * factor)), max(1, math.floor(size[1] * factor))


def resize(
    image: Tensor,
    mode: Tensor,
    *,
    factor: Tensor | None = None,
    size: Tensor | None = None,
    sizes: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Resize every sample by its own factor or to its own size, in its own mode.

    The result of ``torch.nn.functional.interpolate`` within 1e-4, without its anti-aliasing:
    ``area`` averages the pixels that an output pixel touches, ``bilinear`` and ``bicubic``
    (a = -0.75) interpolate at its centre.

    Args:
        image: ``[B, C, H, W]``.
        mode: ``[B]`` positions in `RESIZE_MODES`.
        factor: ``[B]``; the new size is ``floor(size * factor)``, at least one pixel, and
            ``1 / factor`` the distance of the sampled points.
        size: int64 ``[B, 2]`` new heights and widths; give these or factors.
        sizes: ``[B, 2]`` valid heights and widths, if smaller than the canvas.

    Returns:
        The canvas ``[B, C, H', W']`` and the new sizes ``[B, 2]`` on it.
    """
    old = canvas.whole(image) if sizes is None else sizes
    steps = []
    for i, (height, width) in enumerate(old.tolist()):
        if factor is not None:
            steps.append(Sampling.by_factor((height, width), float(factor[i])))
        else:
            assert size is not None
            steps.append(Sampling.to_size((height, width), (int(size[i, 0]), int(size[i, 1]))))
    modes = [RESIZE_MODES[m] for m in mode.tolist()]
    if canvas.by_arrays(image):
        results = [
            canvas.to_image(
                resize_pixels(
                    canvas.to_pixels(sample), mode, step, Box.whole(step.old), Box.whole(step.new)
                )
            )
            for sample, mode, step in zip(canvas.samples(image, sizes), modes, steps, strict=True)
        ]
        return canvas.on_canvas(results)
    return resize_canvas(image, modes, steps)


def resize_canvas(
    image: Tensor, modes: Sequence[str], samplings: Sequence[Sampling]
) -> tuple[Tensor, Tensor]:
    """Resize the samples of a canvas, each in its own way; the canvas and the new sizes."""
    for dim, axis in ((-2, 0), (-1, 1)):
        taps = [
            _taps(mode, s.old[axis], s.new[axis], s.step[axis])
            for mode, s in zip(modes, samplings, strict=True)
        ]
        image = _weighted(image, taps, dim)
    return image, torch.tensor([s.new for s in samplings])


@dataclass(frozen=True)
class Sampling:
    """How an image is resized.

    Attributes:
        old, new: heights and widths.
        step: distance of the sampled points in old pixels, vertically and horizontally.
        factor: the factor that the steps follow exactly, or None where they follow the sizes.
    """

    old: Size
    new: Size
    step: tuple[float, float]
    factor: float | None

    @staticmethod
    def by_factor(old: Size, factor: float) -> Sampling:
        """A factor sets the distance of the points, unless not even one pixel would remain."""
        new = resized(old, factor)
        if min(old) * factor < 1:
            return Sampling.to_size(old, new)
        return Sampling(old, new, (1 / factor, 1 / factor), factor)

    @staticmethod
    def to_size(old: Size, new: Size) -> Sampling:
        """The points span the image evenly."""
        return Sampling(old, new, (old[0] / new[0], old[1] / new[1]), None)

    @property
    def is_identity(self) -> bool:
        """Whether every mode reproduces the image."""
        return self.old == self.new and self.factor in (None, 1)

    def reach(self, axis: int, low: int, high: int) -> tuple[int, int]:
        """First and last (excluded) pixel that the new pixels ``low`` to ``high`` depend on."""
        step, last = self.step[axis], self.old[axis]
        # four taps at most, a pixel more against rounding, and whole pixels under a mean
        first = math.floor(min(low * step, low * last / self.new[axis])) - 3
        end = math.ceil(max(high * step, high * last / self.new[axis])) + 3
        return max(0, first), min(last, end)


def resize_pixels(
    pixels: canvas.Pixels, mode: str, sampling: Sampling, box: Box, wanted: Box
) -> canvas.Pixels:
    """The part ``wanted`` of a resized image, from the part ``box`` ``[h, w, C]`` of the image."""
    old, new, factor = sampling.old, sampling.new, sampling.factor
    if sampling.is_identity:
        return box.cut(pixels, wanted)
    if mode == "area":
        for axis in (0, 1):
            rows = _mean_rows(pixels, old[axis], new[axis], box[axis], slice(*wanted[axis::2]))
            pixels = cv2.transpose(rows).reshape(rows.shape[1], rows.shape[0], -1)
        return pixels
    if box != Box.whole(old):  # the rest of the image is not looked at
        everything = np.zeros((*old, pixels.shape[2]), np.float32)
        everything[box.top : box.bottom, box.left : box.right] = pixels
        pixels = everything
    if factor is not None and tuple(round(n * factor) for n in old) == old:
        # OpenCV would copy the image, although the points are not its pixels
        image, _ = resize_canvas(canvas.to_image(pixels)[None], [mode], [sampling])
        return Box.whole(new).cut(canvas.to_pixels(image[0]), wanted)
    flag = cv2.INTER_LINEAR if mode == "bilinear" else cv2.INTER_CUBIC
    if factor is None:
        result = cv2.resize(pixels, new[::-1], interpolation=flag)
    else:  # OpenCV rounds the size to the nearest number, so it may be a pixel larger
        result = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=flag)
    result = result.reshape(*result.shape[:2], -1)
    return Box.whole((result.shape[0], result.shape[1])).cut(result, wanted)


def _mean_rows(
    pixels: canvas.Pixels, old: int, new: int, first: int, wanted: slice
) -> canvas.Pixels:
    """Means of the rows that each wanted new row touches; ``pixels`` begin at row ``first``."""
    start, count = (v[wanted] for v in _touched(old, new))
    start = start - first
    rows = pixels.reshape(len(pixels), -1)
    total = rows[start]
    for offset in range(1, int(count.max())):
        longer = count > offset
        if longer.all():
            total += rows[start + offset]
        else:
            total[longer] += rows[start[longer] + offset]
    total /= count.astype(np.float32)[:, None]
    return total.reshape(len(start), *pixels.shape[1:])


def _touched(old: int, new: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First pixel and number of pixels under each of ``new`` equal parts of ``old`` pixels."""
    part = np.arange(new)
    start = part * old // new
    return start, -(-(part + 1) * old // new) - start


def _taps(mode: str, old: int, new: int, step: float) -> tuple[Tensor, Tensor]:
    """Pixels and weights, int64 and float32 ``[taps, new]``, whose sum is each new pixel."""
    if mode == "area":
        first, count = (torch.from_numpy(v) for v in _touched(old, new))
        offset = torch.arange(int(count.max()))[:, None]
        weight = (offset < count) / count.double()
    else:
        place = (torch.arange(new, dtype=torch.float64) + 0.5) * step - 0.5
        if mode == "bilinear":
            place = place.clamp(0, old - 1)
        low = place.floor()
        t = place - low
        first = low.long()
        if mode == "bilinear":
            offset, weight = torch.arange(2)[:, None], torch.stack((1 - t, t))
        else:
            first, offset = first - 1, torch.arange(4)[:, None]
            weight = torch.stack([_cubic(d) for d in (t + 1, t, 1 - t, 2 - t)])
    return (first + offset).clamp(0, old - 1), weight.float()


def _cubic(t: Tensor) -> Tensor:
    """Keys' kernel with a = -0.75, the one of torch and OpenCV, at distances 0 to 2."""
    near = (1.25 * t - 2.25) * t**2 + 1
    far = ((-0.75 * t + 3.75) * t - 6) * t + 3
    return torch.where(t <= 1, near, far)


def _weighted(image: Tensor, taps: Sequence[tuple[Tensor, Tensor]], dim: int) -> Tensor:
    """Weighted sums of rows or columns, a list of taps for each sample of a canvas."""
    most = max(len(index) for index, _ in taps)
    longest = max(index.shape[1] for index, _ in taps)
    place = torch.zeros(most, len(taps), longest, dtype=torch.int64)
    weight = torch.zeros(most, len(taps), longest)
    for i, (index, w) in enumerate(taps):
        place[: len(index), i, : index.shape[1]] = index
        weight[: len(w), i, : w.shape[1]] = w
    place, weight = place.to(image.device), weight.to(image.device)
    shape = (len(taps), 1, longest, 1) if dim == -2 else (len(taps), 1, 1, longest)
    total = take(image, place[0], dim) * weight[0].view(shape)
    for p, w in zip(place[1:], weight[1:], strict=True):
        total += take(image, p, dim) * w.view(shape)
    return total


def imresize(image: Tensor, factor: float) -> Tensor:
    """Bicubic resize (a = -0.5) with anti-aliasing and symmetric borders, as MATLAB's imresize.

    Args:
        image: ``[B, C, H, W]``.
        factor: new size is ``ceil(size * factor)``; 1/4 makes the classical x4 LQ image.

    Returns:
        ``[B, C, H', W']``, float32, not clamped.
    """
    result = image.double()
    for dim in (-2, -1):
        old = result.shape[dim]
        sums = []
        for low, weights in _matlab_parts(old, factor, range(math.ceil(old * factor))):
            part, weights = result.narrow(dim, low, weights.shape[1]), weights.to(image.device)
            sums.append(weights @ part if dim == -2 else part @ weights.T)
        result = torch.cat(sums, dim) if len(sums) > 1 else sums[0]
    return result.float()


def imresize_pixels(
    pixels: canvas.Pixels, factor: float, box: Box, size: Size, wanted: Box
) -> canvas.Pixels:
    """The part ``wanted`` of `imresize`, from the part ``box`` of an image of some size."""
    result = torch.from_numpy(pixels).double()
    for axis in (0, 1):
        first, end = box[axis], box[axis + 2]
        sums = []
        for low, weights in _matlab_parts(size[axis], factor, range(*wanted[axis::2])):
            weights = weights[:, max(0, first - low) : end - low]  # nothing else counts
            part = result.narrow(axis, max(0, low - first), weights.shape[1])
            if axis == 0:
                sums.append((weights @ part.flatten(1)).view(len(weights), *part.shape[1:]))
            else:
                sums.append(weights @ part)
        result = torch.cat(sums, axis) if len(sums) > 1 else sums[0]
    return np.asarray(result.float().numpy())


_LARGEST_MATRIX = 2**24
"""Numbers in a matrix of weights above which it is applied in blocks: 8192 pixels to 2048."""

_BLOCK = 256
"""New pixels in such a block."""


def _matlab_parts(old: int, factor: float, wanted: range) -> Iterator[tuple[int, Tensor]]:
    """First old pixel and weights ``[new pixels, old pixels]`` of the wanted ones, in blocks."""
    if old * math.ceil(old * factor) <= _LARGEST_MATRIX:
        yield 0, _matlab_weights(old, factor)[wanted.start : wanted.stop]
        return
    for start in range(wanted.start, wanted.stop, _BLOCK):
        place, weight = _matlab_taps(old, factor, range(start, min(start + _BLOCK, wanted.stop)))
        low, high = int(place.min()), int(place.max()) + 1
        matrix = torch.zeros(len(place), high - low, dtype=torch.float64)
        yield low, matrix.scatter_add_(1, place - low, weight)


@functools.lru_cache(maxsize=16)
def _matlab_weights(size: int, factor: float) -> Tensor:
    """Float64 ``[new size, size]``."""
    place, weight = _matlab_taps(size, factor, range(math.ceil(size * factor)))
    return torch.zeros(len(place), size, dtype=torch.float64).scatter_add_(1, place, weight)


def _matlab_taps(size: int, factor: float, wanted: range) -> tuple[Tensor, Tensor]:
    """Pixels and weights ``[new pixels, taps]``: cubic, those beyond an edge mirrored back."""
    stretch = min(factor, 1.0)
    reach = math.ceil(2 / stretch) + 1
    new = torch.arange(wanted.start, wanted.stop, dtype=torch.float64)
    centre = (new + 0.5) / factor - 0.5
    place = centre.floor().long()[:, None] + torch.arange(-reach, reach + 2)
    t = (centre[:, None] - place).abs() * stretch
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    weight = torch.where(t <= 1, near, torch.where(t <= 2, far, torch.zeros_like(t)))
    place = place.remainder(2 * size)
    place = torch.minimum(place, 2 * size - 1 - place)
    return place, weight / weight.sum(1, keepdim=True)
