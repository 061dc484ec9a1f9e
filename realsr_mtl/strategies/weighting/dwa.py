"""Dynamic weight average over windows of iterations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from realsr_mtl.strategies.setting import Setting
from realsr_mtl.strategies.weighting.base import TINY, WEIGHTINGS, TaskWeighting
from realsr_mtl.tasks import TaskLosses, TaskTable


@WEIGHTINGS.register(aliases=["DWA"])
class DynamicWeightAverage(TaskWeighting):
    """Tasks whose loss falls slowly get more weight: ``w = softmax(r / temperature)``.

    Liu et al., "End-to-End Multi-Task Learning with Attention" (CVPR 2019), with
    ``r_t = mean loss of the last window / mean loss of the window before``. Their windows are
    epochs; random degradations have none, so a window is a number of micro-batches. A window's
    mean is over samples; a task absent from a whole window keeps its mean. ``r_t = 1`` until two
    windows are complete.

    Args:
        window: micro-batches of a window; 25 iterations in public code for small data sets.
        temperature: 2 in the paper; larger is more even.
    """

    def __init__(
        self, setting: Setting, *, window: int = 500, temperature: float = 2.0, **others: Any
    ) -> None:
        super().__init__(setting, **others)
        if window < 1 or not temperature > 0:
            raise ValueError(f"window and temperature must be positive: {window}, {temperature}")
        self._window, self._temperature = window, temperature
        rows = ("sums", "counts", "last", "before")
        self._table = TaskTable(setting.names, rows, "loss windows", setting.device)
        self._filled = 0

    def raw(self, step: TaskLosses, number: int) -> Tensor:
        """``K softmax(r / temperature)`` over the K tasks present."""
        _, _, last, before = self._table.values
        rate = torch.where((last > 0) & (before > 0), last / before.clamp(min=TINY), 1.0)
        logits = (rate / self._temperature).masked_fill(~step.present, -torch.inf)
        return step.present.sum() * logits.softmax(0)

    def remember(self, step: TaskLosses, number: int) -> None:
        """Add up the window; at its end the means move on by one window."""
        self._table.values[0] += step.sums
        self._table.values[1] += step.counts
        self._filled += 1
        if self._filled == self._window:
            self._filled = 0
            sums, counts, last, before = self._table.values
            seen = counts > 0
            newest = torch.where(seen, sums / counts.clamp(min=1), last)
            older = torch.where(seen, last, before)
            self._table.values = torch.stack((sums * 0, counts * 0, newest, older))

    def state_dict(self) -> dict[str, Any]:
        """The sums of the present window and the means of the last two."""
        own = {"windows": self._table.state_dict(), "filled": self._filled}
        return {**super().state_dict(), **own}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest = dict(state)
        self._table.load_state_dict(rest.pop("windows"))
        self._filled = int(rest.pop("filled"))
        super().load_state_dict(rest)
