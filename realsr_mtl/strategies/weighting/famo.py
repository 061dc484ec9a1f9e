"""Fast adaptive multi-task optimisation: weights that learn from what the last step did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from realsr_mtl.strategies.setting import Setting
from realsr_mtl.strategies.weighting.base import TINY, WEIGHTINGS, TaskWeighting
from realsr_mtl.tasks import TaskLosses, TaskTable

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


@WEIGHTINGS.register(aliases=["FAMO"])
class FastAdaptiveWeighting(TaskWeighting):
    """All tasks at the same relative pace: ``w_t = (z_t / L_t) / sum_s (z_s / L_s)``.

    Liu et al., "FAMO: Fast Adaptive Multitask Optimization" (NeurIPS 2023): ``z = softmax(xi)``
    over the tasks present. After the step the same samples go through the network again (no
    gradient; about the time of a forward pass), and Adam moves ``xi`` against the gradient of
    ``sum_t z_t (log L_t(before) - log L_t(after))``: a task that improved more than the others
    loses weight. Logits, moments and step counts of absent tasks stay.

    Args:
        lr: learning rate of the logits; 0.025 in the paper.
        weight_decay: decay of the logits; 1e-3 in the paper's algorithm, 1e-5 in its code.
    """

    needs_second_look = True

    def __init__(
        self, setting: Setting, *, lr: float = 0.025, weight_decay: float = 1e-3, **others: Any
    ) -> None:
        super().__init__(setting, **others)
        if not (lr >= 0 and weight_decay >= 0):
            raise ValueError(f"lr and weight_decay must not be negative: {lr}, {weight_decay}")
        self._lr, self._decay = lr, weight_decay
        rows = ("logits", "first_moment", "second_moment", "updates")
        self._table = TaskTable(setting.names, rows, "FAMO's logits", setting.device)

    def raw(self, step: TaskLosses, number: int) -> Tensor:
        """Sum K over the K tasks present."""
        weights = self._softmax(step.present) / step.mean.clamp(min=TINY)
        return step.present.sum() * weights / weights.sum()

    def look_again(self, before: TaskLosses, after: TaskLosses) -> None:
        """One step of Adam on the logits of the tasks present."""
        logits, first, second, updates = self._table.values
        z = self._softmax(before.present)
        change = before.mean.clamp(min=TINY).log() - after.mean.clamp(min=TINY).log()
        gradient = z * (change - (z * change).sum()) + self._decay * logits
        count = updates + 1
        first = _BETA1 * first + (1 - _BETA1) * gradient
        second = _BETA2 * second + (1 - _BETA2) * gradient.square()
        scale = (second / (1 - _BETA2**count)).sqrt() + _EPSILON
        moved = logits - self._lr * first / (1 - _BETA1**count) / scale
        table = torch.stack((moved, first, second, count))
        self._table.values = torch.where(before.present, table, self._table.values)

    def state_dict(self) -> dict[str, Any]:
        """Logits and Adam's moments by task."""
        return {**super().state_dict(), "table": self._table.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest = dict(state)
        self._table.load_state_dict(rest.pop("table"))
        super().load_state_dict(rest)

    def _softmax(self, present: Tensor) -> Tensor:
        return self._table.values[0].masked_fill(~present, -torch.inf).softmax(0)
