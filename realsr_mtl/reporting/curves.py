"""Quantities over the iterations: a small figure for each, a line for each task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realsr_mtl.reporting.figures import save_small, small_figure

QUANTITIES = {
    "loss": "mean loss since the last log line",
    "weight": "weight on the loss",
    "gradient_weight": "weight on the gradient",
    "conflict_cosine": "smallest cosine with another task's gradient",
    "share": "share of the samples",
    "samples": "samples seen so far",
    "volume": "samples of an interval",
    "omega": "imbalance; 1 is the average of the tasks",
    "kappa": "indicator",
    "psnr": "PSNR on the probes in dB",
}
"""Quantities of strategy.jsonl that are drawn, and what they are."""

DRAWN_TASKS = 64
"""Tasks beyond which a training draws none of these: reading the file would be slow."""

LINES = 16
"""Tasks beyond which a figure shows the range and the median instead of every task."""

COLOURS = (
    "#0072b2",
    "#d55e00",
    "#00875f",
    "#b5488a",
    "#a87800",
    "#2a93bd",
    "#7a4a1e",
    "#5a5a5a",
)
"""Of lines, of middling lightness, so that the dark page can invert them; plain, then dashed."""

Series = dict[str, list[tuple[int, float]]]
"""Task to points (iteration, value)."""


@dataclass(frozen=True)
class Line:
    """What a line of a legend looks like."""

    name: str
    colour: str
    dashed: bool


@dataclass(frozen=True)
class Panel:
    """A figure: what it shows, its file, and in words how it ends."""

    title: str
    note: str
    file: Path
    summary: str


def collect(records: Sequence[Mapping[str, Any]], quantity: str) -> Series:
    """The points of a quantity, from log lines and from decisions."""
    found: Series = {}
    for record in records:
        values = record.get(quantity) or record.get("decision", {}).get(quantity)
        for task, value in (values or {}).items():
            if value is not None:
                found.setdefault(task, []).append((record["iter"], value))
    return found


def collect_plain(records: Sequence[Mapping[str, Any]], name: str) -> list[tuple[int, float]]:
    """The points of a quantity that is no task's own."""
    return [(r["iter"], r[name]) for r in records if r.get(name) is not None]


def imbalance(omega: Series, masses: Mapping[str, float]) -> list[tuple[int, float]]:
    """The index ``sum_t pi_t (omega_t - 1)^2`` over the iterations; 0 is balanced.

    Only iterations with a value of every task of known mass count.
    """
    tasks = [task for task in omega if task in masses]
    total = sum(masses[task] for task in tasks)
    at: dict[int, dict[str, float]] = {}
    for task in tasks:
        for iteration, value in omega[task]:
            at.setdefault(iteration, {})[task] = value
    return [
        (i, sum(masses[t] / total * (v - 1) ** 2 for t, v in values.items()))
        for i, values in sorted(at.items())
        if len(values) == len(tasks)
    ]


def draw_panel(
    title: str, note: str, series: Series, file: Path, names: Sequence[str] = ()
) -> Panel | None:
    """Draw a quantity that has more than one point in time.

    Args:
        title: of the panel.
        note: its unit, or what it means.
        series: label to points.
        file: PNG to write; its folder is made.
        names: order of the labels, which gives each its colour in every panel.
    """
    if max((len(points) for points in series.values()), default=0) < 2:
        return None
    figure, axes = small_figure()
    looks = {line.name: line for line in lines(names or list(series))}
    thinned = thin(series)
    for line in lines(list(thinned)) if thinned is not series else [looks[n] for n in series]:
        iterations, values = zip(*thinned[line.name], strict=True)
        axes.plot(
            iterations,
            values,
            color=line.colour,
            linestyle=(0, (5, 2)) if line.dashed else "-",
            linewidth=1.8,
            marker="." if len(iterations) < 40 else "",
            markersize=6,
        )
    axes.set_xlabel("iteration")
    save_small(figure, file)
    return Panel(title, note, file, _summary(series))


def lines(names: Sequence[str]) -> list[Line]:
    """Looks of the lines of a figure, as in its legend."""
    size = len(COLOURS)
    return [Line(n, COLOURS[i % size], i // size % 2 == 1) for i, n in enumerate(names)]


def legend(names: Sequence[str]) -> list[Line]:
    """The legend of panels with a line for each task."""
    few = len(names) <= LINES
    return lines(list(names) if few else list(_PLACES)) if len(names) > 1 else []


_PLACES = {"smallest": 0.0, "median": 0.5, "largest": 1.0}


def thin(series: Series) -> Series:
    """Every task, or smallest, median and largest value of many tasks."""
    if len(series) <= LINES:
        return series
    at: dict[int, list[float]] = {}
    for points in series.values():
        for iteration, value in points:
            at.setdefault(iteration, []).append(value)
    ordered = {iteration: sorted(values) for iteration, values in sorted(at.items())}
    return {
        name: [(i, values[round(place * (len(values) - 1))]) for i, values in ordered.items()]
        for name, place in _PLACES.items()
    }


def _summary(series: Series) -> str:
    last = {name: points[-1][1] for name, points in series.items() if points}
    finite = {name: value for name, value in last.items() if math.isfinite(value)}
    if not finite:
        return ""
    low, high = min(finite, key=lambda n: finite[n]), max(finite, key=lambda n: finite[n])
    if low == high:
        return f"At the end {finite[low]:.4g}."
    return f"At the end from {finite[low]:.4g} ({low}) to {finite[high]:.4g} ({high})."
