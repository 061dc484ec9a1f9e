"""TGSR from the option file to the trained network, on one process and on two."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from realsr_mtl.reporting import read_lines
from tests.training.grouping._plans import grouping_plan, prepare

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
TWO = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")


def _run(*command: str | Path, timeout: int = 900) -> str:
    result = subprocess.run(
        [sys.executable, *map(str, command)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


def _table(folder: str) -> list[dict[str, str]]:
    with (Path(folder) / "tasks.csv").open() as file:
        return list(csv.DictReader(file))


def test_two_processes_share_the_tasks_and_find_the_same_groups(
    make_images: Callable[..., Path],
) -> None:
    prepare(make_images)
    grouping_plan()
    script = ROOT / "scripts/task_grouping.py"
    _run(script, "-opt", "tiny.yml", "--force_yml", "strategy:grouping:fraction=1")
    half = [
        "strategy:grouping:fraction=1",
        "strategy:grouping:folder=two",
        "datasets:train:batch_size_per_gpu=2",
    ]
    _run(*TWO, script, "-opt", "tiny.yml", "--force_yml", *half)
    one, two = _table("groups"), _table("two")
    assert [row["group"] for row in one] == [row["group"] for row in two]
    for a, b in zip(one, two, strict=True):
        for name in ("psnr", "improvement_1", "improvement_2"):
            assert (a[name] == "") == (b[name] == "")
            if a[name]:
                assert float(b[name]) == pytest.approx(float(a[name]), abs=2e-3)
    options = ["strategy:grouping:fraction=1", "datasets:train:batch_size_per_gpu=2"]
    before = (Path("groups") / "tasks.csv").read_text()  # goes on with what one process made
    _run(*TWO, script, "-opt", "tiny.yml", "--force_yml", *options,
         "strategy:grouping:indicator_batch=4")  # fmt: skip
    assert (Path("groups") / "tasks.csv").read_text() == before
    _run(*TWO, script, "-opt", "tiny.yml", "--force_yml", "strategy:grouping:folder=same",
         "strategy:grouping:side_by_side=2")  # fmt: skip
    for a, b in zip(one, _table("same"), strict=True):  # the batch of the indicator is a process's
        assert float(b["indicator"]) == pytest.approx(float(a["indicator"]), rel=1e-3)


@pytest.mark.slow
def test_the_quick_start_finds_groups_and_trains_on_them() -> None:
    options = ROOT / "options/train"
    train = ROOT / "realsr_mtl/train.py"
    _run(train, "-opt", options / "natural/quickstart.yml", timeout=900)
    text = _run(
        ROOT / "scripts/task_grouping.py", "-opt", options / "tgsr/quickstart.yml", timeout=900
    )
    assert "G1 " in text and "64 tasks are unsatisfactory" in text
    folder = Path("experiments/tgsr_quickstart_groups")
    groups = json.loads((folder / "groups.json").read_text())["groups"]
    assert [group["name"] for group in groups] == ["G1", "G2", "G3"]
    best = [float(row["improvement_1"]) for row in _table(str(folder)) if row["group"] == "G1"]
    assert min(best) > 0.05
    _run(train, "-opt", options / "tgsr/quickstart.yml", timeout=900)
    last = read_lines(Path("experiments/tgsr_quickstart/strategy.jsonl"))[-1]
    assert last["loss"].keys() == {"G0", "G1", "G2", "G3"}
    rows = read_lines(Path("experiments/tgsr_quickstart/metrics.jsonl"))
    assert {row["task"] for row in rows} > {"mild", "resize1+resize2+noise2"}
