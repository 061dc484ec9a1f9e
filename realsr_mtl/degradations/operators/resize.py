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
    old = image.shape[-2:]
    if factor is not None:
        size = (max(1, math.floor(old[0] * factor)), max(1, math.floor(old[1] * factor)))
    assert size is not None
    name = RESIZE_MODES[mode]
    if name == "area":
        return F.interpolate(image, size=size, mode=name)
    exact = factor is not None and min(old[0] * factor, old[1] * factor) >= 1
    steps = (1 / factor, 1 / factor) if exact and factor else (old[0] / size[0], old[1] / size[1])
    if name == "bilinear":
        return _bilinear(_bilinear(image, size[0], steps[0], -2), size[1], steps[1], -1)
    if exact:
        return F.interpolate(image, scale_factor=factor, mode=name)
    return F.interpolate(image, size=size, mode=name)


def _bilinear(image: Tensor, size: int, step: float, dim: int) -> Tensor:
    """Linear interpolation along one axis.

    torch's own gives other last bits with other numbers of threads, which JPEG then turns into
    other pixels; products and sums of whole tensors are the same everywhere.
    """
    last = image.shape[dim] - 1
    place = ((torch.arange(size, dtype=torch.float64) + 0.5) * step - 0.5).clamp(0, last)
    low = place.floor().long()
    weight = (place - low).float().to(image.device)
    shape = [1] * image.ndim
    shape[dim] = size
    weight = weight.view(shape)
    low = low.to(image.device)
    below = image.index_select(dim, low)
    above = image.index_select(dim, (low + 1).clamp(max=last))
    return below * (1 - weight) + above * weight


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
