"""The base of task samplings, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.registry import Registry
from realsr_mtl.strategies.part import StrategyPart


class TaskSampling(StrategyPart, ABC):
    """Decides the task of every sample of the stream."""

    @abstractmethod
    def choose(self, index: Tensor) -> TaskIds | None:
        """Tasks of the samples ``index [B]``; None leaves them to the natural distribution."""

    @abstractmethod
    def shares(self) -> Tensor:
        """Float64 ``[T]``: the present probability of each task."""


SAMPLINGS: Registry[TaskSampling] = Registry("task sampling")
