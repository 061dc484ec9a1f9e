from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scripts import load_script
from tests.training.grouping._plans import grouping_plan, prepare

SCRIPT = load_script("task_grouping")


@pytest.fixture(autouse=True)
def _prepared(make_images: Callable[..., Path]) -> None:
    prepare(make_images)
    grouping_plan()


def test_groups_are_found_drawn_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert SCRIPT.main(["-opt", "tiny.yml"]) == 0
    written = {file.name for file in Path("groups").iterdir()}
    assert written == {
        *(
            "settings.json",
            "points.jsonl",
            "indicator.jsonl",
            "before.json",
            "round_1.json",
            "round_2.json",
        ),
        *("tasks.csv", "groups.json", "random_groups.json"),
        *("indicator.png", "improvement.png", "space.png"),
    }
    text = capsys.readouterr().out
    assert "G1 " in text and "G2 " in text and "1 of 5 tasks are in no group" in text
    assert "python realsr_mtl/train.py -opt tiny.yml" in text
    first = json.loads(Path("groups/groups.json").read_text())["groups"]
    assert SCRIPT.main(["-opt", "tiny.yml"]) == 0
    assert json.loads(Path("groups/groups.json").read_text())["groups"] == first


def test_mistakes_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert SCRIPT.main(["-opt", "tiny.yml", "--force_yml", "strategy:grouping:point=3"]) == 2
    assert "did you mean 'points'?" in capsys.readouterr().err
    assert SCRIPT.main(["-opt", "tiny.yml"]) == 0
    assert SCRIPT.main(["-opt", "tiny.yml", "--force_yml", "strategy:grouping:seed=3"]) == 2
    assert "seed = 0, now it is 3" in capsys.readouterr().err
    options = ["--overwrite", "--force_yml", "strategy:grouping:seed=3"]
    assert SCRIPT.main(["-opt", "tiny.yml", *options]) == 0
