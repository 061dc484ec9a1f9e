"""Pieces that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def scale_weights(*convolutions: nn.Conv2d, factor: float = 0.1) -> None:
    """Kaiming-normal weights times a small factor and zero biases (ESRGAN's initialisation)."""
    for convolution in convolutions:
        nn.init.kaiming_normal_(convolution.weight)
        with torch.no_grad():
            convolution.weight.mul_(factor)
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)


def conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    """A 3 x 3 convolution that keeps the size."""
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


def check_multiple(image: Tensor, multiple: int) -> None:
    """Refuse sizes that a network's unshuffling cannot divide."""
    if any(side % multiple for side in image.shape[-2:]):
        raise ValueError(f"input {tuple(image.shape[-2:])} must be a multiple of {multiple}")
