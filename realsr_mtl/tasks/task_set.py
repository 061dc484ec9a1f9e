"""The base of task sets, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.degradations import DegradationParameters, DegradationSampler, RandomStreams
from realsr_mtl.errors import OptionError
from realsr_mtl.naming import file_name
from realsr_mtl.registry import Registry


class TaskSet(ABC):
    """An ordered set of named tasks of a degradation space.

    Args:
        sampler: the degradation sampler; None for paired data.
        names: the task names in order; everything kept per task is keyed by name.
        masses: float64 ``[T]``, the natural probability of each task.
    """

    def __init__(
        self, sampler: DegradationSampler | None, names: Sequence[str], masses: Tensor
    ) -> None:
        check_task_names(names)
        self.sampler = sampler
        self.names = list(names)
        self.masses = masses

    def __len__(self) -> int:
        return len(self.names)

    @abstractmethod
    def sample(
        self, index: Tensor, streams: RandomStreams, task: TaskIds | None = None
    ) -> tuple[TaskIds, DegradationParameters]:
        """Draw the degradation records of the given samples.

        Args:
            index: int64 ``[B]`` global sample numbers.
            streams: the random streams.
            task: int64 ``[B]``, draw from these tasks, exactly; None leaves the tasks to their
                natural distribution.

        Returns:
            The task of every sample and the records.
        """

    @abstractmethod
    def to_json(self) -> list[dict[str, Any]]:
        """One entry per task: name, natural mass, and what it is."""


def check_task_names(names: Sequence[str]) -> None:
    """Names of tasks become parts of file names.

    Raises:
        OptionError: one that cannot.
    """
    for name in names:
        try:
            file_name(name)
        except ValueError as error:
            raise OptionError(f"a task has an unusable name: {error}") from None


TASK_SETS: Registry[TaskSet] = Registry("task set")
