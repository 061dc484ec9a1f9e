"""Several degradation spaces as tasks: what a blind network is trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.degradations import DegradationParameters, DegradationSampler, RandomStreams
from realsr_mtl.errors import UserError
from realsr_mtl.tasks.task_set import TaskSet


class FamilyTasks(TaskSet):
    """One task for each space; all samples of a batch belong to one, as pipelines differ.

    Args:
        samplers: name to space.
        shares: natural probability of each, scaled to the sum 1.
        together: samples of a batch, which share the draw of the space.
    """

    def __init__(
        self,
        samplers: Mapping[str, DegradationSampler],
        shares: Mapping[str, float],
        together: int,
    ) -> None:
        masses = torch.tensor([shares[name] for name in samplers], dtype=torch.float64)
        super().__init__(next(iter(samplers.values())), list(samplers), masses / masses.sum())
        self._samplers, self._together = list(samplers.values()), together

    def sample(
        self, index: Tensor, streams: RandomStreams, task: TaskIds | None = None
    ) -> tuple[TaskIds, DegradationParameters]:
        """Records of one space.

        Args:
            index: int64 ``[B]`` global sample numbers.
            streams: the random streams.
            task: int64 ``[B]``, all equal; or None to draw the space by its share.

        Raises:
            UserError: tasks of several spaces.
        """
        if task is None:
            uniform = streams.uniform("family", index // self._together, 1)[:, 0]
            task = torch.searchsorted(self.masses.cumsum(0)[:-1], uniform, right=True)
        chosen = task.unique()
        if len(chosen) > 1:
            raise UserError(
                f"samples of {' and '.join(self.names[i] for i in chosen.tolist())} cannot be in "
                "one batch: their degradations are different pipelines"
            )
        return task, self._samplers[int(chosen)].sample(index, streams)

    def to_json(self) -> list[dict[str, Any]]:
        """One entry per space: name and share."""
        masses = self.masses.tolist()
        return [{"name": n, "mass": mass} for n, mass in zip(self.names, masses, strict=True)]
