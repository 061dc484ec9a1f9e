"""Natural sampling: the baseline."""

from __future__ import annotations

from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.strategies.sampling.base import SAMPLINGS, TaskSampling


@SAMPLINGS.register()
class Natural(TaskSampling):
    """Every task as often as the degradation space makes it: ordinary Real-SR training."""

    def choose(self, index: Tensor) -> TaskIds | None:
        """None: draw from the whole space."""
        return None

    def shares(self) -> Tensor:
        """The natural masses."""
        return self.setting.masses
