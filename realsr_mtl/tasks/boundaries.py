"""Boundaries through one operator of a degradation space, and the levels between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from realsr_mtl.degradations import Interval

Column = npt.NDArray[np.float64]
"""One number per record ``[N]``; NaN where the record has no such parameter."""

_GRID = 33
"""Thresholds that are tried per parameter, at even quantiles."""


@dataclass(frozen=True)
class Scale:
    """One parameter, divided into levels by thresholds; level 0 is the mild end.

    Attributes:
        parameter: its name.
        thresholds: in the order from mild to severe.
        rising: larger values are more severe.
        absent: the level of records without the parameter; None where another scale of the
            operator holds them.
    """

    parameter: str
    thresholds: tuple[float, ...]
    rising: bool
    absent: int | None = None

    def levels(self, values: Column) -> npt.NDArray[np.int64]:
        """Level ``[N]`` of every record; 0 for records that this scale says nothing about."""
        # the mild side of a threshold is closed
        beyond = [values > t if self.rising else values < t for t in self.thresholds]
        level = np.stack(beyond).astype(np.int64).sum(0)
        if self.absent is not None:
            level[np.isnan(values)] = self.absent
        return level

    def interval(self, first: int, last: int) -> Interval | None:
        """The values of the levels first to last, both included; None if those are all."""
        inner = first > 0, last < len(self.thresholds)
        if not any(inner):
            return None
        bounds: dict[str, float | bool] = {}
        if inner[0]:
            bounds["above" if self.rising else "below"] = self.thresholds[first - 1]
        if inner[1]:
            bounds["max" if self.rising else "min"] = self.thresholds[last]
        if self.absent is not None:
            bounds["absent"] = first <= self.absent <= last
        return Interval(**bounds)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Boundary:
    """Scales that divide an operator together, each record by the one whose parameter it has."""

    operator: str
    scales: tuple[Scale, ...]

    @property
    def count(self) -> int:
        """Number of levels."""
        return len(self.scales[0].thresholds) + 1

    def levels(self, table: Mapping[str, Column]) -> npt.NDArray[np.int64]:
        """Level ``[N]`` of every record."""
        return np.max([s.levels(table[s.parameter]) for s in self.scales], axis=0)

    def region(self, first: int, last: int) -> dict[str, Interval]:
        """The region of the levels first to last, both included."""
        found = {s.parameter: s.interval(first, last) for s in self.scales}
        return {name: interval for name, interval in found.items() if interval is not None}


def explained(groups: npt.NDArray[np.int64], score: Column) -> float:
    """The share of the variance of scores ``[N]`` that lies between groups (eta squared)."""
    total = float(score.var())
    if total == 0:
        return 0.0
    counts = np.bincount(groups)
    sums = np.bincount(groups, weights=score)
    means = sums[counts > 0] / counts[counts > 0]
    spread = counts[counts > 0] * (means - score.mean()) ** 2
    return float(spread.sum()) / len(score) / total


def best_boundary(
    operator: str,
    parameters: Sequence[str],
    table: Mapping[str, Column],
    score: Column,
    *,
    least: float = 0.1,
    second: float = 0.02,
) -> Boundary | None:
    """The boundary with the largest variance of the score between its sides.

    One parameter is cut, or several of which every record has exactly one (the strengths of two
    types of noise). Each side holds at least a share ``least`` of the records. A second threshold
    is added if it explains ``second`` more.

    Args:
        operator: name of the operator.
        parameters: its ordered parameters (no codes).
        table: parameter to values.
        score: KPI of every record; higher is better.
        least: share, below 0.5.
        second: share of the variance.

    Returns:
        None if no parameter can be cut.
    """
    candidates = [
        found
        for names in _alternatives(parameters, table)
        if (found := _search(operator, names, table, score, least, None)) is not None
    ]
    if not candidates:
        return None
    best = max(candidates, key=lambda b: explained(b.levels(table), score))
    names = [s.parameter for s in best.scales]
    finer = _search(operator, names, table, score, least, best)
    if finer is not None:
        gain = explained(finer.levels(table), score) - explained(best.levels(table), score)
        if gain >= second:
            return finer
    return best


def _alternatives(parameters: Sequence[str], table: Mapping[str, Column]) -> list[list[str]]:
    """Single parameters, and pairs of which every record has exactly one."""
    present = {name: ~np.isnan(table[name]) for name in parameters}
    usable = [name for name in parameters if np.unique(table[name][present[name]]).size > 1]
    pairs = [[a, b] for a, b in combinations(usable, 2) if bool(np.all(present[a] ^ present[b]))]
    return [[name] for name in usable] + pairs


def _search(
    operator: str,
    names: Sequence[str],
    table: Mapping[str, Column],
    score: Column,
    least: float,
    coarse: Boundary | None,
) -> Boundary | None:
    """The best thresholds for the parameters; with a boundary given, one more for each of them."""
    scales: list[Scale] = []
    for position, name in enumerate(names):
        known = coarse.scales[position] if coarse else None
        scale = _best_scale(name, table[name], score, len(names) > 1, least, known)
        if scale is None:
            return None
        scales.append(scale)
    boundary = Boundary(operator, tuple(scales))
    counts = np.bincount(boundary.levels(table), minlength=boundary.count)
    return boundary if counts.min() >= least * len(score) else None


def _best_scale(
    name: str, values: Column, score: Column, shared: bool, least: float, known: Scale | None
) -> Scale | None:
    """The best (further) threshold of one parameter among the records that have it."""
    own = ~np.isnan(values)
    x, y = values[own], score[own]
    best: tuple[float, Scale] | None = None
    for threshold in np.unique([_rounded(q) for q in np.quantile(x, np.linspace(0, 1, _GRID))]):
        if known is not None and threshold in known.thresholds:
            continue
        thresholds = sorted({float(threshold), *(known.thresholds if known else ())})
        sides = np.digitize(x, thresholds, right=True)
        counts = np.bincount(sides, minlength=len(thresholds) + 1)
        if counts.min() < least * len(x):
            continue
        rising = _falls(sides, y) if known is None else known.rising
        ordered = tuple(thresholds if rising else thresholds[::-1])
        scale = Scale(name, ordered, rising)
        share = explained(scale.levels(x), y)
        if best is None or share > best[0]:
            best = share, scale
    if best is None or shared or bool(own.all()):
        return best[1] if best else None
    scale = best[1]
    levels, without = scale.levels(x), score[~own].mean()
    means = [abs(y[levels == k].mean() - without) for k in range(len(scale.thresholds) + 1)]
    return Scale(name, scale.thresholds, scale.rising, int(np.argmin(means)))


def _falls(sides: npt.NDArray[np.int64], score: Column) -> bool:
    """Whether the score is lower on the upper side."""
    return bool(score[sides > 0].mean() < score[sides == 0].mean())


def _rounded(value: float) -> float:
    """Two significant digits: boundaries are meant to be read."""
    return float(f"{value:.2g}")
