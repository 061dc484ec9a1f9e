"""Kinds of degradation as tasks: noise15, rain, haze, ..."""

from __future__ import annotations

from realsr_mtl.degradations import DegradationSampler
from realsr_mtl.tasks.region_tasks import RegionTasks
from realsr_mtl.tasks.task_set import TASK_SETS


@TASK_SETS.register()
class Kinds(RegionTasks):
    """One task for each kind of degradation of an all-in-one space."""

    def __init__(self, sampler: DegradationSampler | None) -> None:
        if sampler is None or not sampler.kinds:
            raise ValueError("only a space of several kinds has them: degradation: AllInOne")
        super().__init__(sampler, dict(sampler.kinds))
