"""The task of every file of a set, from its folder or its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from realsr_mtl.errors import UserError

Rule = list[dict[str, str]]
"""``{task: ..., starts: ..., ends: ...}``; the first that fits counts."""

ALL_WEATHER: Rule = [
    {"task": "raindrop", "ends": "rain.png"},
    {"task": "rain_fog", "starts": "im"},
    {"task": "snow", "ends": "jpg"},
]
"""The rule of the AllWeather set, after the loader of MWFormer (Zhu et al., TIP 2024)."""


def label_files(
    files: Sequence[Path], root: Path, rule: Literal["folder", "allweather"] | Rule
) -> tuple[list[str], list[int]]:
    """Tasks, and the position of each file's task among them.

    Args:
        files: paths below the root.
        root: the folder of the set.
        rule: folder, the first folder below the root; allweather; or a list of rules.

    Raises:
        UserError: a file that belongs to no task.
        ValueError: rules that are not of the form ``{task, starts, ends}``.
    """
    if rule == "folder":
        found = [_folder(file, root) for file in files]
        tasks = sorted(set(found))
    else:
        rules = ALL_WEATHER if rule == "allweather" else list(rule)
        for entry in rules:
            if "task" not in entry or not entry.keys() - {"task"} <= {"starts", "ends"}:
                raise ValueError(f"task_rule {entry} is not of the form {{task, starts, ends}}")
        found = [_by_name(file, rules) for file in files]
        tasks = list(dict.fromkeys(entry["task"] for entry in rules))
    place = {task: position for position, task in enumerate(tasks)}
    return tasks, [place[task] for task in found]


def _folder(file: Path, root: Path) -> str:
    parts = file.relative_to(root).parts
    if len(parts) < 2:
        raise UserError(
            f"'{file}' lies in no folder below '{root}'; with task_rule: folder every task has one"
        )
    return parts[0]


def _by_name(file: Path, rules: Rule) -> str:
    for entry in rules:
        if file.name.startswith(entry.get("starts", "")) and file.name.endswith(
            entry.get("ends", "")
        ):
            return entry["task"]
    raise UserError(f"'{file}' fits no task_rule; rename or remove it, or add a rule for its name")
