"""The base of task sets, their registry, and the set of one task."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.degradations import DegradationParameters, DegradationSampler, RandomStreams, Region
from realsr_mtl.registry import Registry


class TaskSet:
    """An ordered set of named tasks that are regions of a degradation space.

    Args:
        sampler: the degradation sampler; None for paired data.
        regions: task name to region. The regions must be disjoint and cover the space.

    Attributes:
        names: the task names in order; everything kept per task is keyed by name.
        masses: float64 ``[T]``, the natural probability of each task.
    """

    def __init__(self, sampler: DegradationSampler | None, regions: dict[str, Region]) -> None:
        self.sampler = sampler
        self.names = list(regions)
        self.regions = regions
        self.masses = torch.ones(len(regions), dtype=torch.float64)
        if sampler is not None:
            masses = [sampler.space.mass(region) for region in regions.values()]
            self.masses = torch.tensor(masses, dtype=torch.float64)
            self._tables = sampler.space.sampler(list(regions.values()))

    def __len__(self) -> int:
        return len(self.names)

    def sample(
        self, index: Tensor, streams: RandomStreams, task: TaskIds | None = None
    ) -> tuple[TaskIds, DegradationParameters]:
        """Draw the degradation records of the given samples.

        Args:
            index: int64 ``[B]`` global sample numbers.
            streams: the random streams.
            task: int64 ``[B]``, draw from these tasks, exactly; None draws from the whole space,
                which is the baseline's own code path, and assigns the tasks afterwards.

        Returns:
            The task of every sample and the records.
        """
        if self.sampler is None:
            raise ValueError("paired data has no degradation to draw")
        if task is None:
            parameters = self.sampler.sample(index, streams)
            return self.assign(parameters), parameters
        return task, self.sampler.sample(index, streams, task, self._tables)

    def assign(self, parameters: DegradationParameters) -> TaskIds:
        """The task of each record: a pure function of the record.

        Raises:
            ValueError: a record that lies in no task or in two.
        """
        inside = torch.ones(len(self), len(parameters), dtype=torch.bool)
        for t, region in enumerate(self.regions.values()):
            for name, interval in region.items():
                inside[t] &= interval.contains(parameters[name])
        if not bool((inside.sum(0) == 1).all()):
            raise ValueError("a degradation record lies in no task or in more than one")
        return inside.int().argmax(0)

    def to_json(self) -> list[dict[str, Any]]:
        """One entry per task: name, natural mass, region."""
        return [
            {
                "name": name,
                "mass": float(mass),
                "region": {parameter: i.to_json() for parameter, i in region.items()},
            }
            for (name, region), mass in zip(self.regions.items(), self.masses, strict=True)
        ]


TASK_SETS: Registry[TaskSet] = Registry("task set")


@TASK_SETS.register()
class SingleTask(TaskSet):
    """One task, "all": the whole space, or all pairs of a paired set."""

    def __init__(self, sampler: DegradationSampler | None) -> None:
        super().__init__(sampler, {"all": {}})
