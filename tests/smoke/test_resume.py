"""N + M iterations are N, stop, M: every number of the checkpoint, for every strategy."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from realsr_mtl.errors import UnavailableError
from realsr_mtl.processes import Processes
from realsr_mtl.reporting import read_lines
from realsr_mtl.strategies import GRADIENTS, GROUPINGS, SAMPLINGS, WEIGHTINGS
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.run_folder import RunFolder
from realsr_mtl.training.trainer import Trainer
from tests._options import tiny
from tests.tasks.test_groups import write as write_groups

RUN = Path("experiments/tiny")
EVERY = "every: 2, warmup: 1"

OPTIONS = {
    "DataRebalancing": EVERY,
    "Fixed": "shares: {mild: 0.25, noise2: 0.75}",
    "Weighted": "every: 2",
    "FocalWeighting": EVERY,
    "DynamicWeightAverage": "window: 2",
    "DynamicTaskPrioritization": "every: 2",
    "GivenGroups": "file: FILE, per: sample",
}
"""Options with which something happens in six steps."""


def _part(kind: str, name: str) -> str:
    return f"{kind}: {{type: {name}, {OPTIONS.get(name, '')}}}"


def _strategies() -> list[str]:
    samplings = [n for n in SAMPLINGS if n != "Weighted"]
    groupings = [n for n in GROUPINGS if n != "TaskGrouping"]  # trains as GivenGroups
    return [
        *(_part("sampling", name) for name in samplings),
        *(_part("grouping", name) + ", weighting: {type: Art}" for name in groupings),
        *(_part("weighting", name) + ", sampling: {type: Uniform}" for name in WEIGHTINGS),
        *(_part("gradients", name) + ", sampling: {type: Uniform}" for name in GRADIENTS),
        "weighting: {type: Art, apply: sampling}, sampling: {type: Weighted, every: 2}",
        "weighting: {type: RLW}, gradients: {type: NashMTL, every: 2, rows: sketch}",
        "weighting: {type: DWA, window: 2}, gradients: {type: NashMTL, rows: last_layer}",
        "sampling: {type: Uniform}, gradients: {type: MGDA, smoothing: 0.5}",
    ]


def _run(options: list[str], resume: Path | None = None) -> dict[str, Any]:
    """Train to the end; everything that the run leaves."""
    plan = TrainingPlan(tiny(options))
    folder = RunFolder.of(plan.options)
    folder.create(resume=resume is not None)
    assert Trainer(plan, folder, Processes(), resume).run()
    files = sorted([*folder.states.glob("*.state"), *folder.models.glob("*.pth")])
    left: dict[str, Any] = {file.name: torch.load(file) for file in files}
    return left | {n: read_lines(RUN / n) for n in ("metrics.jsonl", "strategy.jsonl")}


def _assert_same(one: Any, two: Any, place: str) -> None:
    assert type(one) is type(two), place
    if isinstance(one, dict):
        assert one.keys() == two.keys(), place
        for key in one:
            _assert_same(one[key], two[key], f"{place}:{key}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(two), place
        for i, (a, b) in enumerate(zip(one, two, strict=True)):
            _assert_same(a, b, f"{place}:{i}")
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one.nan_to_num(nan=7e7), two.nan_to_num(nan=7e7)), place
    else:
        both_nan = isinstance(one, float) and math.isnan(one) and math.isnan(two)
        assert one == two or both_nan, (place, one, two)


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("strategy", _strategies())
def test_a_resumed_run_leaves_what_an_uninterrupted_one_does(strategy: str) -> None:
    strategy = strategy.replace("FILE", str(write_groups()) if "FILE" in strategy else "")
    options = [f"strategy={{{strategy}}}", "logger:print_freq=4", "logger:save_checkpoint_freq=1"]
    try:
        whole = _run(options)
    except UnavailableError as error:
        pytest.skip(str(error))
    for after in (2, 5):  # between log lines, between decisions
        resumed = _run(options, resume=RUN / f"training_states/{after}.state")
        shutil.rmtree(RUN / "report", ignore_errors=True)
        superseded = {name: value for name, value in resumed.items() if "superseded" not in name}
        _assert_same(whole, superseded, f"after {after}")
