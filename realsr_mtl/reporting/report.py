"""The report of a run: a page and the pictures and tables it is made of, from plain files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from realsr_mtl.reporting import conflicts, partition_view, run_facts
from realsr_mtl.reporting.curves import (
    DRAWN_TASKS,
    LINES,
    QUANTITIES,
    Line,
    Panel,
    collect,
    collect_plain,
    draw_panel,
    imbalance,
    legend,
)
from realsr_mtl.reporting.figures import SMALL_DPI
from realsr_mtl.reporting.gallery import FOLDER, Gallery, read_gallery
from realsr_mtl.reporting.grouping import FIGURES, group_table
from realsr_mtl.reporting.page import data_uri, render
from realsr_mtl.reporting.run_files import RunFiles
from realsr_mtl.reporting.validation_view import view
from realsr_mtl.writing import write_atomically


@dataclass(frozen=True)
class Picture:
    """A panel as the page shows it."""

    title: str
    note: str
    image: str
    summary: str
    width: int
    height: int


def write_report(folder: Path, small: bool = False, examples: bool = True) -> Path:
    """Write ``report/index.html`` of a run folder, and the PNG and CSV files it is made of.

    Args:
        folder: of the run.
        small: as during a training: without the examples, and of more than 64 tasks without the
            quantities of the strategy.
        examples: whether to show those that were drawn.

    Raises:
        UserError: no run folder, or a damaged file.
    """
    run, report = RunFiles(folder), folder / "report"
    report.mkdir(exist_ok=True)
    many = small and len(run.tasks) > DRAWN_TASKS
    strategy = [] if many else run.strategy
    tasks = [str(entry["name"]) for entry in run.tasks]
    validations = [view(run, dataset, report) for dataset in run.datasets]
    over_time = _over_time(run, strategy, tasks, report)
    gallery = read_gallery(report) if examples and not small else None
    capacities = partition_view.capacities(run)
    grouping = _grouping(run)
    matrix = conflicts.conflict_matrix(strategy)
    values: dict[str, Any] = {
        "name": run.name,
        "status": run_facts.status(run),
        "small": small,
        "many": many,
        "headlines": run_facts.headlines(run),
        "facts": run_facts.facts(run),
        "sessions": run_facts.sessions(run),
        "parts_of_time": run_facts.time_split(run),
        "differences": run.differences,
        "validations": [
            {
                **vars(v),
                "panels": _pictures(v.panels),
                "legend": _legend(_validated(run, v.dataset)),
            }
            for v in validations
        ],
        "training": _pictures(_training(run, report)),
        "over_time": _pictures(over_time),
        "legend": _legend(tasks),
        "range": len(tasks) > LINES,
        "matrix": matrix,
        "opposed": conflicts.most_opposed(strategy),
        "tasks": partition_view.task_table(run),
        "cuts": partition_view.cuts(run),
        "capacities": capacities and partition_view.capacity_table(capacities),
        "capacity_content": capacities,
        "capacity_figure": _optional(
            partition_view.capacity_figure(capacities) if capacities else None
        ),
        "grouping": grouping,
        "gallery": gallery and _gallery(gallery, report),
    }
    contents = [
        (key, heading)
        for key, heading, there in (
            ("run", "What ran", True),
            ("validation", "Validation", validations),
            ("training", "Training", values["training"]),
            ("tasks", "Tasks over time", over_time or many),
            ("conflicts", "Conflicts", matrix),
            ("partition", "The tasks", len(values["tasks"]) > 1),
            ("groups", "TGSR groups", grouping),
            ("examples", "Examples", gallery),
        )
        if there
    ]
    _write_tables(run, strategy, validations, report)
    values["files"] = sorted(f.name for f in report.iterdir() if f.suffix in (".png", ".csv"))
    page = report / "index.html"
    text = render("report.html", f"{run.name}: report", contents, **values)
    write_atomically(text.encode(), page)
    return page


def _training(run: RunFiles, report: Path) -> list[Panel]:
    names = dict.fromkeys(n for r in run.training for n in r if n not in ("iter", "seconds"))
    notes = {"lr": "learning rate", "images_per_second": "speed"}
    found = []
    for name in names:
        points = collect_plain(run.training, name)
        note = notes.get(name, "mean since the last log line")
        file = report / f"training_{name}.png"
        found.append(draw_panel(name, note, {name: points}, file))
    return [panel for panel in found if panel]


def _over_time(
    run: RunFiles, strategy: Sequence[dict[str, Any]], tasks: Sequence[str], report: Path
) -> list[Panel]:
    found = []
    for name, note in QUANTITIES.items():
        series = collect(strategy, name)
        file = report / f"tasks_{name}.png"
        found.append(draw_panel(name.replace("_", " "), note, series, file, tasks))
        if name == "omega":
            index = {"index": imbalance(series, run.masses)}
            note = "sum over tasks of mass (omega - 1)², 0 is balanced"
            found.append(draw_panel("imbalance index", note, index, report / "imbalance.png"))
    return [panel for panel in found if panel]


def _grouping(run: RunFiles) -> dict[str, Any] | None:
    """The groups of TGSR that the run trained on, from the folder of the search."""
    block = (run.options.get("strategy") or {}).get("grouping") or {}
    if not block.get("folder"):
        return None
    folder = run.beside(str(block["folder"]))
    if folder is None or not (folder / "groups.json").is_file():
        return {"folder": block["folder"], "table": None, "figures": []}
    files = {title: folder / name for name, title in FIGURES.items()}
    return {
        "folder": str(folder),
        "table": group_table(folder),
        "figures": [(title, data_uri(f)) for title, f in files.items() if f.is_file()],
    }


def _gallery(gallery: Gallery, report: Path) -> dict[str, Any]:
    examples: dict[str, list[dict[str, Any]]] = {}
    for example in gallery.examples:
        tiles = [(t.name, data_uri(report / FOLDER / t.file)) for t in example.tiles]
        examples.setdefault(example.task, []).append({**asdict(example), "tiles": tiles})
    return {**asdict(gallery), "examples": examples}


def _validated(run: RunFiles, dataset: str) -> list[str]:
    return list(dict.fromkeys(r["task"] for r in run.validations if r["dataset"] == dataset))


def _legend(names: Sequence[str]) -> list[Line]:
    return legend(names)


def _pictures(panels: Sequence[Panel]) -> list[Picture]:
    size = (round(5.2 * SMALL_DPI), round(2.7 * SMALL_DPI))
    return [Picture(p.title, p.note, data_uri(p.file), p.summary, *size) for p in panels]


def _optional(file: Path | None) -> str | None:
    return None if file is None else data_uri(file)


def _write_tables(
    run: RunFiles, strategy: Sequence[dict[str, Any]], validations: Sequence[Any], report: Path
) -> None:
    """``validation_<set>.csv`` and ``tasks.csv``: what the tables and curves show."""
    for validation in validations:
        rows = [r for r in run.validations if r["dataset"] == validation.dataset]
        names = list(dict.fromkeys(name for row in rows for name in row))
        _write_csv(
            report / f"validation_{validation.dataset}.csv",
            [names, *([row.get(name) for name in names] for row in rows)],
        )
    lines = [
        [iteration, name, task, value]
        for name in QUANTITIES
        for task, points in collect(strategy, name).items()
        for iteration, value in points
    ]
    if lines:
        _write_csv(report / "tasks.csv", [["iter", "quantity", "task", "value"], *lines])


def _write_csv(file: Path, rows: Sequence[Sequence[Any]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    write_atomically(text.getvalue().encode(), file)
