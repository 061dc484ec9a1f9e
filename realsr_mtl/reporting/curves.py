"""What a strategy did, from strategy.jsonl: a panel for each quantity, a line for each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from realsr_mtl.reporting.figures import new_figure

PANELS = {
    "loss": "mean loss since the last log line",
    "weight": "weight on the loss",
    "gradient_weight": "weight on the gradient",
    "conflict_cosine": "smallest cosine with another task",
    "share": "share of the samples",
    "omega": "imbalance (1: average)",
    "kappa": "indicator",
    "psnr": "PSNR on the probes in dB",
}
"""Quantities that are drawn, and their axes."""

DRAWN_TASKS = 64
"""Tasks beyond which the trainer draws nothing: reading the file would be slow."""

_LINES = 16
"""Tasks beyond which the figure shows the range and the median instead of every task."""

Series = dict[str, list[tuple[int, float]]]
"""Task to points (iteration, value)."""


def collect(records: Sequence[Mapping[str, Any]], quantity: str) -> Series:
    """The points of a quantity, from log lines and from decisions."""
    found: Series = {}
    for record in records:
        values = record.get(quantity) or record.get("decision", {}).get(quantity)
        for task, value in (values or {}).items():
            if value is not None:
                found.setdefault(task, []).append((record["iter"], value))
    return found


def draw_strategy(records: Sequence[Mapping[str, Any]], file: Path) -> Path | None:
    """Draw every quantity that has more than one point in time.

    Args:
        records: the lines of strategy.jsonl.
        file: PNG to write.

    Returns:
        The file, or None where there is nothing to draw.
    """
    panels = {name: collect(records, name) for name in PANELS}
    panels = {name: s for name, s in panels.items() if max(map(len, s.values()), default=0) > 1}
    if not panels:
        return None
    figure = new_figure(9, 2.3 * len(panels) + 0.4)
    grid = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (name, series) in zip(grid, panels.items(), strict=True):
        for label, points in _lines(series).items():
            iterations, values = zip(*points, strict=True)
            axes.plot(iterations, values, label=label, linewidth=1.2, marker=".", markersize=3)
        axes.set_title(f"{name}: {PANELS[name]}", fontsize=9, loc="left")
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.3)
    grid[-1].set_xlabel("iteration", fontsize=8)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8)
    figure.savefig(file, dpi=110)
    return file


def _lines(series: Series) -> Series:
    """Every task, or smallest, median and largest value of many tasks."""
    if len(series) <= _LINES:
        return series
    at: dict[int, list[float]] = {}
    for points in series.values():
        for iteration, value in points:
            at.setdefault(iteration, []).append(value)
    ordered = {iteration: sorted(values) for iteration, values in sorted(at.items())}
    places = {"smallest": 0.0, "median": 0.5, "largest": 1.0}
    return {
        name: [(i, values[round(place * (len(values) - 1))]) for i, values in ordered.items()]
        for name, place in places.items()
    }
