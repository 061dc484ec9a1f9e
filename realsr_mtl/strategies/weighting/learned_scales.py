"""Learned log-scales of the losses: uncertainty weighting and IMTL-L."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from realsr_mtl.strategies.setting import Setting
from realsr_mtl.strategies.weighting.base import WEIGHTINGS, TaskWeighting
from realsr_mtl.tasks import TaskLosses, by_name, from_names


class LearnedScales(TaskWeighting):
    """A number ``s_t`` per task that descends the gradient of the method's own objective.

    It has a learning rate of its own and belongs neither to the network nor to its optimiser,
    weight decay or average. Tasks absent from a batch stay where they are.

    Args:
        lr: step size of ``s_t <- s_t - lr d/ds_t``; ours. The objective's second derivative is
            about 1 at its minimum, so that 1 / lr steps bring a task there.
        init: first value of every ``s_t``; 0 gives equal weights.
    """

    def __init__(
        self, setting: Setting, *, lr: float = 0.02, init: float = 0.0, **others: Any
    ) -> None:
        super().__init__(setting, **others)
        if not 0 <= lr <= 1:
            raise ValueError(f"lr lies in [0, 1], found {lr}")
        self._lr = lr
        self.scales = self._zeros() + init

    @abstractmethod
    def slope(self, losses: Tensor) -> Tensor:
        """Derivative ``[T]`` of the objective with respect to the scales."""

    def remember(self, step: TaskLosses, number: int) -> None:
        """One step of gradient descent for the tasks present."""
        moved = self.scales - self._lr * self.slope(step.mean).clamp(-10, 10)
        self.scales = torch.where(step.present, moved, self.scales)

    def state_dict(self) -> dict[str, Any]:
        """The scales by task."""
        return {**super().state_dict(), "scales": by_name(self.setting.names, self.scales)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest, start = dict(state), torch.zeros_like(self.scales)
        self.scales = from_names(self.setting.names, rest.pop("scales"), start, "learned scales")
        super().load_state_dict(rest)


@WEIGHTINGS.register(aliases=["UW"])
class UncertaintyWeighting(LearnedScales):
    """Weights ``exp(-s_t)`` with ``s`` minimising ``sum_t exp(-s_t) L_t + s_t``.

    Kendall et al., "Multi-Task Learning Using Uncertainty to Weigh Losses" (CVPR 2018), in its
    Laplace form, which belongs to L1 losses; the Gaussian form halves both terms. The weight tends
    to ``1 / L_t``: hard tasks lose weight.

    Args:
        likelihood: laplace, or gaussian (for squared losses).
    """

    def __init__(
        self,
        setting: Setting,
        *,
        likelihood: Literal["laplace", "gaussian"] = "laplace",
        **others: Any,
    ) -> None:
        super().__init__(setting, **others)
        self._factor = 1.0 if likelihood == "laplace" else 0.5

    def raw(self, step: TaskLosses, number: int) -> Tensor:
        """``exp(-s)``, halved in the Gaussian form."""
        return self._factor * torch.exp(-self.scales)

    def slope(self, losses: Tensor) -> Tensor:
        """``1 - exp(-s) L``, halved in the Gaussian form."""
        return self._factor * (1 - torch.exp(-self.scales) * losses)


@WEIGHTINGS.register(aliases=["IMTL-L", "IMTL_L"])
class ImpartialLoss(LearnedScales):
    """Weights ``exp(s_t)`` with ``s`` minimising ``sum_t exp(s_t) L_t - s_t``.

    The loss balance of Liu et al., "Towards Impartial Multi-Task Learning" (ICLR 2021): every
    weighted loss tends to 1. Derived without a likelihood, but the same as uncertainty weighting
    in its Laplace form with ``s`` of the other sign.
    """

    def raw(self, step: TaskLosses, number: int) -> Tensor:
        """``exp(s)``."""
        return torch.exp(self.scales)

    def slope(self, losses: Tensor) -> Tensor:
        """``exp(s) L - 1``."""
        return torch.exp(self.scales) * losses - 1
