"""Resizing: the three modes of Real-ESRGAN, and MATLAB's bicubic."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.degradations.operators.padding import reflect_pad

RESIZE_MODES = ("area", "bilinear", "bicubic")
"""Resize modes; a record holds the position in this list."""


def resize(
    image: Tensor, mode: int, *, factor: float | None = None, size: tuple[int, int] | None = None
) -> Tensor:
    """Resize by a factor of the current size or to a size, without anti-aliasing filter.

    Args:
        image: ``[B, C, H, W]``.
        mode: position in `RESIZE_MODES`.
        factor: new size is ``floor(size * factor)``, at least one pixel.
        size: new size; give this or ``factor``.

    Returns:
        ``[B, C, H', W']``, as ``torch.nn.functional.interpolate`` gives it.
    """
    name = RESIZE_MODES[mode]
    if factor is not None:
        height, width = (math.floor(float(n) * factor) for n in image.shape[-2:])
        if min(height, width) >= 1:
            return F.interpolate(image, scale_factor=factor, mode=name)
        size = (max(1, height), max(1, width))
    return F.interpolate(image, size=size, mode=name)


def imresize(image: Tensor, factor: float) -> Tensor:
    """Bicubic resize (a = -0.5) with anti-aliasing and symmetric borders, as MATLAB's imresize.

    Args:
        image: ``[B, C, H, W]``.
        factor: new size is ``ceil(size * factor)``; 1/4 makes the classical x4 LQ image.

    Returns:
        ``[B, C, H', W']``, float32, not clamped.
    """
    height, width = (math.ceil(n * factor) for n in image.shape[-2:])
    reach = math.ceil(2 * max(1.0, 1.0 / factor)) + 1
    rows = _bicubic_matrix(image.shape[-2], height, factor, reach, image.device)
    columns = _bicubic_matrix(image.shape[-1], width, factor, reach, image.device)
    padded = reflect_pad(image, reach, edge=True).double()
    return torch.matmul(torch.matmul(rows, padded), columns.T).float()


def _bicubic_matrix(
    size: int, new_size: int, factor: float, pad: int, device: torch.device
) -> Tensor:
    """Float64 ``[new_size, size + 2 pad]`` of normalised cubic weights."""
    stretch = min(factor, 1.0)
    centre = (torch.arange(new_size, dtype=torch.float64) + 0.5) / factor - 0.5
    position = torch.arange(-pad, size + pad, dtype=torch.float64)
    t = ((centre[:, None] - position[None, :]) * stretch).abs()
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    weight = torch.where(t <= 1, near, torch.where(t <= 2, far, torch.zeros_like(t)))
    return (weight / weight.sum(1, keepdim=True)).to(device)
