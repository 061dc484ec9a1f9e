"""Optimisers: every class of torch.optim by its name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from realsr_mtl.errors import OptionError
from realsr_mtl.registry import Registry


def _torch_optimizer(name: str) -> Callable[..., Any] | None:
    """A class of torch.optim; its parameters but the first are options."""
    found = getattr(torch.optim, name, None)
    base = torch.optim.Optimizer
    if not (inspect.isclass(found) and issubclass(found, base) and found is not base):
        return None

    def build(*runtime: Any, **options: Any) -> torch.optim.Optimizer:
        optimizer: torch.optim.Optimizer = found(*runtime, **options)
        return optimizer

    signature = inspect.signature(found)
    build.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=list(signature.parameters.values())[1:]
    )
    return build


def _torch_names() -> list[str]:
    return [name for name in dir(torch.optim) if _torch_optimizer(name)]


OPTIMIZERS: Registry[torch.optim.Optimizer] = Registry(
    "optimiser", lookup=_torch_optimizer, others=_torch_names
)


@OPTIMIZERS.register()
class Adam(torch.optim.Adam):
    """Adam (Kingma and Ba, ICLR 2015), torch's.

    Args:
        lr: learning rate.
        weight_decay: L2 penalty.
        betas: decay rates of the two moments; (0.9, 0.99) in BasicSR's files.
        eps: added to the denominator.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float = 2e-4,
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


@OPTIMIZERS.register()
class AdamW(torch.optim.AdamW):
    """AdamW (Loshchilov and Hutter, ICLR 2019), torch's.

    Args:
        lr: learning rate.
        weight_decay: decoupled weight decay.
        betas: decay rates of the two moments.
        eps: added to the denominator.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float = 2e-4,
        weight_decay: float = 1e-2,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


def build_optimizer(
    block: Mapping[str, Any],
    parameters: Iterable[Tensor],
    path: tuple[str, ...] = ("train", "optim_g"),
) -> torch.optim.Optimizer:
    """The optimiser of all the given weights that require a gradient."""
    parameters = [p for p in parameters if p.requires_grad]
    optimizer = OPTIMIZERS.build(block, parameters, path=path)
    closure = inspect.signature(type(optimizer).step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise OptionError(f"{block['type']} evaluates the loss several times a step", path)
    return optimizer
