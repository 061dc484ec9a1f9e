"""What ran, as the report shows it: status, headline numbers, facts, where the time went."""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realsr_mtl.reporting.run_files import RunFiles
from realsr_mtl.reporting.tables import Row, metric_names, summarise

PARTS = {
    "model": ("network", "#0072b2"),
    "degrade": ("degrading", "#00875f"),
    "data": ("waiting for data", "#a87800"),
    "validation": ("validation", "#b5488a"),
    "report": ("reports", "#2a93bd"),
    "rest": ("checkpoints, start, decisions", "#8a8f99"),
}
"""Parts of the time of a run: name and colour."""


@dataclass(frozen=True)
class Headline:
    """A number of the first section."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Part:
    """A part of the time."""

    name: str
    colour: str
    seconds: str
    percent: float


def status(run: RunFiles) -> str:
    """One word or two about how the run ended."""
    if not run.sessions:
        return "no run.json"
    last = run.sessions[-1]
    return str(last.get("status", "running, or killed"))


def headlines(run: RunFiles) -> list[Headline]:
    """The leading metric of the last validation of the first data set, and how far the run is."""
    found = []
    if run.sessions:
        total = run.sessions[-1]["total_iterations"]
        reached = max((r["iter"] for r in (*run.training, *run.strategy)), default=0)
        found.append(Headline("iterations", f"{reached:,}", f"of {total:,}"))
    for dataset in run.datasets[:1]:
        rows, base = last_rows(run, dataset), baseline_rows(run, dataset)
        names = [n for n in metric_names(rows) if all(r.get(n) is not None for r in rows)]
        for name in names[:2]:
            summary = summarise(rows, run.better)
            before = summarise(base, run.better) if _complete(base, name) else None
            gain = summary["mean"][name] - before["mean"][name] if before else None
            note = f"mean over {len(rows)} tasks" if len(rows) > 1 else "one task"
            if gain is not None:
                note += f", {gain:+.3f} to bicubic"
            found.append(Headline(name, f"{summary['mean'][name]:.3f}", note))
        if names and len(rows) > 1:
            worst = summarise(rows, run.better)["worst"][names[0]]
            task = next(row["task"] for row in rows if row[names[0]] == worst)
            found.append(Headline(f"worst task, {names[0]}", f"{worst:.3f}", task))
    if times := [s["seconds"] for s in run.sessions if "seconds" in s]:
        found.append(Headline("time", _duration(sum(times)), "of train.py"))
    return found


def facts(run: RunFiles) -> list[tuple[str, str]]:
    """What it was, in pairs of name and text."""
    options = run.options
    network = options.get("network_g") or {}
    strategy = options.get("strategy") or {}
    parts = [
        f"{part}: {block.get('type', '?')}"
        for part, block in strategy.items()
        if isinstance(block, Mapping)
    ]
    degradation = (options.get("degradation") or {}).get("type", "none (pairs)")
    train = (options.get("datasets") or {}).get("train") or {}
    found = [
        ("network", f"{network.get('type', '?')}, x{options.get('scale', '?')}"),
        ("degradation", str(degradation)),
        ("tasks", str(len(run.tasks))),
        ("strategy", "; ".join(parts) or "none: plain training"),
        ("seed", run.seed),
        ("batch", f"{train.get('batch_size_per_gpu', '?')} per process, patches of "
         f"{train.get('gt_size', '?')}"),
    ]  # fmt: skip
    if start := (options.get("path") or {}).get("pretrain_network_g"):
        found.append(("started from", str(start)))
    if run.sessions:
        last = run.sessions[-1]
        machine = last["hardware"]
        place = machine.get("gpu") or f"{machine['processor']}, {machine['cores']} cores"
        found += [
            ("versions", ", ".join(f"{k} {v}" for k, v in last["versions"].items())),
            ("hardware", f"{machine['device']}: {place}, {machine.get('memory_gib', '?')} GiB, "
             f"{machine['system']}"),
            ("processes", f"{machine['processes']}, each with {machine['threads']} thread"
             + ("" if machine["threads"] == 1 else "s")),
        ]  # fmt: skip
    return found


def sessions(run: RunFiles) -> list[list[str]]:
    """A row for each time train.py worked here."""
    rows = [["started (UTC)", "iterations", "time", "end", "command"]]
    for session in run.sessions:
        end = str(session.get("status", "running, or killed"))
        if "failure" in session:
            end += f": {session['failure']}"
        rows.append(
            [
                session["started"][:19].replace("T", " "),
                f"{session['from_iteration']:,} to {session.get('to_iteration', '?'):,}"
                if "to_iteration" in session
                else f"from {session['from_iteration']:,}",
                _duration(session["seconds"]) if "seconds" in session else "",
                end,
                session["command"],
            ]
        )
    return rows


def time_split(run: RunFiles) -> list[Part]:
    """Where the time went; what is left of the sessions' time is the rest."""
    spent: dict[str, float] = {}
    for record in run.training:
        for part, seconds in record.get("seconds", {}).items():
            spent[part] = spent.get(part, 0.0) + (seconds or 0.0)
    steps = spent.pop("total", 0.0)
    if not spent:
        return []
    whole = sum(session.get("seconds", 0.0) for session in run.sessions)
    known = sum(spent.values())
    spent["rest"] = max(0.0, max(whole, steps) - known)
    total = sum(spent.values())
    return [
        Part(name, colour, _duration(spent[part]), 100 * spent[part] / total)
        for part, (name, colour) in PARTS.items()
        if spent.get(part)
    ]


def last_rows(run: RunFiles, dataset: str) -> list[Row]:
    """The tasks of the last validation."""
    last = run.last_iteration(dataset)
    own = [r for r in run.validations if r["dataset"] == dataset and r["network"] != "bicubic"]
    return [row for row in own if row["iter"] == last]


def baseline_rows(run: RunFiles, dataset: str) -> list[Row]:
    """The tasks under bicubic up-scaling."""
    own = (r for r in run.validations if r["dataset"] == dataset)
    return [row for row in own if row["network"] == "bicubic"]


def mean_and_worst(values: Sequence[float], better: str) -> tuple[float, float]:
    """Of the tasks."""
    return statistics.fmean(values), (max if better == "lower" else min)(values)


def _complete(rows: Sequence[Row], name: str) -> bool:
    return bool(rows) and all(row.get(name) is not None for row in rows)


def _duration(seconds: Any) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    return str(datetime.timedelta(seconds=round(seconds)))
