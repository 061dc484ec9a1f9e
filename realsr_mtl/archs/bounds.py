"""Bounds on networks, so that a slip in an option ends in a sentence and not in a full memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.utils._python_dispatch import TorchDispatchMode

MOST_WEIGHTS = 150_000_000
"""Over three times those of HAT-L, the largest network in use for restoration."""

MOST_LAYERS = 20_000

MOST_NUMBERS = 2**24
"""Of one tensor that a constructor makes on the way; the tables of a window of 53 x 53 pixels."""

MOST_FEATURES = 2**27
"""Of one tensor while a network is tried; 64 channels of 1448 x 1448 pixels."""

Width = Annotated[int, Field(ge=1, le=4096)]
"""Number of channels or features."""

Depth = Annotated[int, Field(ge=0, le=1000)]
"""Number of blocks or layers."""

Factor = Annotated[int, Field(ge=1, le=64)]
"""Up-scaling factor."""


class SizeError(ValueError):
    """A network that is too large for most machines, or nothing at all."""


@contextmanager
def bounded_size() -> Iterator[None]:
    """Networks built inside raise `SizeError` when they are too large, or a layer is empty.

    A tensor is counted when its layer takes it in, before anything is written to it.
    """
    size = layers = 0

    def count_tensor(module: nn.Module, name: str, tensor: Tensor | None) -> None:
        nonlocal size
        size += 0 if tensor is None else tensor.numel() * tensor.element_size()
        if size > 4 * MOST_WEIGHTS:  # tables of whole numbers take twice as much
            raise SizeError(f"the network has more than {MOST_WEIGHTS:,} weights")

    def count_weight(module: nn.Module, name: str, weight: Tensor | None) -> None:
        count_tensor(module, name, weight)
        if weight is not None and not weight.numel():
            raise SizeError(f"{type(module).__name__} gets no weights, {tuple(weight.shape)}")

    def count_layer(module: nn.Module, name: str, inner: Any) -> None:
        nonlocal layers
        layers += 1
        if layers > MOST_LAYERS:
            raise SizeError(f"the network has more than {MOST_LAYERS:,} layers")

    hooks: list[Any] = [
        register_module_parameter_registration_hook(count_weight),
        register_module_buffer_registration_hook(count_tensor),
        register_module_module_registration_hook(count_layer),
    ]
    try:
        with SmallTensors(MOST_NUMBERS):
            yield
    finally:
        for hook in hooks:
            hook.remove()


_RANGES = ("aten.arange", "aten.linspace", "aten.logspace", "aten.randperm")


class SmallTensors(TorchDispatchMode):
    """Inside, an operation that makes a large tensor raises `SizeError`, as a rule before it runs.

    Args:
        most: numbers of one tensor.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        # empty memory costs nothing: weights are counted before they are filled
        if not str(func).startswith("aten.empty"):
            self._check(_largest(str(func), args))
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor) and not str(func).startswith("aten.empty"):
            self._check(made.numel())
        return made

    def _check(self, count: float) -> None:
        if count > self._most:
            raise SizeError(f"the network makes tensors of more than {self._most:,} numbers")


def _largest(name: str, args: tuple[Any, ...]) -> float:
    """How many numbers an operation makes, judged by sizes that broadcast, and by given sizes."""
    shapes = [arg.shape for arg in args if isinstance(arg, Tensor)]
    try:
        count = math.prod(torch.broadcast_shapes(*shapes)) if shapes else 1
    except RuntimeError:  # no element-wise operation
        count = 1
    for arg in args:
        if isinstance(arg, (list, tuple)) and all(isinstance(n, int) for n in arg):
            size = math.prod(max(n, 1) for n in arg)
            count = size * count if "repeat" in name else max(size, count)
        elif name.startswith(_RANGES) and isinstance(arg, (int, float)):
            count = max(count, int(arg))
    if name.startswith("aten.convolution"):
        features, weight = shapes[:2]
        count = math.prod(features) // max(features[1], 1) * max(weight[:2])
    if name.startswith("aten.unbind") and args[0].shape[0] > MOST_LAYERS:  # a tensor for each
        return math.inf
    return count
