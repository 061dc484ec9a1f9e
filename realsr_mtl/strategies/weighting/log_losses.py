"""Weightings that compare logarithms of losses: geometric loss and smooth Tchebycheff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from realsr_mtl.strategies.setting import Setting
from realsr_mtl.strategies.weighting.base import TINY, WEIGHTINGS, TaskWeighting
from realsr_mtl.tasks import TaskLosses, TaskStatistics, TaskTable


class LogLosses(TaskWeighting):
    """Weights from the losses of the batch, or from their running averages.

    Args:
        rate: of the running average of the losses that the weights are formed from, in (0, 1];
            1, as published, takes those of the batch, which are noisy where a task has few
            samples.
    """

    def __init__(self, setting: Setting, *, rate: float = 1.0, **others: Any) -> None:
        super().__init__(setting, **others)
        self._losses = TaskStatistics(setting.names, rate, device=setting.device)

    def weigh(self, step: TaskLosses, number: int) -> Tensor:
        """The running averages include the batch itself."""
        self._losses.update(step, number)
        return super().weigh(step, number)

    @property
    def losses(self) -> Tensor:
        """``[T]``, positive; NaN for tasks never seen."""
        return self._losses.average.clamp(min=TINY)

    def state_dict(self) -> dict[str, Any]:
        """The running averages by task."""
        return {**super().state_dict(), "losses": self._losses.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest = dict(state)
        self._losses.load_state_dict(rest.pop("losses"))
        super().load_state_dict(rest)


@WEIGHTINGS.register(aliases=["GLS"])
class GeometricLoss(LogLosses):
    """The gradient of the geometric mean of the losses, ``w_t = G / L_t``.

    Chennupati et al., "MultiNet++" (CVPR Workshops 2019): ``G = (prod_t L_t)^(1/K)`` over the K
    tasks present, in log space, so that many small losses do not underflow. Normalised to the mean
    1, these are also the weights of the sum of log losses (scale-invariant MTL).
    """

    def raw(self, step: TaskLosses, number: int) -> Tensor:
        """``exp(mean log L - log L)``."""
        log = torch.where(step.present, self.losses.log(), 0.0)
        return torch.exp(log.sum() / step.present.sum() - log)


@WEIGHTINGS.register(aliases=["STCH"])
class SmoothTchebycheff(LogLosses):
    """The gradient of a soft maximum of the losses relative to where they began.

    Lin et al., "Smooth Tchebycheff Scalarization" (ICML 2024), in the form used for networks:
    ``mu log sum_t exp(log(L_t / nadir_t) / mu)``, hence
    ``w_t = K softmax(log(L / nadir) / mu)_t / L_t`` over the K tasks present. ``nadir_t`` is the
    mean loss of the task in the first ``warmup`` steps it is present in.

    Args:
        mu: smoothness; 1 weighs by 1 / nadir, small values approach the worst task alone. The
            paper tries 0.01 to 1.
        warmup: steps that form the nadir point; public code takes four epochs.
    """

    def __init__(
        self, setting: Setting, *, mu: float = 1.0, warmup: int = 500, **others: Any
    ) -> None:
        super().__init__(setting, **others)
        if not mu > 0 or warmup < 1:
            raise ValueError(f"mu and warmup must be positive, found {mu} and {warmup}")
        self._mu, self._warmup = mu, warmup
        self._start = TaskTable(setting.names, ("nadir", "steps"), "nadir point", setting.device)

    def weigh(self, step: TaskLosses, number: int) -> Tensor:
        """The nadir point includes the batch itself, as long as it is formed."""
        nadir, steps = self._start.values
        learning = step.present & (steps < self._warmup)
        steps = steps + learning
        towards = (step.mean - nadir) / steps.clamp(min=1)
        self._start.values = torch.stack((torch.where(learning, nadir + towards, nadir), steps))
        return super().weigh(step, number)

    def raw(self, step: TaskLosses, number: int) -> Tensor:
        """``K softmax(log(L / nadir) / mu) / L``."""
        ratio = self.losses.log() - self._start.values[0].clamp(min=TINY).log()
        share = (ratio / self._mu).masked_fill(~step.present, -torch.inf).softmax(0)
        return step.present.sum() * share / self.losses

    def state_dict(self) -> dict[str, Any]:
        """The nadir point by task."""
        return {**super().state_dict(), "start": self._start.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest = dict(state)
        self._start.load_state_dict(rest.pop("start"))
        super().load_state_dict(rest)
