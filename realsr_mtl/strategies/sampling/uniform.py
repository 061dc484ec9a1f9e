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
        uniform = self.setting.streams.uniform("task", index, 1)[:, 0]
        return (uniform * len(self.setting)).long()

    def shares(self) -> Tensor:
        """1 / T for every task."""
        size = len(self.setting)
        return torch.full((size,), 1 / size, dtype=torch.float64)
