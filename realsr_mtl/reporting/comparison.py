"""Methods compared with a baseline on the same images, task by task."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from realsr_mtl.reporting.bootstrap import (
    LEVEL,
    Bootstrap,
    Interval,
    Replicates,
    Statistic,
    gain_interval,
    holm,
)
from realsr_mtl.reporting.score_table import ScoreTable, Values

ALPHA = 1 - LEVEL

FEW_IMAGES = 10
"""Fewer images than this and intervals rest on assumptions that so few images cannot test."""


@dataclass(frozen=True)
class Difference:
    """A method against the baseline; gains are positive where it is better.

    Attributes:
        name: of the method.
        paired: whether runs of equal seeds were compared.
        seeds: number of runs of the method.
        tasks: gain on each task.
        mean, weighted, worst: gain of the mean over tasks, of the mean by natural mass (None where
            masses are unknown) and of the worst task.
        adjusted: p-value of each task, adjusted for the number of tasks (Holm).
        mean_adjusted: p-value of the mean, adjusted for the number of methods.
        identical: every score equals the baseline's.
    """

    name: str
    paired: bool
    seeds: int
    tasks: Mapping[str, Interval]
    mean: Interval
    weighted: Interval | None
    worst: Interval
    adjusted: Mapping[str, float]
    mean_adjusted: float
    identical: bool

    def decided(self, task: str) -> int:
        """1 for a task that is improved, -1 for one that is harmed, 0 for undecided."""
        return _decision(self.tasks[task], self.adjusted[task])

    @property
    def mean_decided(self) -> int:
        """The same for the mean over tasks."""
        return _decision(self.mean, self.mean_adjusted)

    def which(self, decision: int) -> list[str]:
        """The tasks with a decision, the largest gain or loss first."""
        own = [task for task in self.tasks if self.decided(task) == decision]
        return sorted(own, key=lambda task: -abs(self.tasks[task].estimate))

    @property
    def least_task(self) -> str:
        """The task with the smallest gain."""
        return min(self.tasks, key=lambda task: self.tasks[task].estimate)

    @property
    def least_bound(self) -> float:
        """What every task gains at least, with 95 % confidence.

        The least of one-sided bounds: it lies above the least gain only if the bound of that very
        task does, so it needs no allowance for the number of tasks.
        """
        return min(interval.least for interval in self.tasks.values())


@dataclass(frozen=True)
class Comparison:
    """One metric of several methods on one data set.

    Attributes:
        metric, dataset: what is compared.
        better: "higher" or "lower".
        tables: the scores; the first is the baseline.
        differences: of the other methods.
        masses: natural mass of each task, or None where unknown.
        iterations: after which the networks were scored; empty for tests.
        replicates: of the bootstrap.
    """

    metric: str
    dataset: str
    better: str
    tables: Sequence[ScoreTable]
    differences: Sequence[Difference]
    masses: Mapping[str, float] | None
    iterations: str
    replicates: int

    @property
    def baseline(self) -> ScoreTable:
        """The first method."""
        return self.tables[0]

    @property
    def unit(self) -> str:
        """DB for PSNR, nothing for others."""
        return " dB" if "psnr" in self.metric.lower() else ""

    @property
    def digits(self) -> int:
        """Decimals that are shown."""
        return 3 if self.unit else 4

    @cached_property
    def summaries(self) -> dict[str, Statistic]:
        """What is formed of the task means: ``mean``, ``mass-weighted`` and ``worst``."""
        return _summaries(self.better, self.baseline.tasks, self.masses)

    def summary(self, table: ScoreTable, kind: str) -> list[float]:
        """A summary in every run of a method."""
        return [float(v) for v in self.summaries[kind](table.task_means)]


def compare(
    tables: Sequence[ScoreTable],
    *,
    metric: str,
    dataset: str,
    better: str,
    masses: Mapping[str, float] | None,
    iterations: str = "",
    replicates: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare methods with the first one.

    Args:
        tables: of the same images and tasks, in the same order.
        metric: what is compared.
        dataset: on which set.
        better: "higher" or "lower".
        masses: natural mass of each task, or None where unknown.
        iterations: after which the networks were scored.
        replicates: of the bootstrap.
        seed: of the bootstrap.
    """
    base = tables[0]
    bootstrap = Bootstrap(base.present, replicates, seed)
    sign = -1 if better == "lower" else 1
    summaries = _summaries(better, base.tasks, masses)
    own_base = Replicates(base, bootstrap, stream=0)
    found: list[Difference] = []
    for number, given in enumerate(tables[1:], 1):
        paired = set(given.seeds) == set(base.seeds)
        table = _in_order(given, base.seeds) if paired else given
        own = Replicates(table, bootstrap, stream=0 if paired else number)
        gain = partial(gain_interval, own, own_base, sign=sign, paired=paired)
        tasks = {
            task: gain(partial(_column, t), freedom=bootstrap.freedom(t))
            for t, task in enumerate(base.tasks)
        }
        whole = {kind: gain(s, freedom=bootstrap.freedom()) for kind, s in summaries.items()}
        found.append(
            Difference(
                table.name,
                paired,
                len(table.seeds),
                tasks,
                whole["mean"],
                whole.get("mass-weighted"),
                whole["worst"],
                dict(zip(tasks, holm([i.p for i in tasks.values()]), strict=True)),
                1.0,
                table.values.shape == base.values.shape
                and bool(np.array_equal(table.values, base.values, equal_nan=True)),
            )
        )
    adjusted = holm([difference.mean.p for difference in found])
    found = [
        Difference(**{**vars(d), "mean_adjusted": p}) for d, p in zip(found, adjusted, strict=True)
    ]
    return Comparison(metric, dataset, better, tables, found, masses, iterations, replicates)


def spread(values: Sequence[float]) -> float | None:
    """Sample standard deviation, or None of a single value."""
    return statistics.stdev(values) if len(values) > 1 else None


def _summaries(
    better: str, tasks: Sequence[str], masses: Mapping[str, float] | None
) -> dict[str, Statistic]:
    found: dict[str, Statistic] = {"mean": _mean}
    if masses is not None:
        weights = np.array([masses[task] for task in tasks])
        found["mass-weighted"] = partial(_weighted, weights / weights.sum())
    found["worst"] = _largest if better == "lower" else _smallest
    return found


def _column(task: int, means: Values) -> Values:
    return np.asarray(means[..., task])


def _mean(means: Values) -> Values:
    return np.asarray(means.mean(-1))


def _weighted(weights: Values, means: Values) -> Values:
    return np.asarray(means @ weights)


def _smallest(means: Values) -> Values:
    return np.asarray(means.min(-1))


def _largest(means: Values) -> Values:
    return np.asarray(means.max(-1))


def _in_order(table: ScoreTable, seeds: Sequence[str]) -> ScoreTable:
    order = [table.seeds.index(seed) for seed in seeds]
    return ScoreTable(table.name, tuple(seeds), table.images, table.tasks, table.values[order])


def _decision(interval: Interval, p: float) -> int:
    if not p < ALPHA:
        return 0
    if interval.low > 0:
        return 1
    return -1 if interval.high < 0 else 0
