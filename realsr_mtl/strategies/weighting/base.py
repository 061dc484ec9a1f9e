"""The base of task weightings, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from realsr_mtl.registry import Registry
from realsr_mtl.strategies.part import StrategyPart, TaskColumns
from realsr_mtl.strategies.setting import Setting
from realsr_mtl.tasks import TaskLosses, TaskMeans

TINY = 1e-12
"""Losses below count as this where a formula divides by them or takes their logarithm."""


class TaskWeighting(StrategyPart, ABC):
    """Weights on the per-task losses of a batch.

    With ``L_t`` the mean loss of the samples of task t in the batch (over all processes), the loss
    is ``sum_t p_t w_t L_t`` over the tasks present. The prior ``p_t`` is 1 / #present ("uniform":
    every task counts equally), or the task's part of the batch ("natural"). Weights carry no
    gradient. The unit is the micro-batch: with ``accum_iter`` every micro-batch has weights of its
    own.

    Args:
        apply: loss weights the losses; sampling leaves them alone and makes the weights the shares
            of the tasks in later batches (see the sampling `Weighted`).
        normalize: scale the weights to the mean 1 over the tasks present, so that learning rate
            and clipping keep their meaning.

    Attributes:
        prior: "uniform" or "natural".
        needs_second_look: `look_again` wants the losses after the step.
    """

    prior: Literal["uniform", "natural"] = "uniform"
    needs_second_look = False

    def __init__(
        self,
        setting: Setting,
        *,
        apply: Literal["loss", "sampling"] = "loss",
        normalize: bool = True,
        **others: Any,
    ) -> None:
        super().__init__(setting, **others)
        self.apply = apply
        self.normalize = normalize
        self._logged = TaskMeans(setting.names, "logged weights", setting.device)

    @abstractmethod
    def raw(self, step: TaskLosses, number: int) -> Tensor:
        """The method's weights ``[T]`` before normalisation; those of absent tasks are ignored.

        Args:
            step: losses of the micro-batch over all processes.
            number: of the micro-batch.
        """

    def remember(self, step: TaskLosses, number: int) -> None:
        """Take in the losses of a micro-batch after its weights were formed."""

    def look_again(self, before: TaskLosses, after: TaskLosses) -> None:
        """Take in the losses of the same samples before and after the optimiser step."""

    def weigh(self, step: TaskLosses, number: int) -> Tensor:
        """Float64 weights ``[T]`` of a micro-batch, 0 for absent tasks; updates the state."""
        weights = torch.where(step.present, self.raw(step, number), 0.0)
        if self.normalize:
            weights = weights / (self.parts(step) * weights).sum()
        self.remember(step, number)
        self._logged.add(weights, step.present)
        return weights

    def parts(self, step: TaskLosses) -> Tensor:
        """The prior ``p [T]`` of a micro-batch: sum 1, 0 for absent tasks."""
        part = step.counts if self.prior == "natural" else step.present.double()
        return part / part.sum()

    def columns(self) -> TaskColumns:
        """Mean weight of each task over the micro-batches it was present in."""
        weight = self._logged.mean()
        self._logged.reset()
        return {"weight": weight}

    def state_dict(self) -> dict[str, Any]:
        """The weights since the last log line; subclasses add theirs."""
        return {**super().state_dict(), "logged": self._logged.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest = dict(state)
        self._logged.load_state_dict(rest.pop("logged"))
        super().load_state_dict(rest)

    def _zeros(self) -> Tensor:
        return torch.zeros(len(self.setting), dtype=torch.float64, device=self.setting.device)


WEIGHTINGS: Registry[TaskWeighting] = Registry("task weighting")
