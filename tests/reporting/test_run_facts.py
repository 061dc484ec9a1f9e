from __future__ import annotations

import json

import pytest

from realsr_mtl.reporting.run_facts import facts, headlines, sessions, status, time_split
from realsr_mtl.reporting.run_files import RunFiles
from tests.reporting._runs import write_run


def test_headlines_tell_the_gain_and_the_worst_task() -> None:
    found = {h.name: h for h in headlines(RunFiles(write_run("run", offset=0.5)))}
    assert (found["iterations"].value, found["iterations"].note) == ("20", "of 20")
    assert found["psnr"].note.startswith("mean over 2 tasks, +1.")
    assert found["worst task, psnr"].note == "hard"
    assert found["time"].value == "0:01:40"


def test_facts_name_network_strategy_and_machine() -> None:
    found = dict(facts(RunFiles(write_run("run", path={"pretrain_network_g": "a.pth"}))))
    assert found["network"] == "MSRResNet, x4"
    assert found["strategy"] == "sampling: Natural"
    assert found["started from"] == "a.pth"
    assert found["hardware"].startswith("cpu: a CPU, 2 cores")
    assert found["processes"] == "1, each with 1 thread"
    plain = dict(facts(RunFiles(write_run("plain", strategy={}, degradation=None))))
    assert plain["strategy"] == "none: plain training"
    assert plain["degradation"] == "none (pairs)"


def test_the_time_that_no_part_took_is_the_rest() -> None:
    parts = {p.name: p for p in time_split(RunFiles(write_run("run")))}
    assert parts["network"].seconds == "12.0 s" and parts["waiting for data"].seconds == "4.0 s"
    assert parts["checkpoints, start, decisions"].percent == pytest.approx(84)
    assert sum(p.percent for p in parts.values()) == pytest.approx(100)


def test_runs_that_fail_go_on_or_are_of_an_earlier_version() -> None:
    root = write_run("run")
    (session,) = json.loads((root / "run.json").read_text())["sessions"]
    going_on = {k: v for k, v in session.items() if k not in ("status", "seconds", "to_iteration")}
    failed = {**session, "status": "failed", "failure": "a sentence", "to_iteration": 4}
    (root / "run.json").write_text(json.dumps({"sessions": [failed, going_on]}))
    run = RunFiles(root)
    assert status(run) == "running, or killed"
    rows = sessions(run)
    assert rows[1][1:4] == ["0 to 4", "0:01:40", "failed: a sentence"]
    assert rows[2][1:4] == ["from 0", "", "running, or killed"]
    for file in ("run.json", "training.jsonl"):
        (root / file).unlink()
    old = RunFiles(root)
    assert status(old) == "no run.json" and time_split(old) == []
    assert len(sessions(old)) == 1 and headlines(old)
