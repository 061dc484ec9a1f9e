from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from realsr_mtl.reporting.scores import ImageRow, write_scores
from realsr_mtl.reporting.tables import Row
from realsr_mtl.reporting.tracker import Tracker, read_lines


def _row(iteration: int | None, psnr: float, network: str = "net_g") -> Row:
    return {
        "iter": iteration,
        "dataset": "set",
        "task": "mild",
        "network": network,
        "images": 2,
        "psnr": psnr,
    }


def test_json_lines_hold_every_row_and_no_infinity(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path, None)
    tracker.validation(None, [_row(None, 20.0, "bicubic")], {})
    tracker.validation(10, [_row(10, math.inf)], {"set": {"psnr": math.inf}})
    tracker.tasks(10, {"loss": {"mild": 0.5, "hard": math.nan}})
    assert [r["psnr"] for r in read_lines(tmp_path / "metrics.jsonl")] == [20.0, None]
    assert read_lines(tmp_path / "strategy.jsonl") == [
        {"iter": 10, "loss": {"mild": 0.5, "hard": None}}
    ]
    assert read_lines(tmp_path / "nothing.jsonl") == []


def test_resuming_drops_what_the_resumed_run_will_write_again(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path, None)
    tracker.validation(None, [_row(None, 1.0, "bicubic")], {})
    for iteration in (5, 10, 15):
        tracker.validation(iteration, [_row(iteration, 20.0)], {})
        tracker.tasks(iteration, {"loss": {"mild": 0.5}})
    Tracker(tmp_path, None, resumed=10)
    assert [r["iter"] for r in read_lines(tmp_path / "metrics.jsonl")] == [None, 5, 10]
    assert [r["iter"] for r in read_lines(tmp_path / "strategy.jsonl")] == [5, 10]


def test_a_decision_is_made_again_by_the_run_that_resumes_there(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path, None)
    for iteration in (5, 10, 15):
        tracker.decision(iteration, {"share": {"mild": 1.0}})
        tracker.tasks(iteration, {"loss": {"mild": 0.5}}, {"solver_failures": 2})
    Tracker(tmp_path, None, resumed=10)
    assert read_lines(tmp_path / "strategy.jsonl") == [
        {"iter": 5, "decision": {"share": {"mild": 1.0}}},
        {"iter": 5, "loss": {"mild": 0.5}, "solver_failures": 2},
        {"iter": 10, "loss": {"mild": 0.5}, "solver_failures": 2},
    ]


def test_tensorboard_gets_quartiles_of_many_tasks(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path, tmp_path / "tb")
    values = {f"t{i}": float(i) for i in range(4001)}
    tracker.tasks(
        1,
        {"loss": {**values, "none": math.nan}, "gone": {f"t{i}": math.nan for i in range(65)}},
        {"solver_failures": 3},
    )
    tracker.close()
    events = EventAccumulator(str(tmp_path / "tb"))
    events.Reload()
    found = {tag: events.Scalars(tag)[0].value for tag in events.Tags()["scalars"]}
    assert found == {
        "tasks/solver_failures": 3,
        **{f"tasks/loss/quartile_{i}": 1000.0 * i for i in range(5)},
    }
    assert len(read_lines(tmp_path / "strategy.jsonl")[0]["loss"]) == 4002


def test_a_line_cut_short_by_a_crash_is_dropped_on_resuming(tmp_path: Path) -> None:
    (tmp_path / "strategy.jsonl").write_text(json.dumps({"iter": 1}) + '\n{"iter": 2, "lo')
    Tracker(tmp_path, None, resumed=5)
    assert read_lines(tmp_path / "strategy.jsonl") == [{"iter": 1}]


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path, tmp_path / "tb")
    tracker.images(3, {"images/set/mild": np.zeros((8, 24, 3), np.uint8)})
    tracker.step(3, {"l_pix": 0.25, "lr": 1e-4}, {"total": 2.0})
    tracker.validation(3, [_row(3, 24.0)], {"set": {"psnr": 24.0}})
    tracker.tasks(3, {"loss": {"mild": 0.5}})
    tracker.close()
    events = EventAccumulator(str(tmp_path / "tb"))
    events.Reload()
    assert set(events.Tags()["scalars"]) == {
        "losses/l_pix",
        "lr",
        "metrics/set/psnr",
        "metrics/set/psnr/mild",
        "tasks/loss/mild",
    }
    (event,) = events.Scalars("losses/l_pix")
    assert (event.step, event.value) == (3, 0.25)
    (picture,) = events.Images("images/set/mild")
    assert (picture.step, picture.width, picture.height) == (3, 24, 8)
    assert tracker.draws and not Tracker(tmp_path, None).draws


def test_losses_and_seconds_are_kept_for_the_report(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path, None)
    for iteration in (5, 10):
        tracker.step(iteration, {"l_pix": 0.25}, {"model": 2.0})
        tracker.spent(iteration, "validation", 1.5)
    tracker.images(5, {})
    Tracker(tmp_path, None, resumed=5)
    assert read_lines(tmp_path / "training.jsonl") == [
        {"iter": 5, "l_pix": 0.25, "seconds": {"model": 2.0}},
        {"iter": 5, "seconds": {"validation": 1.5}},
    ]


def test_a_resumed_run_has_no_later_scores(tmp_path: Path) -> None:
    for iteration in (5, 10):
        write_scores(tmp_path, "set", iteration, [ImageRow("a", "b", "c", {"psnr": 1.0})])
    Tracker(tmp_path, None, resumed=5)
    assert [file.name for file in (tmp_path / "scores").iterdir()] == ["set_5.csv"]


def test_a_matrix_of_tasks_is_no_bundle_of_curves(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path, tmp_path / "tb")
    tracker.tasks(1, {"cosine_with/mild": {"hard": 0.5}, "loss": {"hard": 0.5}})
    tracker.close()
    events = EventAccumulator(str(tmp_path / "tb"))
    events.Reload()
    assert events.Tags()["scalars"] == ["tasks/loss/hard"]
    assert read_lines(tmp_path / "strategy.jsonl")[0]["cosine_with/mild"] == {"hard": 0.5}
