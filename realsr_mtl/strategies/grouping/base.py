"""The base of task groupings, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Literal

from realsr_mtl.degradations import DegradationSampler
from realsr_mtl.registry import Registry
from realsr_mtl.tasks import GroupTasks, read_groups


class Grouping(ABC):
    """Makes the tasks of training: groups G1, G2, ... of points, and G0, the whole living space.

    Its natural sampling is that of TGSR: a group uniformly, then one of its points uniformly. The
    other parts of a strategy (sampling, weighting, gradients) take the groups as their tasks.

    Args:
        per: step, all samples of an optimiser step have one group and one point, as in TGSR; or
            sample, every sample has its own, so that weightings and gradient methods have several
            groups to weigh.
    """

    def __init__(self, *, per: Literal["step", "sample"] = "step") -> None:
        self.per = per

    @property
    @abstractmethod
    def group_file(self) -> Path:
        """The file of the groups."""

    def tasks(self, sampler: DegradationSampler, batch: int) -> GroupTasks:
        """The tasks of a training with ``batch`` samples in an optimiser step."""
        together = batch if self.per == "step" else 1
        return GroupTasks(sampler, *read_groups(self.group_file, sampler), together)


GROUPINGS: Registry[Grouping] = Registry("task grouping")
