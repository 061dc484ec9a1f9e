"""What a network asks of its input."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Limits:
    """What a network asks of its input.

    Attributes:
        multiple: sides must be multiples of this (windows, unshuffling, strides).
        smallest: sides must be at least this.
        fp16: float16 is known to do (Real-ESRGAN's tools run RRDBNet and SRVGGNetCompact so by
            default; MSRResNet has the same layers). False where features may leave its range, where
            attention needs more than its 11 bits, and where nobody has tried; there, use bfloat16.
        channels_last: plain convolutions, which a GPU with tensor cores runs faster in this memory
            format; layers that look at pixels or windows as rows would convert to and fro.
    """

    multiple: int = 1
    smallest: int = 1
    fp16: bool = False
    channels_last: bool = False

    def fit(self, side: int) -> int:
        """The smallest side that the network takes, from ``side`` on."""
        return -(-max(side, self.smallest) // self.multiple) * self.multiple


def limits(network: nn.Module) -> Limits:
    """What a network asks of its input.

    Its attribute ``limits``, which networks of ours have, and others once `build_network` has tried
    them. Without it: sides that are multiples of its attribute ``multiple_of``, or of the
    ``window_size`` of all its layers; channels_last for convolutions without linear layers and
    windows.
    """
    stated = stated_limits(network)
    if stated:
        return stated
    kinds = {type(module) for module in network.modules()}
    return Limits(channels_last=nn.Conv2d in kinds and nn.Linear not in kinds)


def stated_limits(network: nn.Module) -> Limits | None:
    """Limits that a network or its layers state; None where only a trial can tell."""
    own = getattr(network, "limits", None)
    if isinstance(own, Limits):
        return own
    multiple = getattr(network, "multiple_of", None)
    if isinstance(multiple, int):
        return Limits(multiple, multiple)
    sides = (getattr(module, "window_size", None) for module in network.modules())
    windows = [side for side in sides if isinstance(side, int) and side > 0]
    return Limits(math.lcm(*windows), math.lcm(*windows)) if windows else None
