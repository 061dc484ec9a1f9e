"""Tasks from a file of regions: what scripts/define_tasks.py and run folders write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from realsr_mtl.degradations import DegradationSampler, Interval, RandomStreams, Region
from realsr_mtl.tasks.region_tasks import RegionTasks
from realsr_mtl.tasks.task_set import TASK_SETS

_CHECKED = 4096
"""Records that are drawn to see that the regions neither overlap nor leave a gap."""


@TASK_SETS.register()
class Regions(RegionTasks):
    """Tasks of a file: ``[{"name": ..., "region": {parameter: {min: ..., below: ...}}}, ...]``.

    Args:
        file: JSON file; the ``tasks.json`` of a run folder, or one of scripts/define_tasks.py.
    """

    def __init__(self, sampler: DegradationSampler | None, *, file: str) -> None:
        if sampler is None:
            raise ValueError("regions need a degradation; paired data has none")
        super().__init__(sampler, _read(file))
        total = float(self.masses.sum())
        if abs(total - 1) > 1e-6:
            raise ValueError(
                f"the tasks of '{file}' hold {total:.4f} of this degradation space instead of all "
                "of it; they may belong to another space"
            )
        try:
            self.sample(torch.arange(_CHECKED), RandomStreams(0))
        except ValueError as error:
            raise ValueError(f"'{file}': {error}") from None


def _read(file: str) -> dict[str, Region]:
    try:
        entries = json.loads(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"task file '{file}' does not exist (seen from {Path.cwd()})") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"task file '{file}' is no JSON: {error}") from None
    try:
        regions = {str(entry["name"]): _region(entry["region"]) for entry in entries}
    except (KeyError, TypeError, AttributeError):
        raise ValueError(
            f"task file '{file}' is not a list of {{name: ..., region: {{parameter: "
            "{min, max, above, below, absent}}}"
        ) from None
    if not regions or len(regions) != len(entries):
        raise ValueError(f"task file '{file}' has no task, or two of one name")
    return regions


def _region(bounds: dict[str, dict[str, Any]]) -> Region:
    return {parameter: Interval(**interval) for parameter, interval in bounds.items()}
