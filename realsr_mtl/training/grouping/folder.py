"""The files of a task grouping."""

from __future__ import annotations

from pathlib import Path

from realsr_mtl.training.stage_folder import StageFolder

RESULTS = ("groups.json", "random_groups.json", "tasks.csv", "*.png")
"""What is made anew from the files of the stages in every call."""

STAGES = {
    "points": ("points.jsonl",),
    "indicator": ("indicator.jsonl",),
    "rounds": ("before.json", "round_*.json", *RESULTS),
}
"""Every stage and its files; a stage rests on those before it."""


class GroupingFolder(StageFolder):
    """What scripts/task_grouping.py writes.

    ``points.jsonl`` (tasks), ``indicator.jsonl`` (a line for each task), ``round_<n>.json``
    (improvement scores), ``groups.json``, ``random_groups.json`` (the control), ``tasks.csv`` (all
    in one table), figures, and ``settings.json``: the options each stage was run with.

    Args:
        root: the folder.
        overwrite: discard results of other options instead of refusing to go on.
    """

    def __init__(self, root: Path, overwrite: bool) -> None:
        super().__init__(root, overwrite, STAGES, "strategy:grouping:folder")
