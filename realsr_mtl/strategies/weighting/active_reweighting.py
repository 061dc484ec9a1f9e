"""Art's active reweighting of task losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from realsr_mtl.strategies.setting import Setting
from realsr_mtl.strategies.weighting.base import WEIGHTINGS, TaskWeighting
from realsr_mtl.tasks import TaskLosses, TaskStatistics

LOWEST, HIGHEST = 1e-6, 0.99
"""Range of losses inside the score, which is defined on (0, 1) only."""


@WEIGHTINGS.register(aliases=["Art"])
class ActiveReweighting(TaskWeighting):
    """More weight to tasks above their recent average and far from their best.

    Art (ACM MM 2024), the rule as released. With ``L_k`` the mean loss of task k in the batch,
    ``E_k`` its running average and ``M_k`` its smallest value, both before this batch::

        z_k = (L_k / E_k) (log M_k / log L_k) / tau        w = softmax(z) over the tasks present

    and afterwards ``E_k <- rate L_k + (1 - rate) E_k``, ``M_k <- min(M_k, L_k)``. The released code
    never updates the average of one of its three tasks; that defect is mended here. Meant for mean
    absolute errors of images in [0, 1]: inside the score losses are clamped to [1e-6, 0.99].
    ``sum_k w_k L_k`` with sum 1 and weights of mean 1 with the prior 1 / #present are the same.

    Args:
        tau: temperature; 0.1 as released. One batch decides nearly alone at 0.1; 1 is smoother.
        rate: of the running average; 0.01 as released.
        mode: reference starts ``E`` and ``M`` at 0.1 as released, which makes the first hundred
            steps one-hot for larger losses; stabilised starts both at the first loss of the task.
        best: smallest loss of a batch, as released (it falls for ever and favours noisy tasks), or
            smallest running average.
        warmup: micro-batches with equal weights first; about 1 / rate fills the averages.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        tau: float = 0.1,
        rate: float = 0.01,
        mode: Literal["stabilised", "reference"] = "stabilised",
        best: Literal["batch", "average"] = "batch",
        warmup: int = 0,
        **others: Any,
    ) -> None:
        super().__init__(setting, **others)
        if not tau > 0 or warmup < 0:
            raise ValueError(f"tau must be positive and warmup not negative: {tau}, {warmup}")
        self._tau, self._warmup = tau, warmup
        self.statistics = TaskStatistics(
            setting.names,
            rate,
            start=0.1 if mode == "reference" else "first",
            best_of="loss" if best == "batch" else "average",
            device=setting.device,
        )

    def raw(self, step: TaskLosses, number: int) -> Tensor:
        """``K softmax(z)`` over the K tasks present."""
        if number < self._warmup:
            return torch.ones_like(step.sums)
        scores = self.scores(step).masked_fill(~step.present, -torch.inf)
        return step.present.sum() * scores.softmax(0)

    def scores(self, step: TaskLosses) -> Tensor:
        """``z [T]``; ``1 / tau`` for tasks without history."""
        known = self.statistics
        average = torch.where(known.average.isnan(), step.mean, known.average)
        best = torch.where(known.best.isinf(), step.mean, known.best)
        loss = step.mean.clamp(LOWEST, HIGHEST)
        change = loss / average.clamp(LOWEST, HIGHEST)
        return change * best.clamp(LOWEST, HIGHEST).log() / loss.log() / self._tau

    def remember(self, step: TaskLosses, number: int) -> None:
        """Update average and best of the tasks present; as released, a loss of 0 does not count."""
        counts = torch.where(step.sums > 0, step.counts, 0.0)
        self.statistics.update(TaskLosses(step.sums, counts), number)

    def state_dict(self) -> dict[str, Any]:
        """The statistics by task."""
        return {**super().state_dict(), "statistics": self.statistics.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest = dict(state)
        self.statistics.load_state_dict(rest.pop("statistics"))
        super().load_state_dict(rest)
