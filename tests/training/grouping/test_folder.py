from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.training.grouping.folder import GroupingFolder

SETTINGS = {"points": 5, "degradation": {"type": "RealESRGAN", "range": (1, 2)}}


def filled() -> Path:
    folder = GroupingFolder(Path("groups"), overwrite=False)
    for stage in ("points", "indicator", "rounds"):
        folder.claim(stage, SETTINGS)
    for name in ("points.jsonl", "indicator.jsonl", "round_1.json", "groups.json", "other.txt"):
        folder.write_text(name, "kept\n")
    return folder.root


def names(root: Path) -> set[str]:
    return {file.name for file in root.iterdir()} - {"settings.json"}


def test_results_of_the_same_options_are_kept():
    root = filled()
    before = names(root)
    for stage in ("points", "indicator", "rounds"):
        GroupingFolder(root, overwrite=False).claim(stage, SETTINGS)
    assert names(root) == before


def test_results_of_other_options_are_refused_with_the_first_difference():
    root = filled()
    changed = {**SETTINGS, "degradation": {"type": "RealESRGAN", "range": [1, 3]}}
    with pytest.raises(UserError, match=r"degradation:range = \[1, 2\], now it is \[1, 3\]"):
        GroupingFolder(root, overwrite=False).claim("indicator", changed)
    assert "indicator.jsonl" in names(root)


def test_overwriting_discards_the_stage_and_those_that_rest_on_it():
    root = filled()
    GroupingFolder(root, overwrite=True).claim("indicator", {})
    assert names(root) == {"points.jsonl", "other.txt"}
    GroupingFolder(root, overwrite=False).claim("points", SETTINGS)
    GroupingFolder(root, overwrite=False).claim("rounds", {"new": 1})


def test_a_line_that_a_kill_cut_off_is_dropped():
    folder = GroupingFolder(Path("groups"), overwrite=False)
    assert folder.lines("a.jsonl") == [] and folder.read("b.json") is None
    folder.claim("points", {})
    folder.append("a.jsonl", [{"task": "p0", "indicator": 0.1}])
    with (folder / "a.jsonl").open("a") as file:
        file.write('{"task": "p1", "ind')
    assert folder.lines("a.jsonl") == [{"task": "p0", "indicator": 0.1}]
    folder.append("a.jsonl", [{"task": "p1", "indicator": 0.2}])
    assert len(folder.lines("a.jsonl")) == 2


def test_a_damaged_file_is_named():
    folder = GroupingFolder(Path("groups"), overwrite=False)
    folder.write_text("round_1.json", "{")
    with pytest.raises(UserError, match=r"round_1.json' is damaged .*remove it"):
        folder.read("round_1.json")
