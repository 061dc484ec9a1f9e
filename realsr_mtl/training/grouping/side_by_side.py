"""Copies of one network that are trained side by side on one device."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from realsr_mtl.errors import UserError

_ELEMENTWISE = {
    torch.optim.SGD,
    torch.optim.Adam,
    torch.optim.AdamW,
    torch.optim.NAdam,
    torch.optim.RAdam,
    torch.optim.Adamax,
    torch.optim.Adadelta,
    torch.optim.Adagrad,
    torch.optim.RMSprop,
    torch.optim.Rprop,
}
"""Optimisers that treat every weight by itself, so that stacked weights are separate networks."""


class SideBySide:
    """Trains copies of a network on stacked weights ``[K, ...]``.

    The loss of the copies is added up; the gradient of a copy then is its own. Convolutions with
    stacked weights run as grouped convolutions, which pays where a single small network leaves a
    GPU idle.

    Args:
        network: the network that every copy starts from; it is left as it is.
        count: number of copies ``K``.

    Attributes:
        parameters: the stacked weights; those of one copy are not stacked.
    """

    def __init__(self, network: nn.Module, count: int) -> None:
        self._network, self.count = network, count
        named = {n: p for n, p in network.named_parameters() if p.requires_grad}
        self._named = {
            name: self._copies(weight.detach()).requires_grad_() for name, weight in named.items()
        }

    @property
    def parameters(self) -> list[Tensor]:
        """For the optimiser."""
        return list(self._named.values())

    def check_optimizer(self, optimizer: torch.optim.Optimizer) -> None:
        """Refuse an optimiser under which stacked networks would not be separate."""
        if self.count > 1 and not _ELEMENTWISE & set(type(optimizer).__mro__):
            raise UserError(
                f"{type(optimizer).__name__} mixes networks that are trained side by side; set "
                "strategy:grouping:side_by_side to 1, or use Adam"
            )

    def __call__(self, lq: Tensor) -> Tensor:
        """``[K B, 3, h, w]`` to ``[K B, 3, H, W]``; the samples of a copy stand together."""
        if self.count == 1:
            output: Tensor = functional_call(self._network, self._named, (lq,))
            return output
        parts = lq.unflatten(0, (self.count, -1))
        try:
            stacked = vmap(self._one, randomness="same")(self._named, parts)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise UserError(
                f"this network cannot run side by side ({str(error).splitlines()[0]}); set "
                "strategy:grouping:side_by_side to 1"
            ) from None
        return stacked.flatten(0, 1)

    def _one(self, weights: dict[str, Tensor], lq: Tensor) -> Tensor:
        output: Tensor = functional_call(self._network, weights, (lq,))
        return output

    def _copies(self, weight: Tensor) -> Tensor:
        if self.count == 1:
            return weight.clone()  # keeps the memory format
        return weight.expand(self.count, *weight.shape).clone(memory_format=torch.contiguous_format)
