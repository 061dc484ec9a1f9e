"""Limits on how far and how fast weights may move away from the natural shares.

Part of the CDR-style conversion, a reconstruction: the CDR paper's own rule is not public.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from realsr_mtl.strategies.part import StrategyPart
from realsr_mtl.strategies.setting import Setting
from realsr_mtl.tasks import by_name, from_names


def limited_change(weights: Tensor, before: Tensor, masses: Tensor, factor: float) -> Tensor:
    """Weights that change by at most a factor, scaled to ``sum_t masses_t w_t = 1`` afterwards.

    Args:
        weights: ``[T]``, the wanted ones.
        before: ``[T]``, the previous ones.
        masses: ``[T]``, sum 1.
        factor: at least 1.
    """
    limited = torch.minimum(torch.maximum(weights, before / factor), before * factor)
    return limited / (masses * limited).sum()


def bounded_shares(shares: Tensor, masses: Tensor, lower: float, upper: float) -> Tensor:
    """The shares with ``lower * masses <= q <= upper * masses`` and sum 1, by water-filling.

    The free tasks keep their proportions on the mass that the fixed ones leave. While some of them
    violate a bound, the side with the larger total violation is fixed at its bound.

    Args:
        shares: ``[T]``, positive.
        masses: ``[T]``, sum 1.
        lower: in [0, 1].
        upper: at least 1.
    """
    low, high = lower * masses, upper * masses
    result = shares.clone()
    free = torch.ones_like(shares, dtype=torch.bool)
    while bool(free.any()):
        left = 1 - result[~free].sum()
        result = torch.where(free, shares * (left / shares[free].sum()), result)
        below = torch.where(free, low - result, 0.0).clamp(min=0)
        above = torch.where(free, result - high, 0.0).clamp(min=0)
        if max(float(below.sum()), float(above.sum())) < 1e-12:
            break
        side, bound = (below, low) if below.sum() > above.sum() else (above, high)
        result = torch.where(side > 0, bound, result)
        free &= side == 0
    return result / result.sum()


class LimitedWeights(StrategyPart):
    """Weights ``omega [T]`` that move slowly, within bounds, from interval to interval.

    Args:
        every: iterations of an interval; 500 is much longer than a batch and much shorter than a
            training.
        warmup: iterations before the first interval; 0 when fine-tuning a trained network.
        lower: least weight, in [0, 1]: no task is starved.
        upper: largest weight, at least 1.
        step: largest factor by which a weight changes from interval to interval, at least 1,
            before the weights are scaled to the natural mean 1 again; prevents oscillation.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        every: int = 500,
        warmup: int = 5000,
        lower: float = 0.5,
        upper: float = 3.0,
        step: float = 1.25,
        **others: Any,
    ) -> None:
        super().__init__(setting, **others)
        if every < 1 or warmup < 0:
            raise ValueError(f"every must be positive and warmup not negative: {every}, {warmup}")
        if not 0 <= lower <= 1 <= upper:
            raise ValueError(f"lower lies in [0, 1], upper at 1 or above: {lower}, {upper}")
        if not step >= 1:
            raise ValueError(f"step must be at least 1, found {step}")
        self.every, self.warmup = every, warmup
        self._lower, self._upper, self._step = lower, upper, step
        self._weights = torch.ones(len(setting), dtype=torch.float64)

    @property
    def weight_prior(self) -> Tensor:
        """The shares ``[T]`` that weights of 1 stand for; sum 1."""
        return self.setting.masses

    def due(self, iteration: int) -> bool:
        """At the end of the warm-up and every ``every`` iterations after it."""
        return iteration >= self.warmup and (iteration - self.warmup) % self.every == 0

    def limited_shares(self, weights: Tensor) -> Tensor:
        """Shares ``q_t`` near ``prior_t omega_t`` within the limits; remembers the weights."""
        prior = self.weight_prior
        weights = weights / (prior * weights).sum()
        self._weights = limited_change(weights, self._weights, prior, self._step)
        return bounded_shares(prior * self._weights, prior, self._lower, self._upper)

    def state_dict(self) -> dict[str, Any]:
        """The weights by task."""
        return {**super().state_dict(), "limited": by_name(self.setting.names, self._weights)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest, names = dict(state), self.setting.names
        start = torch.ones_like(self._weights)
        self._weights = from_names(names, rest.pop("limited"), start, "task weights")
        super().load_state_dict(rest)
