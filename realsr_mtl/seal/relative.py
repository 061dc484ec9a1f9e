"""SEAL's relative performance: scores of cases between an acceptance and an excellence line.

Zhang et al., "SEAL: A Framework for Systematic Evaluation of Real-World Super-Resolution",
ICLR 2024. With the score ``Q_i`` of case i, its lines ``a_i`` and ``e_i``, larger being better:

    d_i = e_i - a_i                     gap; a case counts where d_i >= tau
    R_i = 1 / (1 + exp(-(Q_i - a_i) / d_i))
    AR = share of Q_i >= a_i            acceptance rate
    RPR_I = q75(R) - q25(R)             spread, smaller is better
    RPR_A, RPR_U = mean of R_i over the accepted and over the other cases

``R`` is 1/2 on the acceptance line and 0.7311 on the excellence line. The formulas are those that
give the published table from the published scores of single cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ROUNDING = 1e-6
"""By so much a gap may fall below tau: 0.59 - 0.58 is less than 0.01 in float64."""


@dataclass(frozen=True)
class Relative:
    """Relative performance on the cases that count; arrays are of those, ``[V]``.

    Attributes:
        valid: ``[K]``, which cases count; it depends on the lines only.
        ratio: ``R``, in (0, 1).
        accepted: score at or above the acceptance line.
        excellent: score at or above the excellence line.
    """

    valid: Mask
    ratio: Column
    accepted: Mask
    excellent: Mask

    @property
    def quartiles(self) -> tuple[float, float]:
        """Lower and upper quartile of ``R`` by linear interpolation."""
        if not len(self.ratio):
            return float("nan"), float("nan")
        low, high = np.quantile(self.ratio, (0.25, 0.75))
        return float(low), float(high)

    def measures(self) -> dict[str, float]:
        """Every measure by the name it has in reports; NaN where it does not exist.

        The published tables have 0 for an RPR_A without accepted cases.
        """
        if not len(self.ratio):
            return dict.fromkeys((*MEASURES, "RPR"), float("nan"))
        found = {name: float(own(self.ratio, self.accepted)) for name, own in MEASURES.items()}
        return {**found, "RPR": float(self.ratio.mean())}

    def part(self, chosen: Mask) -> Relative:
        """The given ones of the cases that count, ``[V]``."""
        valid = self.valid.copy()
        valid[valid] = chosen
        return Relative(valid, self.ratio[chosen], self.accepted[chosen], self.excellent[chosen])


def _rate(ratio: Column, accepted: Mask) -> Column:
    return np.asarray(accepted.mean(-1))


def _spread(ratio: Column, accepted: Mask) -> Column:
    low, high = np.quantile(ratio, (0.25, 0.75), axis=-1)
    return np.asarray(high - low)


def _where_accepted(ratio: Column, accepted: Mask) -> Column:
    count = accepted.sum(-1)
    total = np.where(accepted, ratio, 0).sum(-1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _elsewhere(ratio: Column, accepted: Mask) -> Column:
    return _where_accepted(ratio, ~accepted)


Measure = Callable[[Column, Mask], Column]
"""Ratios and acceptance of cases ``[..., V]`` to numbers ``[...]``."""

MEASURES: Mapping[str, Measure] = {
    "AR": _rate,
    "RPR_I": _spread,
    "RPR_A": _where_accepted,
    "RPR_U": _elsewhere,
}
"""In the order of the protocol; of RPR_I the smaller one is the better."""


def gaps(acceptance: Column, excellence: Column, better: str) -> Column:
    """``d [K]``, positive where the excellence line is the better one."""
    return _sign(better) * (excellence - acceptance)


def relative(
    scores: Column, acceptance: Column, excellence: Column, tau: float, better: str = "higher"
) -> Relative:
    """Relative performance of a network.

    Args:
        scores: ``Q [K]``.
        acceptance: ``a [K]``.
        excellence: ``e [K]``.
        tau: least gap, positive, in the unit of the scores.
        better: "higher" or "lower"; all signs are turned for "lower".
    """
    if tau <= 0:
        raise ValueError(f"tau must be positive, found {tau}")
    sign, gap = _sign(better), gaps(acceptance, excellence, better)
    valid = gap >= tau - ROUNDING
    own, low, high = (sign * values[valid] for values in (scores, acceptance, excellence))
    place = (own - low) / gap[valid]
    return Relative(valid, np.exp(-np.logaddexp(0, -place)), own >= low, own >= high)


def _sign(better: str) -> int:
    return -1 if better == "lower" else 1
