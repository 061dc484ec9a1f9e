"""Paired bootstrap over images and seeds: how far a difference can be trusted.

The unit is the image: a replicate draws images with replacement and takes each of them in all its
tasks and for all methods. Where images belong to different tasks (given pairs), those of each
pattern of tasks are drawn among themselves. Seeds are a second level, drawn by themselves: the same
images are scored in every run, so the levels are crossed.

Plain percentiles are too narrow for few images or seeds. Two corrections, which vanish as numbers
grow: deviations are stretched by ``sqrt(n / (n - 1))``, so that variances are unbiased, and
percentiles by Student's quantile over the normal one. Where images and seeds both vary, the squares
of ``t s`` of both levels add up: two seeds that agree widen an interval little, two that differ
widen it a lot. ``docs/reports.md`` has the measured coverage.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm
from scipy.stats import t as student

from realsr_mtl.reporting.score_table import ScoreTable, Values

LEVEL = 0.95
"""Of every interval."""

Statistic = Callable[[Values], Any]
"""Task means ``[..., T]`` to one number for each leading index."""

_CHUNK = 4_000_000
"""Weights that are held at a time."""


@dataclass(frozen=True)
class Interval:
    """A gain with its 95 % confidence interval; positive is better.

    Attributes:
        estimate: on all images and seeds.
        low, high: the interval; NaN where a single image gives none.
        least: one-sided lower bound.
        p: two-sided, of no difference.
        seeds: the gain of each seed, where those of method and baseline are equal.
    """

    estimate: float
    low: float
    high: float
    least: float
    p: float
    seeds: tuple[float, ...] = ()


class Bootstrap:
    """Replicates, the same for every method.

    Args:
        present: bool ``[N, T]``, which images have a part in which tasks.
        count: number of replicates.
        seed: of the draws.
    """

    def __init__(self, present: npt.NDArray[np.bool_], count: int = 10_000, seed: int = 0) -> None:
        self.count, self._seed, self._present = count, seed, present
        patterns = np.unique(present, axis=0, return_inverse=True)[1].reshape(-1)
        self._strata = [np.flatnonzero(patterns == p) for p in range(patterns.max() + 1)]

    def freedom(self, task: int | None = None) -> int:
        """Degrees of freedom of the images, of all or of a task: one less for each stratum."""
        own = [s for s in self._strata if task is None or self._present[s[0], task]]
        return sum(len(stratum) - 1 for stratum in own)

    def task_means(self, values: Values) -> Values:
        """Means over resampled images, ``[B, S, T]``, of scores ``[S, N, T]``."""
        seeds, images, tasks = values.shape
        flat = np.nan_to_num(values).transpose(1, 0, 2).reshape(images, seeds * tasks)
        totals = np.tile(self._present.sum(0), seeds)
        parts = [weights @ flat / totals for weights in self._image_weights()]
        return np.concatenate(parts).reshape(self.count, seeds, tasks)

    def seed_weights(self, size: int, stream: int) -> Values:
        """Weights ``[B, S]`` of resampled seeds, with the sum 1; equal streams are equal draws."""
        drawn = self._draws(1 + stream).multinomial(size, np.full(size, 1 / size), self.count)
        return 1 / size + (drawn - 1) / size * _stretch(size)

    def _image_weights(self) -> Iterator[Values]:
        draws = self._draws(0)
        images = len(self._present)
        step = max(1, _CHUNK // images)
        for start in range(0, self.count, step):
            rows = min(step, self.count - start)
            weights = np.empty((rows, images))
            for stratum in self._strata:
                size = len(stratum)
                drawn = draws.multinomial(size, np.full(size, 1 / size), rows)
                weights[:, stratum] = 1 + (drawn - 1) * _stretch(size)
            yield weights

    def _draws(self, stream: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=[self._seed, stream]))


class Replicates:
    """Task means of a method: those found, and those of the replicates.

    Args:
        table: the scores.
        bootstrap: the draws.
        stream: of the seeds; methods whose seeds are paired share it.

    Attributes:
        exact: ``[S, T]``.
        images: ``[B, T]``, other images.
        both: ``[B, T]``, other images and other seeds.
    """

    def __init__(self, table: ScoreTable, bootstrap: Bootstrap, stream: int) -> None:
        self.exact = table.task_means
        means = bootstrap.task_means(table.values)
        self.images = means.mean(1)
        weights = bootstrap.seed_weights(len(table.seeds), stream)
        self.both = np.einsum("bs,bst->bt", weights, means)


def gain_interval(
    own: Replicates,
    base: Replicates,
    statistic: Statistic,
    *,
    sign: int,
    paired: bool,
    freedom: int,
) -> Interval:
    """How much better a method is than the baseline.

    Args:
        own: the method.
        base: the baseline, on the same images.
        statistic: what is compared.
        sign: 1 if higher scores are better, -1 if lower ones are.
        paired: whether the seeds of both are the same, in the same order.
        freedom: degrees of freedom of the images.
    """

    def gain(one: Values, other: Values) -> Values:
        return np.asarray(sign * (statistic(one) - statistic(other)))

    estimate = float(gain(own.exact.mean(0), base.exact.mean(0)))
    seeds = gain(own.exact, base.exact) if paired else np.empty(0)
    per_seed = tuple(seeds.tolist())
    if freedom < 1:
        return Interval(estimate, np.nan, np.nan, np.nan, 1.0, per_seed)
    replicates = gain(own.both, base.both)
    error = float(replicates.std())
    if error == 0:
        p = 1.0 if estimate == 0 else 0.0
        return Interval(estimate, estimate, estimate, estimate, p, per_seed)
    sides = [seeds] if paired else [statistic(own.exact), statistic(base.exact)]
    levels = [(float(gain(own.images, base.images).var()), freedom)]
    levels += [(float(np.var(v, ddof=1)) / len(v), len(v) - 1) for v in sides if len(v) > 1]

    def end(tail: float) -> float:
        place = tail if tail > 0 else 1 + tail
        wider = _quantile(abs(tail), levels) / float(norm.isf(abs(tail)))
        return estimate + wider * (float(np.quantile(replicates, place)) - estimate)

    tail = (1 - LEVEL) / 2
    p = _p_value(abs(estimate) / error, levels)
    return Interval(estimate, end(tail), end(-tail), end(2 * tail), p, per_seed)


def holm(p: list[float]) -> list[float]:
    """Holm's adjusted p-values: the chance of any false finding among all stays below the level."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    adjusted, worst = [1.0] * len(p), 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = worst
    return adjusted


def _stretch(size: int) -> float:
    return float(np.sqrt(size / (size - 1))) if size > 1 else 1.0


def _quantile(tail: float, levels: Sequence[tuple[float, int]]) -> float:
    """How many standard errors an interval reaches, with variances on few degrees of freedom."""
    total = sum(variance for variance, _ in levels)
    squares = (v / total * float(student.isf(tail, d)) ** 2 for v, d in levels)
    return math.sqrt(sum(squares))


def _p_value(ratio: float, levels: Sequence[tuple[float, int]]) -> float:
    """Two-sided, of an estimate of so many standard errors."""
    low, high = math.log(1e-12), math.log(0.5)
    for _ in range(50):
        middle = (low + high) / 2
        if _quantile(math.exp(middle), levels) > ratio:
            low = middle
        else:
            high = middle
    return 2 * math.exp(high)
