"""Per-task tables as text and CSV."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]
"""One (data set, task): ``iter, dataset, task, network, images`` and the metrics."""

KEYS = ("iter", "dataset", "task", "network", "images")
"""Columns of a row that are not metrics."""


def metric_names(rows: Sequence[Row]) -> list[str]:
    """The metrics of a table in order of appearance."""
    return list(dict.fromkeys(name for row in rows for name in row if name not in KEYS))


def summarise(rows: Sequence[Row], better: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Mean, worst and spread (population standard deviation) over tasks, for each metric.

    Args:
        rows: the tasks of one data set.
        better: metric to "higher" or "lower".
    """
    summary: dict[str, dict[str, float]] = {"mean": {}, "worst": {}, "spread": {}}
    for name in metric_names(rows):
        values = [float(row[name]) for row in rows]
        summary["mean"][name] = math.fsum(values) / len(values)
        summary["worst"][name] = (min if better.get(name) != "lower" else max)(values)
        finite = all(math.isfinite(v) for v in values)
        summary["spread"][name] = statistics.pstdev(values) if finite else math.nan
    return summary


def format_table(
    rows: Sequence[Row], better: Mapping[str, str], baseline: Sequence[Row] = ()
) -> str:
    """Tasks x metrics with mean, worst and spread; the difference to a baseline in brackets.

    Args:
        rows: the tasks of one data set.
        better: metric to "higher" or "lower".
        baseline: rows of the same tasks under another network.
    """
    names = metric_names(rows)
    reference = {row["task"]: row for row in baseline}
    lines = [["task", "images", *names]]
    for row in rows:
        other = reference.get(row["task"], {})
        lines.append(
            [row["task"], str(row["images"]), *(_cell(row[n], other.get(n)) for n in names)]
        )
    base = summarise(baseline, better) if baseline else {}
    for label, values in summarise(rows, better).items():
        compare = base.get(label, {}) if label == "mean" else {}
        lines.append([label, "", *(_cell(values[n], compare.get(n)) for n in names)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    rule = "-" * len(text[0])
    return "\n".join([text[0], rule, *text[1:-3], rule, *text[-3:]])


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write rows with the columns of metrics.jsonl."""
    columns = [*KEYS, *metric_names(rows)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _cell(value: float, reference: float | None) -> str:
    text = f"{value:.4f}"
    return text if reference is None else f"{text} ({value - reference:+.4f})"
