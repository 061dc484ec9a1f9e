"""Task definition from measurements: which operators decide about quality, and where to cut them.

A reconstruction in the spirit of CDR, whose "task-defining capacity" is not defined publicly: here
the capacity of an operator is the share of the variation of a network's quality over the
degradation space that its parameters explain.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realsr_mtl.degradations import Region, Space
from realsr_mtl.errors import UnavailableError
from realsr_mtl.tasks.boundaries import Boundary, Column, best_boundary, explained

_FOLDS = 5


@dataclass(frozen=True)
class Capacity:
    """How much of the variation of the KPI one operator explains.

    Attributes:
        operator: its name.
        first_order: cross-validated R^2 of a forest on the operator's parameters alone; an
            estimate of ``Var(E[KPI | parameters]) / Var(KPI)``.
        drop_one: R^2 on all parameters minus R^2 on all but the operator's.
    """

    operator: str
    first_order: float
    drop_one: float


@dataclass(frozen=True)
class Cell:
    """A task: levels first to last of every boundary."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Definition:
    """Tasks and how well they tell degradations apart.

    Attributes:
        boundaries: one for each operator that defines tasks.
        cells: the tasks.
        explained: share of the variance of the KPI between the tasks (eta squared).
        least_loss: what merging two neighbours would take off `explained` at least.
    """

    boundaries: tuple[Boundary, ...]
    cells: tuple[Cell, ...]
    explained: float
    least_loss: float

    def regions(self) -> dict[str, Region]:
        """Task name to region."""
        found = {}
        for cell in self.cells:
            pairs = zip(self.boundaries, cell.ranges, strict=True)
            words = [_word(boundary, *levels) for boundary, levels in pairs]
            found["+".join(w for w in words if w) or "mild"] = _region(self.boundaries, cell)
        return found


def capacities(
    space: Space, table: Mapping[str, Column], score: Column, seed: int = 0
) -> list[Capacity]:
    """Capacity of every operator, largest first.

    Args:
        space: the degradation space.
        table: parameter to values ``[N]``; at least 3,000 records make the estimates stable.
        score: KPI of every record.
        seed: of forests and folds.

    Raises:
        UnavailableError: scikit-learn is not installed.
    """
    operators = {
        name: [p for p in parameters if _varies(table[p])]
        for name, parameters in space.operators().items()
    }
    everything = [p for parameters in operators.values() for p in parameters]
    whole = forest_r2(table, everything, score, seed)
    found = [
        Capacity(
            name,
            forest_r2(table, parameters, score, seed),
            whole - forest_r2(table, [p for p in everything if p not in parameters], score, seed),
        )
        for name, parameters in operators.items()
        if parameters
    ]
    return sorted(found, key=lambda c: max(c.first_order, c.drop_one), reverse=True)


def forest_r2(
    table: Mapping[str, Column], parameters: Sequence[str], score: Column, seed: int = 0
) -> float:
    """Cross-validated R^2 of a regression forest, not below 0."""
    try:
        from sklearn.ensemble import RandomForestRegressor
        from sklearn.model_selection import KFold, cross_val_predict
    except ImportError:
        raise UnavailableError(
            "measuring capacities needs scikit-learn; pip install 'realsr-mtl[analysis]'"
        ) from None
    if not parameters:
        return 0.0
    columns = [_filled(table[name]) for name in parameters]
    forest = RandomForestRegressor(
        n_estimators=100, min_samples_leaf=5, max_features=0.5, random_state=seed
    )
    folds = KFold(_FOLDS, shuffle=True, random_state=seed)
    predicted = cross_val_predict(forest, np.stack(columns, 1), score, cv=folds)
    return max(0.0, 1 - float(((predicted - score) ** 2).mean()) / float(score.var()))


def define(
    space: Space,
    table: Mapping[str, Column],
    score: Column,
    operators: Sequence[str],
    *,
    most: int = 16,
    rarest: float = 0.01,
    merge_below: float = 0.005,
) -> Definition:
    """Tasks between the best boundaries of the given operators, merged where that loses little.

    Two neighbouring tasks become one while there are more than ``most``, while one of them is
    rarer than ``rarest``, or where it loses less than ``merge_below`` of the explained variance.

    Args:
        space: the degradation space.
        table: parameter to values ``[N]``.
        score: KPI of every record.
        operators: names of the operators that define tasks.
        most: largest number of tasks.
        rarest: least natural mass of a task.
        merge_below: share of the variance.

    Raises:
        ValueError: none of the operators can be cut.
    """
    owned = space.operators()
    boundaries = []
    for operator in operators:
        ordered = [p for p in owned[operator] if space.parameters[p].unit not in ("code", "number")]
        boundary = best_boundary(operator, ordered, table, score)
        if boundary is not None:
            boundaries.append(boundary)
    if not boundaries:
        raise ValueError(f"none of {', '.join(operators) or 'no operators'} can be cut")
    levels = np.stack([b.levels(table) for b in boundaries])
    points = itertools.product(*(range(boundary.count) for boundary in boundaries))
    cells = [Cell(tuple((level, level) for level in point)) for point in points]
    loss = 0.0
    while len(cells) > 1:
        current = _explained(cells, levels, score)
        pairs = [
            (current - _explained(merged, levels, score), a, b, merged)
            for a, b in itertools.combinations(cells, 2)
            if (merged := _merged(cells, a, b)) is not None
        ]
        masses = {cell: space.mass(_region(boundaries, cell)) for cell in cells}
        rare = [p for p in pairs if min(masses[p[1]], masses[p[2]]) < rarest]
        loss, _, _, merged = min(rare or pairs, key=lambda p: p[0])
        if not rare and len(cells) <= most and loss >= merge_below:
            break
        cells = merged
    return Definition(tuple(boundaries), tuple(cells), _explained(cells, levels, score), loss)


def _merged(cells: Sequence[Cell], a: Cell, b: Cell) -> list[Cell] | None:
    """The cells with a and b as one; None unless together they are a box."""
    different = [i for i, (x, y) in enumerate(zip(a.ranges, b.ranges, strict=True)) if x != y]
    if len(different) != 1:
        return None
    (at,) = different
    low, high = sorted((a.ranges[at], b.ranges[at]))
    if low[1] + 1 != high[0]:
        return None
    ranges = list(a.ranges)
    ranges[at] = (low[0], high[1])
    return [Cell(tuple(ranges)) if cell == a else cell for cell in cells if cell != b]


def _explained(cells: Sequence[Cell], levels: npt.NDArray[np.int64], score: Column) -> float:
    groups = np.full(len(score), -1, dtype=np.int64)
    for number, cell in enumerate(cells):
        inside = np.ones(len(score), dtype=bool)
        for level, (first, last) in zip(levels, cell.ranges, strict=True):
            inside &= (level >= first) & (level <= last)
        groups[inside] = number
    return explained(groups, score)


def _region(boundaries: Sequence[Boundary], cell: Cell) -> Region:
    pairs = zip(boundaries, cell.ranges, strict=True)
    return {k: v for boundary, levels in pairs for k, v in boundary.region(*levels).items()}


def _word(boundary: Boundary, first: int, last: int) -> str:
    """What a task's name says about an operator: nothing at the mild end or at all levels."""
    if last == boundary.count - 1 or first == last:
        level = first
    else:
        return f"{boundary.operator}.{first}-{last}"
    return "" if level == 0 else boundary.operator if level == 1 else f"{boundary.operator}.{level}"


def _varies(values: Column) -> bool:
    return len(np.unique(values[~np.isnan(values)])) > 1 or bool(
        np.isnan(values).any() and not np.isnan(values).all()
    )


def _filled(values: Column) -> Column:
    """Missing parameters as a value below all others; a tree can split it off."""
    present = values[~np.isnan(values)]
    return np.where(np.isnan(values), present.min() - 1, values)
