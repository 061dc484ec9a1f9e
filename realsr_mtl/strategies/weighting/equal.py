"""Equal weights per task, and the natural mix: the two controls without any adaptation."""

from __future__ import annotations

import torch
from torch import Tensor

from realsr_mtl.strategies.weighting.base import WEIGHTINGS, TaskWeighting
from realsr_mtl.tasks import TaskLosses


@WEIGHTINGS.register(aliases=["EW"])
class Equal(TaskWeighting):
    """Every task in the batch counts equally, however many samples it has: ``w_t = 1``."""

    def raw(self, step: TaskLosses, number: int) -> Tensor:
        """Ones."""
        return torch.ones_like(step.sums)


@WEIGHTINGS.register(name="Natural", aliases=["Mix"])
class NaturalMix(Equal):
    """Every sample counts equally: ordinary training, where frequent tasks weigh more."""

    prior = "natural"
