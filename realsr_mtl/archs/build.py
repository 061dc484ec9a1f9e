"""Building a network reproducibly, and what the rest needs to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from realsr_mtl.archs.layers import pad_multiple
from realsr_mtl.archs.registry import ARCHS
from realsr_mtl.archs.task_heads import TaskHeads
from realsr_mtl.errors import OptionError, UserError

_PROBE = 32
"""Smallest side of the image that a new network is tried on."""


def build_network(
    block: Mapping[str, Any], scale: int, seed: int, path: tuple[str, ...] = ("network_g",)
) -> nn.Module:
    """Build a network whose initial weights depend on ``seed`` only.

    Torch's global generator is used inside and put back as it was.

    Raises:
        OptionError: wrong options, or a network that does not turn RGB into RGB of ``scale`` times
            the size.
    """
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # leaves CUDA's generators alone
            network = ARCHS.build(block, path=path)
        for part, factor in _parts(network, scale):
            _try(part, factor, str(block["type"]), path)
    except UserError:
        raise
    except Exception as error:  # other people's networks fail in any way
        raise OptionError(
            f"{block['type']} does not run with these options: {error}", path
        ) from error
    return network


def _parts(network: nn.Module, scale: int) -> list[tuple[nn.Module, int]]:
    """What makes images, and the size of those over the input's."""
    if isinstance(network, TaskHeads):
        return [(network.only(task), network.scale_of(task)) for task in network.tasks]
    return [(network, scale)]


def _try(network: nn.Module, scale: int, name: str, path: tuple[str, ...]) -> None:
    training = network.training
    multiple = pad_multiple(network)
    side = -(-_PROBE // multiple) * multiple
    with torch.no_grad():
        found = tuple(network.eval()(torch.zeros(1, 3, side, side)).shape)
    network.train(training)
    if len(found) != 4 or found[1] != 3:
        raise OptionError(f"{name} turns [1, 3, h, w] into {list(found)}, not RGB", path)
    if found[2:] != (side * scale, side * scale):
        factors = {"upscale", "scale"} & ARCHS.options(name).model_fields.keys()
        raise OptionError(
            f"{name} gives x{found[-1] / side:g} but scale is {scale}; set "
            + (f"its {factors.pop()} to the same value" if factors else "scale to the same value"),
            path,
        )


def count_parameters(network: nn.Module) -> int:
    """Number of weights."""
    return sum(p.numel() for p in network.parameters())
