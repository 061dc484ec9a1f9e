"""A task grouping as table and figures, from the plain files that the search leaves."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realsr_mtl.reporting.figures import new_figure

_PANELS = 8
"""Parameters that the figure of the degradation space shows."""

_COLOURS = ("0.75", "#d62728", "#ff7f0e", "#2ca02c", "#1f77b4", "#9467bd", "#8c564b", "#e377c2")

FIGURES = {
    "indicator.png": "The indicator of every task",
    "improvement.png": "Improvement in the rounds",
    "space.png": "Where the groups lie in the degradation space",
}
"""Files of `draw_grouping`, and what they show."""

Values = npt.NDArray[np.float64]


class GroupingTable:
    """``tasks.csv``, ``points.jsonl`` and ``groups.json`` of a folder.

    Args:
        folder: of scripts/task_grouping.py.

    Attributes:
        tasks: rows of tasks.csv.
        groups: entries of groups.json.
        parameters: degradation parameter to values ``[N]``; NaN where a task has none.
    """

    def __init__(self, folder: Path) -> None:
        with (folder / "tasks.csv").open(newline="", encoding="utf-8") as file:
            self.tasks = list(csv.DictReader(file))
        lines = (folder / "points.jsonl").read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines]
        names = [n for n in records[0] if n not in ("task", "pipeline", "scale")]
        self.parameters = {n: np.array([_number(r[n]) for r in records]) for n in names}
        content = json.loads((folder / "groups.json").read_text(encoding="utf-8"))
        self.groups: list[dict[str, Any]] = content["groups"]

    def column(self, name: str) -> Values:
        """A column of tasks.csv; NaN for empty cells."""
        return np.array([_number(row[name]) for row in self.tasks])

    @property
    def group(self) -> list[str]:
        """The group of every task; G0 for none."""
        return [row["group"] for row in self.tasks]

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return sum(key.startswith("improvement_") for key in self.tasks[0])

    def improvement(self, name: str) -> Values:
        """Improvement scores of the tasks of a group, in the round that formed it."""
        scores = self.column(f"improvement_{name.removeprefix('G')}")
        return scores[[own == name for own in self.group]]


def format_groups(folder: Path) -> str:
    """The groups as a table for people."""
    table = GroupingTable(folder)
    chance = 1 / (len(table.groups) + 1)
    lines = [
        f"{'group':6}{'above':>10}{'tasks':>7}{'improvement: mean':>19}{'least':>8}{'most':>8}"
        f"{'chance of one task':>20}"
    ]
    for entry in table.groups:
        gains = table.improvement(entry["name"])
        each = chance / len(gains)
        lines.append(
            f"{entry['name']:6}{entry['threshold_in_dB']:7.3f} dB{len(gains):7d}"
            f"{gains.mean():16.3f} dB{gains.min():8.3f}{gains.max():8.3f}{each:20.3%}"
        )
    rest = table.group.count("G0")
    low = int(table.column("unsatisfactory").sum())
    lines.append(f"G0: the whole space; {rest} of {len(table.tasks)} tasks are in no group")
    lines.append(f"{low} of {len(table.tasks)} tasks are unsatisfactory")
    return "\n".join(lines) + "\n"


def group_table(folder: Path) -> list[list[str]]:
    """The groups as rows of cells, the last one what is in none."""
    table = GroupingTable(folder)
    rows = [["group", "tasks", "threshold in dB", "improvement: mean", "least", "most"]]
    for entry in table.groups:
        gains = table.improvement(entry["name"])
        values = (entry["threshold_in_dB"], gains.mean(), gains.min(), gains.max())
        rows.append([entry["name"], str(len(gains)), *(f"{value:.3f}" for value in values)])
    return [*rows, ["G0 (in none)", str(table.group.count("G0")), "", "", "", ""]]


def draw_grouping(folder: Path) -> list[Path]:
    """Draw the indicator, the improvement of the groups, and where they lie in the space."""
    table = GroupingTable(folder)
    return [
        _draw_indicator(table, folder / "indicator.png"),
        _draw_improvement(table, folder / "improvement.png"),
        _draw_space(table, folder / "space.png"),
    ]


def _draw_indicator(table: GroupingTable, file: Path) -> Path:
    figure, (axes,) = _figure(1, 1, (7, 3.6))
    scores, low = table.column("indicator"), table.column("unsatisfactory") == 1
    edges = np.histogram_bin_edges(scores, bins=min(60, max(10, len(scores) // 8)))
    axes.hist(
        [scores[low], scores[~low]],
        edges,
        stacked=True,
        label=[f"unsatisfactory ({low.sum()})", f"satisfactory ({(~low).sum()})"],
        color=[_COLOURS[1], _COLOURS[0]],
    )
    axes.axvline(scores[low].max(), linestyle="--", linewidth=1, color="black")
    axes.set_xlabel("indicator: loss after over loss before a short training on the task alone")
    axes.set_ylabel("tasks")
    axes.legend()
    return _save(figure, file)


def _draw_improvement(table: GroupingTable, file: Path) -> Path:
    """A panel for each round: the scores of the tasks left, those of the group in colour."""
    count = table.rounds
    figure, panels = _figure(count, 1, (7, 0.6 + 1.7 * count), sharex=True)
    entries = {entry["name"]: entry for entry in table.groups}
    shown = np.concatenate([table.column(f"improvement_{n + 1}") for n in range(count)])
    edges = np.histogram_bin_edges(shown[np.isfinite(shown)], bins=40)
    for number, axes in enumerate(panels, start=1):
        scores, name = table.column(f"improvement_{number}"), f"G{number}"
        own = np.array([group == name for group in table.group])
        rest = np.isfinite(scores) & ~own
        axes.hist(
            [scores[own], scores[rest]],
            edges,
            stacked=True,
            color=[_colour(number), _COLOURS[0]],
            label=[f"{name} ({own.sum()})", f"left ({rest.sum()})"],
        )
        if name in entries:
            axes.axvline(entries[name]["threshold_in_dB"], linestyle="--", linewidth=1, color="k")
        axes.set_ylabel(f"round {number}")
        axes.legend(loc="upper left")
    panels[-1].set_xlabel("improvement by the joint training of the round in dB")
    return _save(figure, file)


def _draw_space(table: GroupingTable, file: Path) -> Path:
    """The parameters that tell the groups from the other tasks best: a dot for each task."""
    group = np.array(table.group)
    names = ["G0", *(entry["name"] for entry in table.groups)]
    apart = {p: separation(values, group != "G0") for p, values in table.parameters.items()}
    chosen = sorted(apart, key=lambda p: -apart[p][1])[:_PANELS]
    rows = math.ceil(len(chosen) / 4)
    figure, panels = _figure(rows, min(4, len(chosen)), (11, 0.5 + 2.7 * rows))
    for axes, parameter in zip(panels, chosen, strict=False):
        values = table.parameters[parameter]
        for place, name in enumerate(names):
            own = values[group == name]
            jitter = np.linspace(-0.32, 0.32, len(own)) * (-1) ** np.arange(len(own))
            axes.plot(place + jitter, own, ".", markersize=4, color=_colour(place), alpha=0.8)
        axes.set_xticks(range(len(names)), names, fontsize=8)
        axes.set_title(f"{parameter} ({apart[parameter][0]:.2f})", fontsize=9)
    for axes in panels[len(chosen) :]:
        axes.axis("off")
    figure.suptitle(
        "where the groups lie; in brackets: how well a parameter tells them from G0 (0 to 1)",
        fontsize=10,
    )
    return _save(figure, file)


def separation(values: Values, inside: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """How well a parameter tells tasks inside groups from the others.

    Args:
        values: ``[N]``, NaN where a task lacks the parameter; such tasks are left out.
        inside: bool ``[N]``.

    Returns:
        The effect ``|2 A - 1|`` in [0, 1], with the probability A that a task inside has the larger
        value (ties count half); and the effect over its standard error without a difference (the z
        of the Mann-Whitney test), which does not overrate few tasks.
    """
    present = np.isfinite(values)
    a, b = values[inside & present], values[~inside & present]
    if not (len(a) and len(b)):
        return 0.0, 0.0
    larger = (a[:, None] > b).mean() + 0.5 * (a[:, None] == b).mean()
    effect = abs(2 * float(larger) - 1)
    return effect, effect / math.sqrt((len(a) + len(b) + 1) / (3 * len(a) * len(b)))


def _figure(rows: int, columns: int, size: tuple[float, float], **options: Any) -> Any:
    figure = new_figure(*size)
    grid = figure.subplots(rows, columns, squeeze=False, **options)
    for axes in grid.flat:
        axes.tick_params(labelsize=8)
    return figure, list(grid.flat)


def _save(figure: Any, file: Path) -> Path:
    figure.savefig(file, dpi=110)
    return file


def _colour(place: int) -> str:
    return _COLOURS[place] if place < len(_COLOURS) else _COLOURS[1 + place % (len(_COLOURS) - 1)]


def _number(cell: str | float | None) -> float:
    return float("nan") if cell in (None, "") else float(cell)  # type: ignore[arg-type]
