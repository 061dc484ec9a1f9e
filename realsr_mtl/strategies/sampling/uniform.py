"""Uniform sampling over tasks: the essential control of any rebalancing."""

from __future__ import annotations

import torch
from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.strategies.sampling.base import SAMPLINGS, TaskSampling


@SAMPLINGS.register()
class Uniform(TaskSampling):
    """Every task equally often, ``q_t = 1 / T``, drawn independently per sample."""

    def choose(self, index: Tensor) -> TaskIds | None:
        """Int64 ``[B]``, uniform on the tasks."""
        return (self.streams.uniform("task", index, 1)[:, 0] * len(self.tasks)).long()

    def shares(self) -> Tensor:
        """1 / T for every task."""
        return torch.full((len(self.tasks),), 1 / len(self.tasks), dtype=torch.float64)
