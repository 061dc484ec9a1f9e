"""Building a network reproducibly, and what the rest needs to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from realsr_mtl.archs.registry import ARCHS
from realsr_mtl.errors import OptionError


def build_network(
    block: Mapping[str, Any], scale: int, seed: int, path: tuple[str, ...] = ("network_g",)
) -> nn.Module:
    """Build a network whose initial weights depend on ``seed`` only.

    Torch's global generator is used inside and put back as it was.

    Raises:
        OptionError: wrong options, or a network whose output is not ``scale`` times its input.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ARCHS.build(block, path=path)
    side = 16 * pad_multiple(network)
    training = network.training
    try:
        with torch.no_grad():
            found = network.eval()(torch.zeros(1, _in_channels(network), side, side)).shape
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise OptionError(
            f"{block['type']} does not run with these options: {error}", path
        ) from error
    network.train(training)
    if found[-1] != side * scale:
        raise OptionError(
            f"{block['type']} gives x{found[-1] / side:g} but scale is {scale}; set its own factor "
            "(upscale or scale) to the same value",
            path,
        )
    return network


def pad_multiple(network: nn.Module) -> int:
    """Sides of the input must be multiples of this (window size, unshuffling)."""
    own = getattr(network, "multiple_of", None)
    if isinstance(own, int):
        return own
    windows = (getattr(module, "window_size", None) for module in network.modules())
    return max((w for w in windows if isinstance(w, int)), default=1)


def count_parameters(network: nn.Module) -> int:
    """Number of weights."""
    return sum(p.numel() for p in network.parameters())


def _in_channels(network: nn.Module) -> int:
    first = next((m for m in network.modules() if isinstance(m, nn.Conv2d)), None)
    return 3 if first is None or first.in_channels > 4 else first.in_channels
