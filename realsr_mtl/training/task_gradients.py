"""Gradients of single tasks: exact, sketched, or those of the last layer.

Every sample belongs to one task, so the gradients of the tasks are those of disjoint parts of a
batch: all of them together cost about one backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from realsr_mtl.errors import UserError

_CHUNK = 1 << 20
"""Columns of the gradient matrix that are squared at once; bounds the float64 copy."""


def flat_gradient(loss: Tensor, parameters: list[nn.Parameter], keep: bool = False) -> Tensor:
    """The gradient of a scalar as one float32 vector; zero for parameters it does not reach.

    Args:
        loss: the scalar.
        parameters: what it is derived by.
        keep: keep the graph for another gradient.
    """
    parts = torch.autograd.grad(loss, parameters, retain_graph=keep, allow_unused=True)
    return torch.cat(
        [
            (torch.zeros_like(p) if g is None else g).float().reshape(-1)
            for g, p in zip(parts, parameters, strict=True)
        ]
    )


def set_gradient(flat: Tensor, parameters: list[nn.Parameter]) -> None:
    """Make a vector the gradient of the parameters."""
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        gradient = torch.empty_like(parameter)  # keeps the memory format
        parameter.grad = gradient.copy_(flat[start:end].view(parameter.shape))
        start = end


def gram_matrix(rows: Tensor) -> Tensor:
    """``rows rows^T`` in float64, on the CPU."""
    total = torch.zeros(len(rows), len(rows), dtype=torch.float64, device=rows.device)
    for part in rows.split(_CHUNK, dim=1):
        wide = part.double()
        total += wide @ wide.T
    return total.cpu()


class CountSketch:
    """A random linear map from gradients to few numbers that keeps inner products on average.

    Every coordinate goes, with a random sign, into one random bucket (Charikar et al., 2002):
    ``E <S g, S h> = <g, h>`` with variance of order ``|g|^2 |h|^2 / size``.

    Args:
        length: of a gradient.
        size: number of buckets.
        seed: of the map.
        device: where gradients are.
    """

    def __init__(self, length: int, size: int, seed: int, device: torch.device) -> None:
        own = torch.Generator().manual_seed(seed)
        self._bucket = torch.randint(size, (length,), generator=own).to(device)
        self._sign = (torch.randint(2, (length,), generator=own, dtype=torch.int8) * 2 - 1).to(
            device
        )
        self.size = size

    def __call__(self, gradient: Tensor) -> Tensor:
        """``[size]`` of a gradient ``[length]``."""
        result = torch.zeros(self.size, dtype=gradient.dtype, device=gradient.device)
        return result.index_add_(0, self._bucket, gradient * self._sign)


class LastLayer:
    """The last convolution or linear layer of a network, and what passes through it.

    Args:
        network: the network.
    """

    def __init__(self, network: nn.Module) -> None:
        layers = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
        if not layers:
            raise UserError("rows: last_layer needs a convolution or a linear layer; use full")
        self._candidates = layers
        self._passed: tuple[nn.Module, Tensor, Tensor] | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Notes input and output of the layer that runs last inside the block."""

        def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            self._passed = (layer, inputs[0], output)

        hooks = [layer.register_forward_hook(note) for layer in self._candidates]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def rows(self, losses: Tensor, parts: list[Tensor]) -> list[Tensor]:
        """Gradients of the summed losses of parts of the batch with respect to the layer.

        Samples do not mix, so one backward pass to the layer's output serves all parts.

        Args:
            losses: ``[B]`` with their graph, which is kept.
            parts: bool ``[B]``, one for each task.
        """
        assert self._passed is not None
        layer, given, output = self._passed
        self._passed = None
        parameters = list(layer.parameters())
        (towards,) = torch.autograd.grad(losses.sum(), output, retain_graph=True)
        rows = []
        for part in parts:
            with torch.enable_grad():
                again = layer(given[part].detach())
            gradients = torch.autograd.grad(again, parameters, towards[part])
            rows.append(torch.cat([g.float().reshape(-1) for g in gradients]))
        return rows


def check_samples_do_not_mix(network: nn.Module) -> None:
    """Refuse batch normalisation, under which parts of a batch are not the batch."""
    if any(isinstance(module, _BatchNorm) for module in network.modules()):
        raise UserError(
            "single tasks can be looked at only in a network without batch normalisation, which "
            "mixes the samples of a batch; use another network, or a strategy that needs neither "
            "gradients nor groups"
        )
