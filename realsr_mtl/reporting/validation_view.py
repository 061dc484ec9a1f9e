"""The validations of a run as the report shows them: last table, heat maps, curves."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from realsr_mtl.reporting.curves import LINES, Panel, Series, draw_panel
from realsr_mtl.reporting.figures import validation_columns
from realsr_mtl.reporting.heat_map import HeatMap, cell
from realsr_mtl.reporting.run_facts import baseline_rows, last_rows
from realsr_mtl.reporting.run_files import RunFiles
from realsr_mtl.reporting.tables import Row, metric_names, summarise


@dataclass(frozen=True)
class ValidationView:
    """One validation set.

    Attributes:
        dataset: its name.
        iteration: of the last validation.
        table: tasks and summaries x metrics, the gain over bicubic in brackets.
        sums: how many of its last rows are summaries.
        maps: metric to tasks x iterations.
        panels: curves.
        baseline: whether bicubic up-scaling was scored.
    """

    dataset: str
    iteration: int | None
    table: list[list[str]]
    sums: int
    maps: dict[str, HeatMap]
    panels: list[Panel]
    baseline: bool


def view(run: RunFiles, dataset: str, folder: Path) -> ValidationView:
    """The views of a data set; figures are written into the folder."""
    rows = [r for r in run.validations if r["dataset"] == dataset]
    names = [n for n in metric_names(rows) if any(r.get(n) is not None for r in rows)]
    table, sums = _table(run, dataset, names)
    return ValidationView(
        dataset,
        run.last_iteration(dataset),
        table,
        sums,
        {name: _heat_map(rows, name, run.better.get(name, "higher")) for name in names},
        _panels(run, rows, names, folder),
        bool(baseline_rows(run, dataset)),
    )


def _table(run: RunFiles, dataset: str, names: Sequence[str]) -> tuple[list[list[str]], int]:
    rows, base = last_rows(run, dataset), baseline_rows(run, dataset)
    before = {row["task"]: row for row in base}
    masses = run.masses if all(row["task"] in run.masses for row in rows) else {}
    shown = bool(masses) and len(rows) > 1
    digits = {name: _digits(rows, name) for name in names}
    table = [["task", *names, "images", *(["natural mass"] if shown else [])]]
    for row in rows:
        other = before.get(row["task"], {})
        mass = [f"{masses[row['task']]:.4f}"] if shown else []
        cells = [_text(row.get(name), other.get(name), digits[name]) for name in names]
        table.append([row["task"], *cells, str(row["images"]), *mass])
    if len(rows) < 2:
        return table, 0
    gap = [""] * (2 if shown else 1)
    last = _summaries(rows, names, run, masses)
    first = _summaries(base, names, run, masses) if base else {}
    for kind, values in last.items():
        compared = first.get(kind, {}) if kind != "spread" else {}
        cells = [_text(values.get(n), compared.get(n), digits[n]) for n in names]
        table.append([kind, *cells, *gap])
    return table, len(last)


def _summaries(
    rows: Sequence[Row], names: Sequence[str], run: RunFiles, masses: dict[str, float]
) -> dict[str, dict[str, float]]:
    whole = [n for n in names if all(row.get(n) is not None for row in rows)]
    plain = [{**{k: row[k] for k in whole}} for row in rows]
    found = summarise(plain, run.better)
    if not masses:
        return found
    weights = [masses.get(row["task"], math.nan) for row in rows]
    total = math.fsum(weights)
    weighted = {
        n: math.fsum(w * row[n] for w, row in zip(weights, rows, strict=True)) / total
        for n in whole
    }
    return {
        "mean": found["mean"],
        "mass-weighted mean": weighted,
        "worst": found["worst"],
        "spread": found["spread"],
    }


def _heat_map(rows: Sequence[Row], name: str, better: str) -> HeatMap:
    """Numbers are the metric, colours the gain over bicubic, or over the first validation."""
    columns = validation_columns(rows)
    cells = {(r["network"] == "bicubic", r["iter"], r["task"]): r.get(name) for r in rows}
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    sign = -1 if better == "lower" else 1
    gains = {
        (column, task): sign * (value - start)
        for task in tasks
        if (start := cells.get((*columns[0], task))) is not None
        for column in columns
        if (value := cells.get((*column, task))) is not None
    }
    largest = max((abs(g) for g in gains.values() if math.isfinite(g)), default=0) or 1
    digits, found = _digits(rows, name), []
    for task in tasks:
        line = []
        for column in columns:
            value, gain = cells.get((*column, task)), gains.get((column, task), math.nan)
            line.append(cell(_text(value, None, digits), 0.5 + 0.5 * gain / largest, "RdBu"))
        found.append((task, line))
    heads = ["bicubic" if bicubic else f"{iteration:,}" for bicubic, iteration in columns]
    return HeatMap("task", heads, found)


def _panels(run: RunFiles, rows: Sequence[Row], names: Sequence[str], folder: Path) -> list[Panel]:
    own = [row for row in rows if row["network"] != "bicubic" and row["iter"] is not None]
    tasks = list(dict.fromkeys(row["task"] for row in own))
    found: list[Panel | None] = []
    for name in names:
        series: Series = {task: [] for task in tasks}
        for row in own:
            if row.get(name) is not None:
                series[row["task"]].append((row["iter"], row[name]))
        stem = f"validation_{rows[0]['dataset']}_{name}"
        note = "of every task" if len(tasks) <= LINES else "smallest, median and largest task"
        found.append(draw_panel(name, note, series, folder / f"{stem}.png", tasks))
        if len(tasks) > 1:
            found.append(_spread_panel(name, series, folder / f"{stem}_spread.png"))
    return [panel for panel in found if panel]


def _spread_panel(name: str, series: Series, file: Path) -> Panel | None:
    at: dict[int, list[float]] = {}
    for points in series.values():
        for iteration, value in points:
            at.setdefault(iteration, []).append(value)
    whole = {i: v for i, v in at.items() if all(map(math.isfinite, v))}
    spread = [(i, statistics.pstdev(v)) for i, v in sorted(whole.items())]
    note = "standard deviation over the tasks"
    return draw_panel(f"{name}, spread", note, {"spread": spread}, file)


def _digits(rows: Sequence[Row], name: str) -> int:
    """Decimals: three for values like dB, four for those of the size of 1."""
    values = (abs(row[name]) for row in rows if row.get(name) is not None)
    return 3 if max((v for v in values if math.isfinite(v)), default=0) >= 2 else 4


def _text(value: float | None, reference: float | None, digits: int) -> str:
    if value is None:
        return ""
    text = f"{value:.{digits}f}"
    return text if reference is None else f"{text} ({value - reference:+.{digits}f})"
