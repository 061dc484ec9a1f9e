from __future__ import annotations

import json
from pathlib import Path

from realsr_mtl.reporting.partition_view import (
    capacities,
    capacity_figure,
    capacity_table,
    cuts,
    task_table,
)
from realsr_mtl.reporting.run_files import RunFiles
from tests.reporting._runs import write_run


def _with_tasks(entries: list) -> RunFiles:
    root = write_run("run")
    (root / "tasks.json").write_text(json.dumps(entries))
    return RunFiles(root)


def test_regions_are_told_as_bounds() -> None:
    run = _with_tasks(
        [
            {"name": "mild", "mass": 0.7, "region": {"scale": {"min": 0.4, "absent": True}}},
            {"name": "hard", "mass": 0.3, "region": {"scale": {"below": 0.4}, "x": {"max": 2}}},
            {"name": "all", "mass": None, "region": {}},
        ]
    )
    assert task_table(run)[1:] == [
        ["mild", "0.7000", "scale ≥ 0.4 or absent"],
        ["hard", "0.3000", "scale < 0.4; x ≤ 2"],
        ["all", "", "the whole space"],
    ]
    assert cuts(run) == [["parameter", "cut at"], ["scale", "0.4"], ["x", "2"]]


def test_groups_points_and_labels() -> None:
    entries = [
        {"name": "G0", "mass": 0.5, "points": None},
        {"name": "G1", "mass": 0.5, "points": ["p1", "p2"]},
        {"name": "rain", "mass": 0.5},
    ]
    run = _with_tasks(entries)
    assert [row[2] for row in task_table(run)[1:]] == ["the whole space", "2 points", ""]
    assert cuts(run) == []


def test_many_tasks_are_counted() -> None:
    run = _with_tasks([{"name": f"t{i}", "mass": 0.01} for i in range(100)])
    rows = task_table(run)
    assert len(rows) == 66 and rows[-1][0] == "and 36 more"


def test_capacities_lie_beside_the_task_file() -> None:
    folder = Path("experiments/net_tasks")
    folder.mkdir(parents=True)
    (folder / "tasks.json").write_text("[]")
    tasks = {"type": "Regions", "file": "experiments/net_tasks/tasks.json"}
    run = RunFiles(write_run("experiments/run", tasks=tasks))
    assert capacities(run) is None
    content = {
        "capacities": [{"operator": "resize2", "first_order": 0.38, "drop_one": 0.45}],
        "boundaries": [{"operator": "resize2", "thresholds": {"resize_scale2": [0.53, 0.81]}}],
        "explained": 0.64,
        "records": 3000,
        "patches": 16,
    }
    (folder / "capacities.json").write_text(json.dumps(content))
    found = capacities(run)
    assert found is not None
    assert capacity_table(found)[1] == ["resize2", "0.380", "0.450", "resize_scale2 at 0.53, 0.81"]
    assert capacity_figure(found) is None
    (folder / "capacities.png").write_bytes(b"x")
    assert capacity_figure(found) == folder / "capacities.png"
