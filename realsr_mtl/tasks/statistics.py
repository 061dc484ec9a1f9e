"""What is known about every task: losses of a step, running averages, sums between log lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from realsr_mtl.batch import SampleLosses, TaskIds
from realsr_mtl.processes import Processes
from realsr_mtl.tasks.named import TaskTable, by_name, from_names


@dataclass(frozen=True)
class TaskLosses:
    """Sums and counts of per-sample losses by task, of one micro-batch over all processes.

    Attributes:
        sums: float64 ``[T]``.
        counts: float64 ``[T]``, the number of samples; 0 for tasks absent from the batch.
    """

    sums: Tensor
    counts: Tensor

    @staticmethod
    def of(losses: SampleLosses, task: TaskIds, tasks: int) -> TaskLosses:
        """Add up the losses ``[B]`` of samples of the tasks ``[B]``.

        A sample whose loss is NaN or infinite counts as absent: the step it belongs to is skipped
        and nothing may remember it.
        """
        finite = losses.detach().isfinite()
        packed = torch.zeros(2, tasks, dtype=torch.float64, device=losses.device)
        packed[0].index_add_(0, task, torch.where(finite, losses.detach(), 0).double())
        packed[1].index_add_(0, task, finite.double())
        return TaskLosses(packed[0], packed[1])

    def over(self, processes: Processes) -> TaskLosses:
        """Sums and counts over all processes; means are formed afterwards, so they are exact."""
        if processes.world_size == 1:
            return self
        sums, counts = processes.sum(torch.stack((self.sums, self.counts)))
        return TaskLosses(sums, counts)

    def __add__(self, other: TaskLosses) -> TaskLosses:
        return TaskLosses(self.sums + other.sums, self.counts + other.counts)

    @property
    def present(self) -> Tensor:
        """Bool ``[T]``: tasks with a sample."""
        return self.counts > 0

    @property
    def mean(self) -> Tensor:
        """Float64 ``[T]``: mean loss of each task; 0 for absent tasks."""
        return self.sums / self.counts.clamp(min=1)


class TaskStatistics:
    """Running average, best value, number of updates and last update of each task.

    With rate ``a`` and the mean loss ``L`` of a task in a step, ``average <- a L + (1 - a)
    average`` and ``best <- min(best, L)``. Tasks absent from a step keep everything.

    Args:
        names: the tasks.
        rate: ``a`` in (0, 1].
        start: "corrected" removes the bias of a start at zero, so that the first values count
            like a plain mean; "first" starts average and best at the first loss; a number starts
            both there.
        best_of: "loss", or "average" for the smallest value the running average had.
        device: where the losses are.

    Attributes:
        average, best: float64 ``[T]``; NaN and infinity before the first update unless `start` is
            a number.
        updates: int64 ``[T]``, steps with a sample of the task.
        last_seen: int64 ``[T]``, number of the last such step; -1 for none.
    """

    def __init__(
        self,
        names: Sequence[str],
        rate: float,
        start: float | Literal["corrected", "first"] = "corrected",
        best_of: Literal["loss", "average"] = "loss",
        device: torch.device | None = None,
    ) -> None:
        if not 0 < rate <= 1:
            raise ValueError(f"the rate of a running average lies in (0, 1], found {rate}")
        self.names = list(names)
        self.rate = rate
        self.start = start
        self.best_of = best_of
        given = isinstance(start, (int, float))
        size, kind = (len(self.names),), {"dtype": torch.float64, "device": device}
        self.average = torch.full(size, float(start) if given else torch.nan, **kind)  # type: ignore[arg-type]
        self.best = torch.full(size, float(start) if given else torch.inf, **kind)  # type: ignore[arg-type]
        self.updates = torch.zeros(size, dtype=torch.int64, device=device)
        self.last_seen = torch.full(size, -1, dtype=torch.int64, device=device)

    def update(self, step: TaskLosses, number: int) -> None:
        """Take in the losses of a step; absent tasks stay untouched.

        Args:
            step: over all processes.
            number: of the step.
        """
        present, mean = step.present, step.mean
        rate: float | Tensor = self.rate
        if self.start == "corrected":  # a / (1 - (1 - a)^n) for the n-th value
            rate = self.rate / (1 - (1 - self.rate) ** (self.updates + 1).double())
        followed = self.average + rate * (mean - self.average)
        if not isinstance(self.start, (int, float)):
            followed = torch.where(self.updates == 0, mean, followed)
        self.average = torch.where(present, followed, self.average)
        value = mean if self.best_of == "loss" else self.average
        self.best = torch.where(present, torch.minimum(self.best, value), self.best)
        self.updates = self.updates + present
        self.last_seen = torch.where(present, number, self.last_seen)

    def state_dict(self) -> dict[str, Any]:
        """Every array as ``{task: value}``."""
        return {key: by_name(self.names, getattr(self, key)) for key in self._arrays}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`; tasks are matched by name, and others are reported."""
        for key in self._arrays:
            own = getattr(self, key)
            setattr(self, key, from_names(self.names, state[key], own, f"loss statistics ({key})"))

    _arrays = ("average", "best", "updates", "last_seen")


class TaskMeans(TaskTable):
    """Means per task over the steps since the last reset; absent tasks have none.

    Sums live on the device of the values, so that a training step does not wait for them.

    Args:
        names: the tasks.
        what: of what, for warnings about tasks that came or went.
        device: where the values are.
    """

    def __init__(self, names: Sequence[str], what: str, device: torch.device | None = None) -> None:
        super().__init__(names, ("sums", "counts"), what, device)

    def add(self, sums: Tensor, counts: Tensor) -> None:
        """Add sums ``[T]`` of as many values as ``counts [T]`` says; of none, nothing."""
        self.values[0] += torch.where(counts > 0, sums, 0)
        self.values[1] += counts

    def mean(self) -> Tensor:
        """Float64 ``[T]`` on the CPU; NaN for tasks without a value."""
        sums, counts = self.values.cpu()
        return sums / counts

    def reset(self) -> None:
        """Start again from nothing."""
        self.values = torch.zeros_like(self.values)
