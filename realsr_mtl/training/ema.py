"""Exponential moving average of a network."""

from __future__ import annotations

import copy

import torch
from torch import nn


class ExponentialMovingAverage:
    """``ema <- decay * ema + (1 - decay) * network`` after every step.

    Floating-point buffers are averaged like parameters; BasicSR leaves them at their first value.
    Whole-number buffers are copied.

    Args:
        network: the network to follow; the average starts at its weights.
        decay: in (0, 1); 0.999 in the field.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Follow one step of the network."""
        for own, new in zip(
            self.network.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if own.is_floating_point():
                own.lerp_(new, 1 - self.decay)
            else:
                own.copy_(new)
