"""Learning-rate schedules as pure functions of the iteration; nothing to save or to drift."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from realsr_mtl.registry import Registry


class Schedule(ABC):
    """Learning rate by iteration.

    ``iteration`` counts finished optimiser steps: the first step runs at ``rate(base, 0)``.
    """

    @abstractmethod
    def rate(self, base: float, iteration: int) -> float:
        """The learning rate of the step after ``iteration`` steps, from the option ``lr``."""


SCHEDULES: Registry[Schedule] = Registry("schedule")


@SCHEDULES.register()
class Constant(Schedule):
    """The same learning rate throughout."""

    def rate(self, base: float, iteration: int) -> float:
        """``base``."""
        return base


@SCHEDULES.register(aliases=["MultiStepRestartLR"])
class MultiStepLR(Schedule):
    """The base rate times the ``gamma`` of every milestone that is passed.

    Args:
        milestones: iterations at which the rate falls; one named twice counts twice.
        gamma: factor at each milestone, or a list with one for each.
    """

    def __init__(self, *, milestones: list[int], gamma: float | list[float] = 0.1) -> None:
        gammas = gamma if isinstance(gamma, list) else [gamma] * len(milestones)
        if len(gammas) != len(milestones):
            raise ValueError(f"{len(milestones)} milestones need as many gammas: {len(gammas)}")
        self._falls = list(zip(milestones, gammas, strict=True))

    def rate(self, base: float, iteration: int) -> float:
        """``base`` times the factors so far."""
        return base * math.prod(gamma for at, gamma in self._falls if iteration >= at)


@SCHEDULES.register()
class CosineAnnealingRestartLR(Schedule):
    """Cosine from the (weighted) base rate to ``eta_min``, restarted after each period.

    ``eta_min + w / 2 (base - eta_min)(1 + cos(pi t / period))`` with t counted from the last
    restart; a restart shows in the step after the period's end, as in BasicSR. After the last
    period the rate stays at its end (BasicSR's raises an error there).

    Args:
        periods: lengths of the periods in iterations.
        restart_weights: w of each period; 1 by default.
        eta_min: smallest rate.
    """

    def __init__(
        self, *, periods: list[int], restart_weights: list[float] | None = None, eta_min: float = 0
    ) -> None:
        self.periods = periods
        self.weights = restart_weights or [1.0] * len(periods)
        self.eta_min = eta_min
        if not periods or min(periods) < 1 or len(self.weights) != len(periods):
            raise ValueError("periods must be positive, with one restart_weight each")

    def rate(self, base: float, iteration: int) -> float:
        """The annealed rate."""
        start = 0
        for position, (period, weight) in enumerate(zip(self.periods, self.weights, strict=True)):
            if iteration <= start + period or position == len(self.periods) - 1:
                t = min(iteration - start, period)
                cosine = 1 + math.cos(math.pi * t / period)
                return self.eta_min + weight / 2 * (base - self.eta_min) * cosine
            start += period
        raise AssertionError("periods are not empty")


@SCHEDULES.register(aliases=["TrueCosineAnnealingLR"])
class CosineAnnealingLR(Schedule):
    """One cosine from the base rate to ``eta_min``.

    ``eta_min + (base - eta_min) / 2 (1 + cos(pi min(t, T_max) / T_max))``.

    Args:
        T_max: iterations of the decay.
        eta_min: last rate.
    """

    def __init__(self, *, T_max: int, eta_min: float = 0) -> None:  # noqa: N803 - torch's name
        if T_max < 1:
            raise ValueError(f"T_max must be positive, found {T_max}")
        self._cosine = CosineAnnealingRestartLR(periods=[T_max], eta_min=eta_min)

    def rate(self, base: float, iteration: int) -> float:
        """The annealed rate."""
        return self._cosine.rate(base, iteration)


def warmed_up(rate: float, base: float, iteration: int, warmup: int) -> float:
    """BasicSR's linear warm-up: ``base * step / warmup`` while the step number is below it."""
    step = iteration + 1
    return base * step / warmup if step < warmup else rate
