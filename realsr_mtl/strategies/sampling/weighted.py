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
from realsr_mtl.tasks import by_name, from_names


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
        self._sums = torch.zeros(2, len(setting), dtype=torch.float64, device=setting.device)

    @property
    def weight_prior(self) -> Tensor:
        """Natural masses or 1 / T."""
        masses = self.setting.masses
        return torch.full_like(masses, 1 / len(masses)) if self.prior == "uniform" else masses

    def follow(self, weights: Tensor, present: Tensor) -> None:
        """Take in the weights ``[T]`` of a step; 0 for absent tasks."""
        self._sums[0] += weights
        self._sums[1] += present

    def update(self, iteration: int, psnr: Tensor | None) -> TaskColumns:
        """The mean weights of the last interval become the volumes of the next one."""
        sums, counts = self._sums.clone().cpu()
        self._sums.zero_()
        weights = torch.where(counts > 0, sums / counts.clamp(min=1), self._weights)
        return self.next_interval(iteration, weights)

    def state_dict(self) -> dict[str, Any]:
        """The sums of the present interval by task."""
        names = self.setting.names
        own = {"sums": by_name(names, self._sums[0]), "counts": by_name(names, self._sums[1])}
        return {**super().state_dict(), **own}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest, names = dict(state), self.setting.names
        for row, key in enumerate(("sums", "counts")):
            start = torch.zeros_like(self._sums[row])
            self._sums[row] = from_names(names, rest.pop(key), start, "weights of the interval")
        super().load_state_dict(rest)
