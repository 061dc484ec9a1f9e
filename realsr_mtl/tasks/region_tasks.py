"""Tasks that are regions of a degradation space, and the set of one task."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.degradations import DegradationParameters, DegradationSampler, RandomStreams, Region
from realsr_mtl.tasks.task_set import TASK_SETS, TaskSet


class RegionTasks(TaskSet):
    """Regions that are disjoint and cover the space; the mass of a task is its probability.

    Args:
        sampler: the degradation sampler; None for paired data.
        regions: task name to region.
    """

    def __init__(self, sampler: DegradationSampler | None, regions: dict[str, Region]) -> None:
        masses = torch.ones(len(regions), dtype=torch.float64)
        if sampler is not None:
            found = [sampler.space.mass(region) for region in regions.values()]
            masses = torch.tensor(found, dtype=torch.float64)
            self._tables = sampler.space.sampler(list(regions.values()))
        super().__init__(sampler, list(regions), masses)
        self.regions = regions

    def sample(
        self, index: Tensor, streams: RandomStreams, task: TaskIds | None = None
    ) -> tuple[TaskIds, DegradationParameters]:
        """Draw from regions; without given tasks from the whole space, by the baseline's own path.

        Args:
            index: int64 ``[B]`` global sample numbers.
            streams: the random streams.
            task: int64 ``[B]``, or None; then the tasks are assigned afterwards.
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


@TASK_SETS.register()
class SingleTask(RegionTasks):
    """One task, "all": the whole space, or all pairs of a paired set."""

    def __init__(self, sampler: DegradationSampler | None) -> None:
        super().__init__(sampler, {"all": {}})
