"""Reports and comparisons as Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from realsr_mtl.seal.comparison import LEAST_RATE, Comparison
from realsr_mtl.seal.report import Report

Table = list[list[str]]


def report_markdown(report: Report) -> str:
    """A report: one section for each metric."""
    parts = [f"# SEAL: {report['network']}"]
    if report["lines"] is None:
        parts.append("No lines: what follows are scores, not acceptance rates.")
    else:
        parts.append(f"Lines `{report['lines'][:12]}`: {_origin(report['lines_about'])}.")
    for name, found in report["metrics"].items():
        parts += [f"## {name}", *_metric(name, found, report)]
    return "\n\n".join(parts) + "\n"


def _metric(name: str, found: Mapping[str, Any], report: Report) -> list[str]:
    distribution = (
        f"Mean over all {found['cases']} cases: {found['mean']:.4f} ({found['better']} is better); "
        f"worst tenth {found['worst_tenth']:.4f}; "
        + ", ".join(f"q{float(q) * 100:g} {v:.4f}" for q, v in found["quantiles"].items())
        + "."
    )
    if "AR" not in found:
        return [distribution, f"Worst cases: {', '.join(found['worst'])}."]
    dropped = found["dropped"]
    counted = f"{found['valid']} of {found['cases']} cases count (gap of at least "
    counted += f"{report['tau'][name]:g}; median gap {found['median_gap']:.4f})"
    counted += f"; dropped: {', '.join(dropped)}." if dropped else "."
    if found["negative_gaps"]:
        counted += (
            f" Below the acceptance line lies the excellence line of "
            f"{', '.join(found['negative_gaps'])}: train those lines again."
        )
    rows = [_row("all", found)]
    for kind, bands in found.get("by", {}).items():
        rows += [_row(f"{kind}: {band}", own) for band, own in bands.items()]
    heading = ["cases", "n", "AR [95 %]", "RPR_I (down)", "RPR_A (n)", "RPR_U (n)", "mean RPR"]
    low, high = found["RPR_quartiles"]
    after = f"Quartiles of RPR {_cell(low)} and {_cell(high)}; at or above the excellence line "
    after += f"{_cell(found['above_excellence'])}"
    if "weighted_AR" in found:
        after += f"; AR weighted by clusters {_cell(found['weighted_AR'])}"
    after += f"; worst cases: {', '.join(found['worst'])}."
    if (found["AR"] or 0) < LEAST_RATE:
        after += f" With an AR below {LEAST_RATE:g} RPR_I says nothing: failing everywhere is even."
    return [distribution, counted, table([heading, *rows]), after]


def _row(label: str, found: Mapping[str, Any]) -> list[str]:
    low, high = found["AR_interval"]
    rest = found["valid"] - found["accepted"]
    return [
        label,
        str(found["valid"]),
        f"{_cell(found['AR'])} [{_cell(low)}, {_cell(high)}]",
        _cell(found["RPR_I"]),
        f"{_cell(found['RPR_A'])} ({found['accepted']})",
        f"{_cell(found['RPR_U'])} ({rest})",
        _cell(found["RPR"]),
    ]


def comparison_markdown(reports: Sequence[Report], pairs: Sequence[Comparison], metric: str) -> str:
    """All networks in one table, then every pair with its decision."""
    rows = [["network", f"mean {metric}", "AR [95 %]", "RPR_I (down)", "RPR_A", "RPR_U"]]
    for report in reports:
        found = report["metrics"][metric]
        cells = [report["network"], f"{found['mean']:.4f}"]
        if "AR" in found:
            low, high = found["AR_interval"]
            cells.append(f"{_cell(found['AR'])} [{_cell(low)}, {_cell(high)}]")
            cells += [_cell(found[key]) for key in ("RPR_I", "RPR_A", "RPR_U")]
        rows.append([*cells, *["-"] * (len(rows[0]) - len(cells))])
    lines = [["pair", "wins", "AR", "RPR_I", "RPR_A", "RPR_U", "better", "why"]]
    for pair in pairs:
        cells = [f"{pair.first} - {pair.second}", f"{pair.wins:.2f}"]
        for key in lines[0][2:6]:
            own = pair.differences.get(key)
            if own is None or math.isnan(own.low):
                cells.append("-")
            else:
                cells.append(f"{own.value:+.3f} [{own.low:+.3f}, {own.high:+.3f}]")
        lines.append([*cells, pair.better or "-", pair.reason])
    return f"{table(rows)}\n\n{table(lines)}\n"


def table(rows: Table) -> str:
    """A table of Markdown; the first row is its heading."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _cell(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.4f}"


def _origin(about: Mapping[str, Any]) -> str:
    if "acceptance" in about:
        return f"{about['acceptance']['type']} and {about['excellence']['type']}, trained here"
    return f"imported from {about.get('file', 'a table')}"
