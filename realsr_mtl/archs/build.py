"""Building networks reproducibly, and what the rest needs to know of them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from realsr_mtl.archs.bounds import MOST_FEATURES, SizeError, SmallTensors, bounded_size
from realsr_mtl.archs.limits import Limits, limits, stated_limits
from realsr_mtl.archs.registry import ARCHS, DISCRIMINATORS
from realsr_mtl.archs.task_heads import TaskHeads
from realsr_mtl.errors import OptionError, UserError

_PROBE = 32
"""Smallest side of the image that a new network is tried on."""

_LARGE, _LARGE_JUDGED = 96, 384
"""Sides from twice this on are not tried as they are, by networks and by discriminators."""

_SIDES = {1: 37, 2: 34, 4: 44, 8: 40, 16: 80, 32: 96, 64: 64}
"""A multiple that sides may have to have, to a side that has it and no larger power of two."""


def build_network(
    block: Mapping[str, Any], scale: int, seed: int, path: tuple[str, ...] = ("network_g",)
) -> nn.Module:
    """Build a network whose initial weights depend on ``seed`` only.

    Torch's global generator is used inside and put back as it was. The network is tried on a small
    image; one that does not state its `Limits` is tried on several and then has them as its
    attribute ``limits``.

    Raises:
        OptionError: wrong options, or a network that does not turn RGB into RGB of ``scale`` times
            the size.
    """
    name = str(block["type"])
    with _seeded(name, seed, path):
        with bounded_size():
            network = ARCHS.build(block, path=path)
        for part, factor in _parts(network, scale):
            if stated := stated_limits(part):
                _try(part, stated.fit(_PROBE), factor, name, path)
            else:
                part.limits = _found_limits(part, factor, name, path)  # type: ignore[assignment]
    return network


def build_discriminator(
    block: Mapping[str, Any],
    seed: int,
    side: int | None = None,
    path: tuple[str, ...] = ("network_d",),
) -> nn.Module:
    """Build a discriminator whose initial weights depend on ``seed`` only.

    Args:
        block: ``{type: ..., option: value}``.
        seed: of the weights.
        side: of the HR patches (gt_size) to try it on; default: it is not tried.
        path: where the block stands, for error messages.

    Raises:
        OptionError: wrong options, or a discriminator that does not take such patches.
    """
    with _seeded(str(block["type"]), seed, path):
        with bounded_size():
            network = DISCRIMINATORS.build(block, path=path)
        if side is not None:
            _output(network, _representative(network, side, _LARGE_JUDGED))
    return network


def count_parameters(network: nn.Module) -> int:
    """Number of weights."""
    return sum(p.numel() for p in network.parameters())


@contextmanager
def _seeded(name: str, seed: int, path: tuple[str, ...]) -> Iterator[None]:
    """Build and try something inside; its failures become those of the options."""
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # leaves CUDA's generators alone
            yield
    except UserError:
        raise
    except Exception as error:  # other people's networks fail in any way
        raise OptionError(f"{name} does not run with these options: {_why(error)}", path) from error


def _why(error: Exception) -> str:
    """What a network disliked; C++ says much about memory and nothing of use."""
    if isinstance(error, MemoryError) or re.search("allocate|overflowed", str(error)):
        return "it needs more memory than there is"
    return str(error) or type(error).__name__


def check_patch(network: nn.Module, side: int) -> None:
    """Try a network on a patch of the size that it is to be trained on.

    Raises:
        ValueError: it does not take patches of ``side`` pixels.
    """
    for part, _ in _parts(network, 1):
        try:
            _output(part, _representative(part, side, _LARGE))
        except Exception as error:  # other people's networks fail in any way
            fitting = limits(part).fit(side)
            raise ValueError(
                f"does not take LQ patches of {side} pixels ({_why(error)}); it takes {fitting}"
            ) from error


def _representative(network: nn.Module, side: int, large: int) -> int:
    """A smaller side that a network takes if it takes this one: its remainder is the same."""
    period = limits(network).fit(large)
    return side if side < 2 * period else period + side % period


def _parts(network: nn.Module, scale: int) -> list[tuple[nn.Module, int]]:
    """What makes images, and the size of those over the input's."""
    if isinstance(network, TaskHeads):
        return [(network.only(task), network.scale_of(task)) for task in network.tasks]
    return [(network, scale)]


def _found_limits(network: nn.Module, scale: int, name: str, path: tuple[str, ...]) -> Limits:
    """The first multiple with which a network runs, and by powers of two the smallest side."""

    def failure(side: int) -> Exception | None:
        try:
            _try(network, side, scale, name, path)
        except SizeError:
            raise
        except Exception as error:  # whatever it dislikes about this size
            return error
        return None

    failed: Exception | None = None
    for multiple, side in _SIDES.items():
        failed = failure(side)
        if failed is None:
            smallest = multiple
            while smallest < side and failure(smallest):
                smallest *= 2
            found = limits(network)
            return dataclasses.replace(found, multiple=multiple, smallest=min(smallest, side))
    assert failed is not None
    raise failed


def _try(network: nn.Module, side: int, scale: int, name: str, path: tuple[str, ...]) -> None:
    found = tuple(_output(network, side).shape)
    if len(found) != 4 or found[1] != 3:
        raise OptionError(f"{name} turns [1, 3, h, w] into {list(found)}, not RGB", path)
    if found[2:] != (side * scale, side * scale):
        factors = {"upscale", "scale"} & ARCHS.options(name).model_fields.keys()
        raise OptionError(
            f"{name} gives x{found[-1] / side:g} but scale is {scale}; set "
            + (f"its {factors.pop()} to the same value" if factors else "scale to the same value"),
            path,
        )


@torch.no_grad()
def _output(network: nn.Module, side: int) -> Tensor:
    """What a network makes of a black square."""
    training, weight = network.training, next(network.parameters(), torch.empty(0))
    try:
        with SmallTensors(MOST_FEATURES):
            out: Tensor = network.eval()(torch.zeros(1, 3, side, side, device=weight.device))
    finally:
        network.train(training)
    return out
