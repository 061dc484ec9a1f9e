"""Focal weights on the losses: CDR's weights as a control, and dynamic task prioritization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from realsr_mtl.strategies.imbalance import FocalIndicator
from realsr_mtl.strategies.limits import LimitedWeights
from realsr_mtl.strategies.part import TaskColumns
from realsr_mtl.strategies.setting import Setting
from realsr_mtl.strategies.weighting.base import WEIGHTINGS, TaskWeighting
from realsr_mtl.tasks import TaskLosses, by_name, from_names


class ProbedWeighting(FocalIndicator, TaskWeighting):
    """Weights that are formed from probe images now and then, and held in between."""

    def __init__(self, setting: Setting, **others: Any) -> None:
        super().__init__(setting, **others)
        self._held = torch.ones(len(setting), dtype=torch.float64)
        self._on_device = self._held.to(setting.device)

    def raw(self, step: TaskLosses, number: int) -> Tensor:
        """The weights of the last update; 1 before the first."""
        return self._on_device

    def hold(self, weights: Tensor) -> TaskColumns:
        """Use the weights ``[T]`` from now on."""
        self._held = weights
        self._on_device = weights.to(self.setting.device)
        return {"weight": weights}

    def state_dict(self) -> dict[str, Any]:
        """The weights by task."""
        return {**super().state_dict(), "held": by_name(self.setting.names, self._held)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest, ones = dict(state), torch.ones_like(self._held)
        self.hold(from_names(self.setting.names, rest.pop("held"), ones, "focal weights"))
        super().load_state_dict(rest)


@WEIGHTINGS.register(aliases=["Focal"])
class FocalWeighting(LimitedWeights, ProbedWeighting):
    """The weights of `DataRebalancing` on the losses instead of the volumes (CDR-style control).

    Every sample of task t is multiplied by ``q_t / pi_t``, where ``q_t`` are the limited shares
    that `DataRebalancing` with the same options would sample: the same expected gradient, a larger
    variance. A method of its own, too.

    Args:
        normalize: scale the weights to the mean 1 over the samples of each batch; without it they
            have the mean 1 over the degradation space, which keeps the expected gradient.
    """

    prior = "natural"

    def __init__(self, setting: Setting, *, normalize: bool = False, **others: Any) -> None:
        super().__init__(setting, normalize=normalize, **others)

    def update(self, iteration: int, psnr: Tensor | None) -> TaskColumns:
        """New weights from new scores."""
        assert psnr is not None
        measured = self.measure(psnr)
        shares = self.limited_shares(measured["omega"])
        return {**measured, **self.hold(shares / self.setting.masses)}


@WEIGHTINGS.register(aliases=["DTP"])
class DynamicTaskPrioritization(ProbedWeighting):
    """Focal weights of an absolute indicator, ``w_t = -(1 - k_t)^gamma ln k_t``.

    Guo et al., "Dynamic Task Prioritization for Multitask Learning" (ECCV 2018), at task level:
    hard tasks first, however much there is left to gain. Unless references are given, the
    indicator is ``psnr_t / absolute`` on the probe images of a task.

    Args:
        every: iterations between two looks at the probes.
        gamma: focusing parameter; 1 in public code.
        smoothing: rate of the running average of the indicators; 0.1 in public code.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        every: int = 500,
        gamma: float = 1.0,
        smoothing: float = 0.1,
        **others: Any,
    ) -> None:
        super().__init__(setting, gamma=gamma, smoothing=smoothing, **others)
        if every < 1:
            raise ValueError(f"every must be positive, found {every}")
        self._every = every

    def due(self, iteration: int) -> bool:
        """Every ``every`` iterations, from the first on."""
        return iteration % self._every == 0

    def update(self, iteration: int, psnr: Tensor | None) -> TaskColumns:
        """New weights from new scores."""
        assert psnr is not None
        measured = self.measure(psnr)
        weights = measured["omega"] / measured["omega"].mean()
        return {**measured, **self.hold(weights)}
