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

MOST_WEIGHTS = 200_000_000
"""Five times those of HAT-L, the largest network in use for restoration."""

MOST_LAYERS = 20_000

MOST_NUMBERS = 2**25
"""Of one tensor that a constructor makes on the way; the tables of a window of 64 x 64 pixels."""

Width = Annotated[int, Field(ge=1, le=4096)]
"""Number of channels or features."""

Depth = Annotated[int, Field(ge=0, le=1000)]
"""Number of blocks or layers."""

Factor = Annotated[int, Field(ge=1, le=64)]
"""Up-scaling factor."""


@contextmanager
def bounded_size() -> Iterator[None]:
    """Networks built inside raise a ValueError when they become too large.

    A tensor is counted when its layer takes it in, before anything is written to it.
    """
    size = layers = 0

    def count_tensor(module: nn.Module, name: str, tensor: Tensor | None) -> None:
        nonlocal size
        size += 0 if tensor is None else tensor.numel() * tensor.element_size()
        if size > 4 * MOST_WEIGHTS:  # tables of whole numbers take twice as much
            raise ValueError(f"the network has more than {MOST_WEIGHTS:,} weights")

    def count_layer(module: nn.Module, name: str, inner: Any) -> None:
        nonlocal layers
        layers += 1
        if layers > MOST_LAYERS:
            raise ValueError(f"the network has more than {MOST_LAYERS:,} layers")

    hooks: list[Any] = [
        register_module_parameter_registration_hook(count_tensor),
        register_module_buffer_registration_hook(count_tensor),
        register_module_module_registration_hook(count_layer),
    ]
    try:
        with _SmallTensors():
            yield
    finally:
        for hook in hooks:
            hook.remove()


class _SmallTensors(TorchDispatchMode):
    """Refuses an operation before it makes a large tensor."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        # empty memory costs nothing: weights are counted before they are filled
        if not str(func).startswith("aten.empty") and _largest(str(func), args) > MOST_NUMBERS:
            raise ValueError(f"the network makes tensors of more than {MOST_NUMBERS:,} numbers")
        return func(*args, **(kwargs or {}))


def _largest(name: str, args: tuple[Any, ...]) -> int:
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
        elif "arange" in name and isinstance(arg, (int, float)):
            count = max(count, int(arg))
    return count
