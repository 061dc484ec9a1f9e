"""Sums per task over the steps since the last log line."""

from __future__ import annotations

import torch
from torch import Tensor

from realsr_mtl.batch import SampleLosses, TaskIds


class TaskAverages:
    """Mean loss and number of samples of each task; absent tasks stay untouched.

    Sums live on the device of the losses, so that a training step does not wait for them.
    """

    def __init__(self, tasks: int, device: torch.device) -> None:
        self._sum = torch.zeros(tasks, dtype=torch.float64, device=device)
        self._count = torch.zeros(tasks, dtype=torch.float64, device=device)

    def add(self, losses: SampleLosses, task: TaskIds) -> None:
        """Add the losses ``[B]`` of samples of the tasks ``[B]``."""
        self._sum.index_add_(0, task, losses.detach().double())
        self._count.index_add_(0, task, torch.ones_like(losses, dtype=torch.float64))

    def packed(self) -> Tensor:
        """Float64 ``[2, T]`` of sums and counts, for a reduction over processes."""
        return torch.stack((self._sum, self._count))

    def load(self, packed: Tensor) -> None:
        """Set the sums and counts to those of `packed`."""
        self._sum.copy_(packed[0])
        self._count.copy_(packed[1])

    def reset(self) -> None:
        """Start again from zero."""
        self._sum.zero_()
        self._count.zero_()
