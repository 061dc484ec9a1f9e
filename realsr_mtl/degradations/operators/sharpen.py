"""Unsharp masking of the HR image, as Real-ESRGAN applies it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.degradations.operators.padding import reflect_pad

_SIZE = 51
_SIGMA = 0.3 * ((_SIZE - 1) * 0.5 - 1) + 0.8  # OpenCV's rule for a kernel of this size: 8.0


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
    residual = image - _gaussian(image)
    mask = _gaussian((residual.abs() * 255 > threshold).to(image.dtype))
    sharp = (image + weight * residual).clamp(0, 1)
    return mask * sharp + (1 - mask) * image


def _gaussian(image: Tensor) -> Tensor:
    axis = torch.arange(_SIZE, dtype=torch.float64) - _SIZE // 2
    kernel = torch.exp(-(axis**2) / (2 * _SIGMA**2))
    kernel = (kernel / math.fsum(kernel.tolist())).to(image)
    channels = image.shape[1]
    padded = reflect_pad(image, _SIZE // 2)
    rows = F.conv2d(padded, kernel.expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(rows, kernel[:, None].expand(channels, 1, -1, 1), groups=channels)
