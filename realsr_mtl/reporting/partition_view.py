"""What the tasks of a run are: their regions, and the measured capacities behind them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from realsr_mtl.reporting.run_files import RunFiles

_SIGNS = {"min": "≥", "max": "≤", "above": ">", "below": "<"}

_SHOWN = 64
"""Tasks that the table lists."""


def task_table(run: RunFiles) -> list[list[str]]:
    """Name, natural mass and bounds of every task of tasks.json; the last row counts the rest."""
    rows = [["task", "natural mass", "what it is"]]
    for entry in run.tasks[:_SHOWN]:
        mass = entry.get("mass")
        rows.append([str(entry["name"]), "" if mass is None else f"{mass:.4f}", _content(entry)])
    if len(run.tasks) > _SHOWN:
        rows.append([f"and {len(run.tasks) - _SHOWN} more", "", "all are in tasks.json"])
    return rows


def cuts(run: RunFiles) -> list[list[str]]:
    """Parameters of the space that bound a task, and where; nothing where none does."""
    at: dict[str, set[float]] = {}
    for entry in run.tasks:
        for parameter, bounds in (entry.get("region") or {}).items():
            values = (v for k, v in bounds.items() if k in _SIGNS and v is not None)
            at.setdefault(parameter, set()).update(values)
    rows = [[p, ", ".join(f"{v:g}" for v in sorted(values))] for p, values in at.items() if values]
    return [["parameter", "cut at"], *rows] if rows else []


def capacities(run: RunFiles) -> dict[str, Any] | None:
    """capacities.json beside the task file that scripts/define_tasks.py wrote, if it is there."""
    block = run.options.get("tasks") or {}
    if not block.get("file"):
        return None
    file = run.beside(str(block["file"]))
    measured = file.parent / "capacities.json" if file else None
    if measured is None or not measured.is_file():
        return None
    return {**json.loads(measured.read_text(encoding="utf-8")), "folder": str(measured.parent)}


def capacity_table(content: Mapping[str, Any]) -> list[list[str]]:
    """Operators with their capacities and where they are cut."""
    at = {
        entry["operator"]: "; ".join(
            f"{parameter} at {', '.join(f'{v:.3g}' for v in values)}"
            for parameter, values in entry["thresholds"].items()
        )
        for entry in content["boundaries"]
    }
    rows = [["operator", "alone", "drop one", "cut"]]
    for entry in content["capacities"]:
        name = entry["operator"]
        values = [f"{entry[key]:.3f}" for key in ("first_order", "drop_one")]
        rows.append([name, *values, at.get(name, "")])
    return rows


def capacity_figure(content: Mapping[str, Any]) -> Path | None:
    """capacities.png, if it is there."""
    file = Path(content["folder"]) / "capacities.png"
    return file if file.is_file() else None


def _content(entry: Mapping[str, Any]) -> str:
    rest = {k: v for k, v in entry.items() if k not in ("name", "mass")}
    if isinstance(rest.get("region"), Mapping):
        return "; ".join(_bounds(n, b) for n, b in rest["region"].items()) or "the whole space"
    if "points" in rest:
        points = rest["points"]
        return "the whole space" if points is None else f"{len(points)} points"
    text = json.dumps(rest) if rest else ""
    return text if len(text) <= 160 else text[:157] + "..."


def _bounds(name: str, bounds: Mapping[str, Any]) -> str:
    parts = [
        f"{name} {_SIGNS[k]} {v:g}" for k, v in bounds.items() if k in _SIGNS and v is not None
    ]
    if bounds.get("absent"):
        parts.append("absent")
    return " or ".join(parts) or name
