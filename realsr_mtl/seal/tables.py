"""Tables of single cases that others computed, as CSV files."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realsr_mtl.errors import UserError
from realsr_mtl.reporting.tables import KEYS
from realsr_mtl.seal.relative import Column

LOWER = {"lpips", "niqe"}
"""Names of metrics of which smaller values are better."""


@dataclass(frozen=True)
class Table:
    """Numbers by case and column.

    Attributes:
        file: where they come from.
        names: the cases, ``[K]``.
        columns: heading to values ``[K]``.
        decimals: heading to the most digits behind the point; trailing zeros are often left out.
    """

    file: Path
    names: list[str]
    columns: Mapping[str, Column]
    decimals: Mapping[str, int]


def read_table(file: str | Path) -> Table:
    """Read a CSV file with a case in each row.

    The case is in the column ``task``, as in metrics.csv of test.py (of which the rows of bicubic
    up-scaling are left out), or else in the first one. A byte order mark is accepted.

    Raises:
        UserError: no such file, no cases, a cell that is no number, or a case twice.
    """
    path = Path(file)
    try:
        with path.open(newline="", encoding="utf-8-sig") as text:
            heading, *rows = [row for row in csv.reader(text) if any(row)] or [[]]
    except FileNotFoundError:
        raise UserError(f"table '{path}' does not exist (seen from {Path.cwd()})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"table '{path}' is no CSV file: {error}") from None
    if "network" in heading:
        rows = [row for row in rows if row[heading.index("network")] != "bicubic"]
    if not rows or len(heading) < 2:
        raise UserError(f"table '{path}' has no cases, or no column beside their names")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(heading):
            raise UserError(
                f"table '{path}' has {len(heading)} columns, but line {number} has {len(row)}"
            )
    place = heading.index("task") if "task" in heading else 0
    names = [row[place].strip() for row in rows]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"table '{path}' has two rows of case '{twice}'")
    numbers = [i for i, name in enumerate(heading) if i != place and name not in KEYS]
    cells = {heading[i].strip(): [row[i].strip() for row in rows] for i in numbers}
    columns = {name: _column(path, name, own, names) for name, own in cells.items()}
    return Table(path, names, columns, {name: _decimals(own) for name, own in cells.items()})


def scores_of(table: Table, model: str | None = None) -> dict[str, dict[str, str]]:
    """Which columns hold whose scores: model to metric to heading.

    Headings are ``<model>_<metric>``, or ``<metric>`` in a table of one model, called by its file.

    Args:
        table: the table.
        model: take this one only.

    Raises:
        UserError: there is no such model.
    """
    found: dict[str, dict[str, str]] = {}
    for heading in table.columns:
        name, _, metric = heading.rpartition("_")
        found.setdefault(name or table.file.stem, {})[metric.lower()] = heading
    if model is None:
        return found
    if model not in found:
        raise UserError(f"table '{table.file}' has no model '{model}', but {', '.join(found)}")
    return {model: found[model]}


def better(metric: str) -> str:
    """By the name of a metric whether "lower" or "higher" values are better."""
    return "lower" if metric in LOWER else "higher"


def _column(file: Path, heading: str, cells: Sequence[str], names: Sequence[str]) -> Column:
    values = []
    for name, cell in zip(names, cells, strict=True):
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise UserError(
                f"table '{file}', column '{heading}', case '{name}': '{cell}' is no number"
            )
        values.append(value)
    return np.array(values)


def _decimals(cells: Sequence[str]) -> int:
    return max(len(cell.partition(".")[2]) for cell in cells)
