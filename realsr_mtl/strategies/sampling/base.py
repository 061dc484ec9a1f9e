"""The base of task samplings, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.registry import Registry
from realsr_mtl.tasks import TaskSet


class TaskSampling(ABC):
    """Decides the task of every sample of the stream.

    Args:
        tasks: the task set.
        streams: the run's random streams.
    """

    def __init__(self, tasks: TaskSet, streams: RandomStreams) -> None:
        self.tasks = tasks
        self.streams = streams

    @abstractmethod
    def choose(self, index: Tensor) -> TaskIds | None:
        """Tasks of the samples ``index [B]``; None leaves them to the natural distribution."""

    @abstractmethod
    def shares(self) -> Tensor:
        """Float64 ``[T]``: the present probability of each task."""

    def state_dict(self) -> dict[str, Any]:
        """What must be saved; keyed by task name where it is per task."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of `state_dict`."""
        if state:
            raise ValueError(f"{type(self).__name__} keeps no state, found {sorted(state)}")


SAMPLINGS: Registry[TaskSampling] = Registry("task sampling")
