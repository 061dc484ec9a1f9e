"""Which tasks pull against each other: mean cosines between their gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from realsr_mtl.reporting.heat_map import HeatMap, cell
from realsr_mtl.reporting.tracker import COSINES


def conflict_matrix(records: Sequence[Mapping[str, Any]]) -> HeatMap | None:
    """Mean over the log lines of the cosine of each pair; None where none were logged.

    Args:
        records: lines of strategy.jsonl.
    """
    sums: dict[tuple[str, str], list[float]] = {}
    for record in records:
        for column, values in record.items():
            if column.startswith(COSINES):
                for other, cosine in values.items():
                    if cosine is not None:
                        sums.setdefault((column[len(COSINES) :], other), []).append(cosine)
    if not sums:
        return None
    tasks = list(dict.fromkeys(task for task, _ in sums))
    rows = []
    for task in tasks:
        line = []
        for other in tasks:
            found = sums.get((task, other))
            mean = math.fsum(found) / len(found) if found else math.nan
            text = "" if math.isnan(mean) else f"{mean:+.2f}" if other != task else "1"
            line.append(cell(text, (mean + 1) / 2, "RdBu"))
        rows.append((task, line))
    return HeatMap("task", tasks, rows)


def most_opposed(records: Sequence[Mapping[str, Any]]) -> tuple[str, str, float] | None:
    """The two tasks with the smallest mean cosine."""
    matrix = conflict_matrix(records)
    if matrix is None:
        return None
    pairs = [
        (float(entry.text), name, other)
        for name, line in matrix.rows
        for other, entry in zip(matrix.columns, line, strict=True)
        if entry.text and name != other
    ]
    if not pairs:
        return None
    cosine, one, other = min(pairs)
    return one, other, cosine
