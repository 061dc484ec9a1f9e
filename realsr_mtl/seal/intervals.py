"""How far measures over a few cases can be trusted."""

from __future__ import annotations

import math

import numpy as np
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.seal.relative import Measure, Relative

_Z = 1.959963984540054
"""97.5 % quantile of the normal distribution."""

DRAWS = 10_000
"""Resamples of a bootstrap: 95 % limits are then good to about 0.003 of a standard deviation."""


def wilson(accepted: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a rate (Wilson, J. Am. Stat. Assoc. 1927); NaN without cases.

    Cases are taken as independent draws; it stays within [0, 1] and is sensible at 0 and 1.
    """
    if not count:
        return math.nan, math.nan
    rate, square = accepted / count, _Z**2 / count
    middle = (rate + square / 2) / (1 + square)
    half = _Z / (1 + square) * math.sqrt(rate * (1 - rate) / count + square / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def paired_bootstrap(
    first: Relative, second: Relative, measure: Measure, seed: int = 0, draws: int = DRAWS
) -> tuple[float, float, float]:
    """Difference of a measure between two networks, with its 95 % percentile interval.

    Cases are drawn with replacement, the same ones for both networks.

    Args:
        first: a network.
        second: another one, on the same cases.
        measure: one of `MEASURES`.
        seed: of the draws.
        draws: number of resamples. One in which the measure does not exist (no accepted case) is
            left out; with fewer than half of them left the interval is NaN.

    Returns:
        ``measure(first) - measure(second)``, lower and upper limit.
    """
    assert bool((first.valid == second.valid).all())
    count = len(first.ratio)
    if not count:
        return math.nan, math.nan, math.nan
    uniform = RandomStreams(seed).uniform("bootstrap", torch.arange(draws), count)
    drawn = (uniform * count).long().numpy()
    difference = float(
        measure(first.ratio, first.accepted) - measure(second.ratio, second.accepted)
    )
    values = measure(first.ratio[drawn], first.accepted[drawn])
    values = values - measure(second.ratio[drawn], second.accepted[drawn])
    values = values[np.isfinite(values)]
    if 2 * len(values) < draws or not math.isfinite(difference):
        return difference, math.nan, math.nan
    low, high = np.quantile(values, (0.025, 0.975))
    return difference, float(low), float(high)
