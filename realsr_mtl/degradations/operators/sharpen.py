"""Unsharp masking of the HR image, as Real-ESRGAN applies it."""

from __future__ import annotations

import functools

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.degradations.operators import canvas
from realsr_mtl.degradations.operators.padding import reflect_pad

_SIZE = 51
_SIGMA = 0.3 * ((_SIZE - 1) * 0.5 - 1) + 0.8  # OpenCV's rule for a kernel of this size: 8.0
REACH = 2 * (_SIZE // 2)
"""How far a sharpened pixel depends on others: two filters in a row."""


def usm_sharpen(image: Tensor, weight: float = 0.5, threshold: float = 10.0) -> Tensor:
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
        return canvas.map_pixels(
            lambda _, pixels: sharpen_pixels(pixels, weight, threshold), image, None
        )
    residual = image - _gaussian(image)
    mask = _gaussian((residual.abs() * 255 > threshold).to(image.dtype))
    sharp = (image + weight * residual).clamp(0, 1)
    return image + mask * (sharp - image)


def sharpen_pixels(
    pixels: canvas.Pixels, weight: float = 0.5, threshold: float = 10.0
) -> canvas.Pixels:
    """Sharpen ``[H, W, C]``."""
    shape = pixels.shape
    pixels = pixels.reshape(shape[0], -1, shape[2])
    smooth = _gaussian_pixels(pixels)
    _, mask = cv2.threshold(cv2.absdiff(pixels, smooth), threshold / 255, 1, cv2.THRESH_BINARY)
    mask = _gaussian_pixels(mask)
    sharp = cv2.addWeighted(pixels, 1 + weight, smooth, -weight, 0)
    np.clip(sharp, 0, 1, out=sharp)
    sharp -= pixels
    sharp *= mask
    sharp += pixels
    return np.asarray(sharp).reshape(shape)


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


def _gaussian_pixels(pixels: canvas.Pixels) -> canvas.Pixels:
    """Columns, then, transposed, rows: OpenCV filters columns twice as fast as rows."""
    shape = pixels.shape
    for _ in range(2):
        pixels = cv2.sepFilter2D(
            pixels, -1, np.ones(1, np.float32), _kernel().numpy(), borderType=cv2.BORDER_REFLECT_101
        )
        pixels = cv2.transpose(pixels)
    return np.asarray(pixels).reshape(shape)
