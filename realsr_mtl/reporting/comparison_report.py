"""A comparison on disk: a page, Markdown, LaTeX and CSV."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realsr_mtl.reporting.comparison import Comparison, Difference
from realsr_mtl.reporting.comparison_tables import gain_cells, long_csv, score_cells
from realsr_mtl.reporting.figures import save_small, small_figure
from realsr_mtl.reporting.page import data_uri, render
from realsr_mtl.reporting.run_files import RunFiles
from realsr_mtl.reporting.text_tables import latex_table, markdown_table, markdown_text
from realsr_mtl.reporting.verdict import caveats, verdict
from realsr_mtl.writing import write_atomically

_DRAWN_TASKS = 32
"""Tasks beyond which the intervals are not drawn."""

_SHOWN_OPTIONS = 40

_APART = {"name", "manual_seed", "path", "logger"}
"""Blocks in which any two runs differ."""

_COLOURS = {1: "#00875f", 0: "#5a5a5a", -1: "#c8372d"}


@dataclass(frozen=True)
class Runs:
    """The runs of a method: seed to folder."""

    name: str
    folders: Mapping[str, RunFiles]


def markdown(comparisons: Sequence[Comparison]) -> str:
    """Verdicts and tables of all metrics."""
    parts = []
    for c in comparisons:
        head = f"{c.metric} on {c.dataset}"
        parts.append(f"## {markdown_text(head)}")
        if c.better == "lower":
            parts.append("Lower is better; a gain is a decrease.")
        parts += [markdown_text(verdict(c, d)) for d in c.differences]
        parts.append("\n".join(f"- {markdown_text(text)}" for text in caveats(c)))
        if c.differences:
            parts.append(markdown_table(gain_cells(c)))
        parts.append(markdown_table(score_cells(c)))
    return "\n\n".join(part for part in parts if part) + "\n"


def latex(comparisons: Sequence[Comparison]) -> str:
    """Tables of all metrics, to be put into a document."""
    parts = ["% needs \\usepackage[T1]{fontenc} and \\usepackage{amssymb}"]
    for c in comparisons:
        base, images = c.baseline.name, len(c.baseline.images)
        what = f"{c.metric} on {c.dataset} ({images} images)"
        if c.differences:
            caption = (
                f"Gain in {what} over {base}, with 95 % confidence intervals. ▲ improved, "
                "▼ harmed: decided after Holm's adjustment."
            )
            parts.append(latex_table(gain_cells(c), caption))
        caption = f"{what}: means over images and runs (number in brackets) ± their deviation."
        parts.append(latex_table(score_cells(c), caption))
    return "\n\n".join(parts) + "\n"


def write_comparison(comparisons: Sequence[Comparison], runs: Sequence[Runs], folder: Path) -> Path:
    """Write ``index.html``, ``comparison.md``, ``.tex`` and ``.csv`` and the figures.

    Args:
        comparisons: of the same runs, one for each metric.
        runs: in the order of the tables.
        folder: made if missing.

    Returns:
        The page.
    """
    first = comparisons[0]
    sections = [_section(c, folder) for c in comparisons]
    options = option_differences(runs)
    contents = [(s["key"], str(s["metric"])) for s in sections]
    contents += [("method", "Intervals"), ("runs", "Runs")]
    page = render(
        "comparison.html",
        f"Comparison with {first.baseline.name}",
        contents,
        baseline=first.baseline.name,
        methods=[t.name for t in first.tables[1:]] or [first.baseline.name],
        dataset=first.dataset,
        images=len(first.baseline.images),
        tasks=len(first.baseline.tasks),
        iterations=f", after {first.iterations} iterations" if first.iterations else "",
        sections=sections,
        replicates=first.replicates,
        weighted=first.masses is not None,
        runs=_run_rows(runs),
        options=options,
        option_columns=range(1, len(runs) + 1),
    )
    for name, text in (
        ("comparison.md", markdown(comparisons)),
        ("comparison.tex", latex(comparisons)),
        ("comparison.csv", long_csv(comparisons)),
        ("index.html", page),
    ):
        write_atomically(text.encode(), folder / name)
    return folder / "index.html"


def option_differences(runs: Sequence[Runs]) -> list[list[str]]:
    """Options that are not the same in all methods, a column for each; empty if there are none."""
    flat = [_flat(next(iter(r.folders.values())).options) for r in runs]
    keys = dict.fromkeys(key for options in flat for key in options)
    rows = [
        [key, *(options.get(key, "") for options in flat)]
        for key in keys
        if key.partition(":")[0] not in _APART and len({o.get(key, "") for o in flat}) > 1
    ]
    if len(rows) > _SHOWN_OPTIONS:
        more = f"and {len(rows) - _SHOWN_OPTIONS} more"
        rows = [*rows[:_SHOWN_OPTIONS], [more, *([""] * len(runs))]]
    return [["option", *(r.name for r in runs)], *rows] if rows else []


def _flat(options: Mapping[str, Any], path: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in options.items():
        here = f"{path}:{key}" if path else str(key)
        if isinstance(value, Mapping) and value:
            found |= _flat(value, here)
        else:
            found[here] = "null" if value is None else str(value)
    return found


def _section(c: Comparison, folder: Path) -> dict[str, Any]:
    key = re.sub(r"\W", "_", c.metric)
    kinds = {1: "better", -1: "worse", 0: ""}
    shown = 1 < len(c.baseline.tasks) <= _DRAWN_TASKS
    panels = [_draw(c, d, folder, number) for number, d in enumerate(c.differences) if shown]
    return {
        "key": f"metric_{key}",
        "metric": c.metric,
        "better": c.better,
        "verdicts": [(kinds[d.mean_decided], verdict(c, d)) for d in c.differences],
        "caveats": caveats(c),
        "gains": gain_cells(c) if c.differences else [],
        "scores": score_cells(c),
        "panels": panels,
    }


def _draw(c: Comparison, difference: Difference, folder: Path, number: int) -> dict[str, str]:
    """A dot and a line for each task: gain and interval."""
    tasks = list(difference.tasks)
    figure, axes = small_figure(height=1.1 + 0.27 * (len(tasks) + 1))
    figure.subplots_adjust(left=0.38)
    labels = [*tasks, "mean"]
    gains = [*difference.tasks.values(), difference.mean]
    decisions = [*(difference.decided(t) for t in tasks), difference.mean_decided]
    for y, (gain, decision) in enumerate(zip(gains, decisions, strict=True)):
        colour = _COLOURS[decision]
        axes.plot([gain.low, gain.high], [y, y], color=colour, linewidth=2)
        mark = "D" if y == len(tasks) else "o"
        axes.plot([gain.estimate], [y], mark, color=colour, markersize=6)
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks(range(len(labels)), [t if len(t) < 26 else t[:24] + "…" for t in labels])
    axes.tick_params(labelsize=9)
    axes.invert_yaxis()
    axes.set_xlabel(f"gain{' in dB' if c.unit else ''}")
    file = folder / f"gain_{re.sub(r'[^A-Za-z0-9_]', '_', c.metric)}_{number + 1}.png"
    save_small(figure, file)
    note = f"against {c.baseline.name}; green improved, red harmed, grey undecided"
    return {"title": difference.name, "note": note, "image": data_uri(file)}


def _run_rows(runs: Sequence[Runs]) -> list[list[str]]:
    rows = [["method", "seed", "run", "status", "folder"]]
    for method in runs:
        for seed, run in method.folders.items():
            ended = run.sessions[-1].get("status", "?") if run.sessions else ""
            rows.append([method.name, seed, run.name, str(ended), str(run.root)])
    return rows
