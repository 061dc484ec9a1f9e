"""Sampling by the weights of a task weighting that is applied to volumes instead of losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from realsr_mtl.strategies.part import TaskColumns
from realsr_mtl.strategies.sampling.base import SAMPLINGS
from realsr_mtl.strategies.sampling.controlled import ControlledVolumes
from realsr_mtl.strategies.setting import Setting
from realsr_mtl.tasks import TaskMeans


@SAMPLINGS.register()
class Weighted(ControlledVolumes):
    """Controlled volumes that follow a weighting with ``apply: sampling``.

    The weight of a task is its mean over the steps of the last interval in which the task was
    present; a task that was never present keeps the weight it has.

    Args:
        prior: what a weight of 1 stands for: 1 / T, or the natural share of a task; null means
            what the weighting means.
        warmup: iterations with the natural distribution first.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        prior: Literal["natural", "uniform"] | None = None,
        warmup: int = 0,
        **others: Any,
    ) -> None:
        super().__init__(setting, warmup=warmup, **others)
        self.prior = prior
        self._followed = TaskMeans(setting.names, "weights of the interval", setting.device)

    @property
    def weight_prior(self) -> Tensor:
        """Natural masses or 1 / T."""
        masses = self.setting.masses
        return torch.full_like(masses, 1 / len(masses)) if self.prior == "uniform" else masses

    def follow(self, weights: Tensor, present: Tensor) -> None:
        """Take in the weights ``[T]`` of a step; 0 for absent tasks."""
        self._followed.add(weights, present)

    def update(self, iteration: int, psnr: Tensor | None) -> TaskColumns:
        """The mean weights of the last interval become the volumes of the next one."""
        weights = self._followed.mean()
        self._followed.reset()
        known = torch.where(weights.isnan(), self._weights, weights)
        return self.next_interval(iteration, known)

    def state_dict(self) -> dict[str, Any]:
        """The weights of the present interval by task."""
        return {**super().state_dict(), "followed": self._followed.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest = dict(state)
        self._followed.load_state_dict(rest.pop("followed"))
        super().load_state_dict(rest)
