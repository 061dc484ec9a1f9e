"""Figures, drawn from the files of a run folder, so that they can be drawn again later."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realsr_mtl.reporting.tables import Row, metric_names
from realsr_mtl.writing import write_atomically

_COLUMNS = 12

SMALL_DPI = 160
"""Of panels."""


def new_figure(width: float, height: float) -> Any:
    """An empty matplotlib figure of so many inches that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def small_figure(width: float = 5.2, height: float = 2.7) -> tuple[Any, Any]:
    """Figure and axes of a panel that is legible on a telephone; the frame is laid out by hand."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    left, right = 0.75 / width, 1 - 0.12 / width
    figure.subplots_adjust(left=left, right=right, bottom=0.5 / height, top=1 - 0.14 / height)
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    axes.tick_params(labelsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def save_small(figure: Any, file: Path, colours: int = 64) -> None:
    """Write a line drawing as PNG with a palette, a third of its size; the folder is made.

    The palette covers the colours evenly: the commonest ones alone would be those of the text.
    """
    from PIL import Image

    figure.set_dpi(SMALL_DPI)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    code = io.BytesIO()
    picture.quantize(colours, Image.Quantize.MAXCOVERAGE).save(code, "PNG", optimize=True)
    write_atomically(code.getvalue(), file)


def draw_heat_maps(rows: Sequence[Row], folder: Path) -> list[Path]:
    """One PNG per data set: tasks x iterations, one panel per metric.

    Args:
        rows: the records of metrics.jsonl.
        folder: receives ``validation_<dataset>.png``.

    Returns:
        The files written. Of many validations twelve evenly spaced ones are shown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for dataset in dict.fromkeys(row["dataset"] for row in rows):
        own = [row for row in rows if row["dataset"] == dataset]
        names = [n for n in metric_names(own) if any(row.get(n) is not None for row in own)]
        if names:
            files.append(_draw(own, names, folder / f"validation_{dataset}.png"))
    return files


def draw_bars(
    rows: Mapping[str, Mapping[str, float]], file: Path, *, title: str, axis: str, mark: float
) -> Path:
    """Horizontal bars: a group for each row, a bar for each of its values.

    Args:
        rows: label to series to value; the first row is drawn on top.
        file: PNG to write.
        title: above the figure.
        axis: what the values are.
        mark: value of a dashed line.
    """
    series = list(next(iter(rows.values())))
    figure = new_figure(7, 1.4 + 0.42 * len(rows))
    axes = figure.subplots()
    width = 0.8 / len(series)
    for number, name in enumerate(series):
        offset = (number - (len(series) - 1) / 2) * width
        places = [place + offset for place in range(len(rows))]
        bars = axes.barh(places, [row[name] for row in rows.values()], width, label=name)
        axes.bar_label(bars, fmt="%.3f", fontsize=7, padding=2)
    axes.axvline(mark, linestyle="--", linewidth=1, color="grey")
    axes.set_yticks(range(len(rows)), list(rows), fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel(axis, fontsize=8)
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=8, loc="lower right")
    figure.savefig(file, dpi=120)
    return file


def _draw(rows: Sequence[Row], names: Sequence[str], file: Path) -> Path:
    columns = validation_columns(rows)
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    cells = {(row["network"] == "bicubic", row["iter"], row["task"]): row for row in rows}
    width = 2.4 + max(2.0, 0.75 * len(columns))
    height = 1.3 + 0.36 * len(tasks)
    figure = new_figure(width, height * len(names))
    for axes, name in zip(figure.subplots(len(names), 1, squeeze=False)[:, 0], names, strict=True):
        table = np.array(
            [
                [_number(cells.get((*column, task), {}).get(name)) for column in columns]
                for task in tasks
            ]
        )
        image = axes.imshow(table, aspect="auto", cmap="viridis")
        middle = (np.nanmin(table) + np.nanmax(table)) / 2
        for (y, x), value in np.ndenumerate(table):
            if np.isfinite(value):
                colour = "white" if value < middle else "black"
                axes.text(x, y, _label(value), ha="center", va="center", color=colour, fontsize=8)
        labels = ["bicubic" if bicubic else f"{iteration:,}" for bicubic, iteration in columns]
        axes.set_xticks(range(len(columns)), labels, rotation=30, ha="right", fontsize=8)
        axes.set_yticks(range(len(tasks)), tasks, fontsize=8)
        axes.set_title(f"{rows[0]['dataset']}: {name}", fontsize=10)
        axes.set_xlabel("iteration", fontsize=8)
        figure.colorbar(image, ax=axes, fraction=0.05)
    figure.savefig(file, dpi=120)
    return file


def validation_columns(rows: Sequence[Row]) -> list[tuple[bool, int | None]]:
    """Bicubic first, then the iterations in order, thinned out."""
    iterations = sorted({row["iter"] for row in rows if row["network"] != "bicubic"})
    if len(iterations) > _COLUMNS:
        chosen = np.linspace(0, len(iterations) - 1, _COLUMNS).round().astype(int)
        iterations = [iterations[i] for i in chosen]
    baseline = [(True, None)] if any(row["network"] == "bicubic" for row in rows) else []
    return [*baseline, *((False, iteration) for iteration in iterations)]


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _label(value: float) -> str:
    return f"{value:.2f}" if abs(value) >= 2 else f"{value:.3f}"
