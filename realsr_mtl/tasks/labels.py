"""The tasks of paired data: the labels that its files bring along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.degradations import DegradationParameters, RandomStreams
from realsr_mtl.tasks.task_set import TaskSet


class LabelledImages(Protocol):
    """Images that know their task."""

    tasks: Sequence[str]

    def __len__(self) -> int: ...

    def task(self, position: int) -> int:
        """Position in `tasks`."""


class Labels(TaskSet):
    """Tasks of given pairs; the mass of a task is its share of the pairs.

    Args:
        names: the tasks.
        masses: float64 ``[T]``.
    """

    def __init__(self, names: Sequence[str], masses: Tensor) -> None:
        super().__init__(None, names, masses)

    @staticmethod
    def of(images: LabelledImages) -> Labels:
        """The tasks of a data set."""
        labels = torch.tensor([images.task(i) for i in range(len(images))], dtype=torch.int64)
        counts = torch.bincount(labels, minlength=len(images.tasks)).double()
        return Labels(images.tasks, counts / counts.sum())

    def sample(
        self, index: Tensor, streams: RandomStreams, task: TaskIds | None = None
    ) -> tuple[TaskIds, DegradationParameters]:
        """Not for pairs: their LQ images are given."""
        raise ValueError("paired data has no degradation to draw")

    def to_json(self) -> list[dict[str, Any]]:
        """One entry per task: name and natural mass."""
        return [
            {"name": name, "mass": float(mass)}
            for name, mass in zip(self.names, self.masses, strict=True)
        ]
