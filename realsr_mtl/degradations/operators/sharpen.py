"""Unsharp masking of the HR image, as Real-ESRGAN applies it."""

from __future__ import annotations

import functools

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.degradations.boxes import Box, Size
from realsr_mtl.degradations.operators import canvas
from realsr_mtl.degradations.operators.padding import reflect_pad

_SIZE = 51
_SIGMA = 0.3 * ((_SIZE - 1) * 0.5 - 1) + 0.8  # OpenCV's rule for a kernel of this size: 8.0
REACH = 2 * (_SIZE // 2)
"""How far a sharpened pixel depends on others: two filters in a row."""


WEIGHT, THRESHOLD = 0.5, 10.0
"""Real-ESRGAN's strength, and its threshold in grey levels of 255."""


def usm_sharpen(image: Tensor, weight: float = WEIGHT, threshold: float = THRESHOLD) -> Tensor:
    """Sharpen where the detail exceeds a threshold.

    ``m * clip(x + weight (x - G x), 0, 1) + (1 - m) x`` with ``m = G [255 |x - G x| > threshold]``
    and ``G`` a separable Gaussian of 51 pixels.

    Args:
        image: ``[B, C, H, W]`` in [0, 1].
        weight: strength; Real-ESRGAN's 0.5.
        threshold: in grey levels of 255; Real-ESRGAN's 10.

    Returns:
        ``[B, C, H, W]`` in [0, 1].
    """
    if canvas.by_arrays(image):
        size = (image.shape[-2], image.shape[-1])
        everything = Box.whole(size)

        def sharpen(_: int, pixels: canvas.Pixels) -> canvas.Pixels:
            return sharpen_pixels(pixels, everything, size, everything, weight, threshold)

        return canvas.map_pixels(sharpen, image, None)
    residual = image - _gaussian(image)
    mask = _gaussian((residual.abs() * 255 > threshold).to(image.dtype))
    sharp = (image + weight * residual).clamp(0, 1)
    return image + mask * (sharp - image)


def sharpen_pixels(
    pixels: canvas.Pixels, box: Box, size: Size, wanted: Box, weight: float, threshold: float
) -> canvas.Pixels:
    """The part ``wanted`` of a sharpened image, from the part ``box`` `REACH` pixels around it."""
    inner = wanted.grown(_SIZE // 2, size)
    smooth = _gaussian_pixels(pixels, box, inner)
    pixels = box.cut(pixels, inner)
    detail = np.abs(pixels - smooth)
    mask = _gaussian_pixels((detail > threshold / 255).astype(np.float32), inner, wanted)
    pixels, smooth = inner.cut(pixels, wanted), inner.cut(smooth, wanted)
    sharp = np.asarray(cv2.addWeighted(pixels, 1 + weight, smooth, -weight, 0)).reshape(mask.shape)
    np.clip(sharp, 0, 1, out=sharp)
    sharp -= pixels
    sharp *= mask
    sharp += pixels
    return sharp


@functools.cache
def _kernel() -> Tensor:
    axis = torch.arange(_SIZE, dtype=torch.float64) - _SIZE // 2
    kernel = torch.exp(-(axis**2) / (2 * _SIGMA**2))
    return (kernel / kernel.sum()).float()


def _gaussian(image: Tensor) -> Tensor:
    kernel = _kernel().to(image)
    channels = image.shape[1]
    padded = reflect_pad(image, _SIZE // 2)
    rows = F.conv2d(padded, kernel.expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(rows, kernel[:, None].expand(channels, 1, -1, 1), groups=channels)


def _gaussian_pixels(pixels: canvas.Pixels, box: Box, wanted: Box) -> canvas.Pixels:
    """Columns, then, transposed, rows: OpenCV filters columns twice as fast as rows."""
    one, border = np.ones(1, np.float32), cv2.BORDER_REFLECT_101
    for axis in (0, 1):
        smooth = cv2.sepFilter2D(pixels, -1, one, _kernel().numpy(), borderType=border)
        smooth = smooth[wanted[axis] - box[axis] : wanted[axis + 2] - box[axis]]
        pixels = cv2.transpose(smooth).reshape(pixels.shape[1], len(smooth), -1)
    return pixels
