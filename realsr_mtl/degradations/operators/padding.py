"""Reflected borders of any width, also wider than the image."""

from __future__ import annotations

import torch
from torch import Tensor


def reflect_pad(image: Tensor, pad: int, edge: bool = False) -> Tensor:
    """Pad ``[..., H, W]`` by ``pad`` pixels on each side.

    Args:
        image: the image.
        pad: width of the border; may exceed the image, which is then reflected repeatedly.
        edge: also repeat the edge pixel (``d c b a | a b c d``, MATLAB's symmetric border) instead
            of reflecting about it (``d c b | a b c d``, the border of OpenCV and BasicSR).
    """
    rows = _reflected(image.shape[-2], pad, edge, image.device)
    columns = _reflected(image.shape[-1], pad, edge, image.device)
    return image[..., rows, :][..., columns]


def _reflected(size: int, pad: int, edge: bool, device: torch.device) -> Tensor:
    position = torch.arange(-pad, size + pad, device=device)
    if edge:
        position = position.remainder(2 * size)
        return torch.minimum(position, 2 * size - 1 - position)
    if size == 1:
        return torch.zeros_like(position)
    period = 2 * (size - 1)
    position = position.remainder(period)
    return torch.minimum(position, period - position)
