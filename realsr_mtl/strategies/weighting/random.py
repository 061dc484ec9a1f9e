"""Random loss weighting: the litmus test of every adaptive method."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from realsr_mtl.strategies.setting import Setting
from realsr_mtl.strategies.weighting.base import WEIGHTINGS, TaskWeighting
from realsr_mtl.tasks import TaskLosses


@WEIGHTINGS.register(aliases=["RLW"])
class RandomWeighting(TaskWeighting):
    """New random weights in every step, ``w = softmax(sigma z)`` with ``z ~ N(0, I)``.

    Lin et al., "Reasonable Effectiveness of Random Weighting" (TMLR 2022). The draws come from the
    run's streams: the same on all processes and after resuming.

    Args:
        sigma: standard deviation of the logits; 1 in the paper, 0 gives equal weights.
    """

    def __init__(self, setting: Setting, *, sigma: float = 1.0, **others: Any) -> None:
        super().__init__(setting, **others)
        if not sigma >= 0:
            raise ValueError(f"sigma must not be negative, found {sigma}")
        self._sigma = sigma

    def raw(self, step: TaskLosses, number: int) -> Tensor:
        """``K softmax`` over the K tasks present."""
        streams, size = self.setting.streams, len(self.setting)
        u = streams.uniform("random weights", torch.tensor([number]), 2 * size)[0]
        radius = (-2 * torch.log1p(-u[:size])).sqrt()  # Box and Muller
        logits = self._sigma * radius * torch.cos(2 * math.pi * u[size:])
        logits = logits.to(step.sums.device).masked_fill(~step.present, -math.inf)
        return step.present.sum() * logits.softmax(0)
