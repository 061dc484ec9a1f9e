from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.data.labels import label_files
from realsr_mtl.errors import UserError

ROOT = Path("input")


def test_folders_are_tasks_in_alphabetical_order():
    files = [ROOT / "snow/a.png", ROOT / "rain/light/b.png", ROOT / "snow/c.png"]
    assert label_files(files, ROOT, "folder") == (["rain", "snow"], [1, 0, 1])
    with pytest.raises(UserError, match=r"'input/x.png' lies in no folder below 'input'"):
        label_files([ROOT / "x.png"], ROOT, "folder")


def test_the_rule_of_the_allweather_set():
    """art.md section 4.3: raindrop first, because its names may also start with im."""
    names = ["0_rain.png", "im_0001_s80_a04.png", "beautiful_smile_00003.jpg", "im_rain.png"]
    tasks, labels = label_files([ROOT / name for name in names], ROOT, "allweather")
    assert [tasks[i] for i in labels] == ["raindrop", "rain_fog", "snow", "raindrop"]


def test_own_rules_are_tried_in_order():
    rules = [{"task": "hard", "starts": "h_", "ends": ".png"}, {"task": "rest"}]
    tasks, labels = label_files([Path("h_1.png"), Path("h_1.jpg"), Path("x.png")], ROOT, rules)
    assert tasks == ["hard", "rest"] and labels == [0, 1, 1]
    with pytest.raises(UserError, match=r"'x.bmp' fits no task_rule"):
        label_files([Path("x.bmp")], ROOT, "allweather")
    with pytest.raises(ValueError, match="is not of the form"):
        label_files([Path("x")], ROOT, [{"task": "a", "contains": "b"}])
