"""Pieces that several networks share."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of every pixel of ``[B, C, H, W]``.

    The output has the memory format of the input, so that the convolutions behind it have that of
    their weights.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise ``[B, C, H, W]``."""
        out = super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        last = input.is_contiguous(memory_format=torch.channels_last)
        return out if last else out.contiguous()


def named(name: str, *layers: nn.Module) -> nn.Sequential:
    """One or more layers behind a name of their own, where published state dicts have one."""
    inner = layers[0] if len(layers) == 1 else nn.Sequential(*layers)
    return nn.Sequential(OrderedDict([(name, inner)]))


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


def reflect_to_multiple(image: Tensor, multiple: int, smallest: int = 1) -> Tensor:
    """Extend ``[B, C, H, W]`` to the right and below until its sides are multiples, and so large.

    The image is reflected about its last row and column, as often as it takes: also an image that
    is smaller than the extension has one.
    """
    for dim in (-2, -1):
        side = image.shape[dim]
        wanted = -(-max(side, smallest) // multiple) * multiple
        if side < wanted:
            position = torch.arange(wanted, device=image.device)
            period = max(1, 2 * (side - 1))
            position = position % period
            image = image.index_select(dim, torch.minimum(position, period - position))
    return image
