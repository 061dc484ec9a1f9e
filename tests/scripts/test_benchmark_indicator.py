from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.scripts import load_script
from tests.training.grouping._plans import grouping_plan, prepare

SCRIPT, SEARCH = load_script("benchmark_indicator"), load_script("task_grouping")
COMMAND = ["-opt", "tiny.yml", "--together", "1", "2", "--steps", "1", "--repeat", "1"]
COMMAND += ["--tasks", "4", "--batches", "2", "--short", "2"]


def test_costs_and_agreement_are_printed(
    make_images: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(make_images)
    grouping_plan()
    assert SCRIPT.main(COMMAND) == 2
    assert "run scripts/task_grouping.py on this file first" in capsys.readouterr().err
    assert SEARCH.main(["-opt", "tiny.yml"]) == 0
    before = {p.name: p.read_bytes() for p in Path("groups").iterdir()}
    capsys.readouterr()
    assert SCRIPT.main(COMMAND) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[1][0] == "1" and rows[1][2] == "1.00" and rows[2][0] == "2"
    assert rows[6][:2] == ["gradient", "2"] and rows[7][:2] == ["fine_tune", "2"]
    assert all(-1 <= float(row[3]) <= 1 for row in rows[6:])
    assert {p.name: p.read_bytes() for p in Path("groups").iterdir()} == before


def test_spearman_is_one_for_any_rising_relation() -> None:
    values = torch.tensor([0.3, 2.0, 1.0, -4.0])
    assert SCRIPT.spearman(values, values.exp()) == pytest.approx(1)
    assert SCRIPT.spearman(values, -values) == pytest.approx(-1)
    assert SCRIPT.spearman(torch.arange(4.0), torch.tensor([1.0, 0, 3, 2])) == pytest.approx(0.6)
