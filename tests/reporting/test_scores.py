from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.reporting.scores import (
    ImageRow,
    forget_scores_after,
    read_masses,
    read_scores,
    score_file,
    scored_iterations,
    write_masses,
    write_scores,
)

ROWS = [
    ImageRow('a,"b', "mild|x", "01", {"psnr": 0.1 + 0.2, "ssim": math.inf}),
    ImageRow("c", "hard", "02", {"psnr": 21.0}),
]


def test_what_is_written_is_read_to_the_last_bit() -> None:
    file = write_scores(Path("run"), "set_5", 300, ROWS)
    assert file == Path("run/scores/set_5_300.csv")
    assert read_scores(file) == ROWS
    assert write_scores(Path("run"), "lq", 300, [ImageRow("a", "b", "c")]) is None


def test_iterations_belong_to_their_data_set() -> None:
    for dataset, label in (("set", 5), ("set", 20), ("set_5", 7), ("set", "bicubic")):
        write_scores(Path(), dataset, label, ROWS)
    assert scored_iterations(Path(), "set") == [5, 20]
    assert scored_iterations(Path(), "set_5") == [7]
    assert scored_iterations(Path("nothing"), "set") == []


def test_a_resumed_run_has_no_later_scores() -> None:
    for label in (5, 10, 20, "bicubic", "test"):
        write_scores(Path(), "set", label, ROWS)
    forget_scores_after(Path(), 10)
    assert scored_iterations(Path(), "set") == [5, 10]
    assert score_file(Path(), "set", "bicubic").is_file()


def test_masses_are_those_of_the_validated_tasks_too() -> None:
    assert read_masses(Path()) == {}
    tasks = [{"name": "G0", "mass": 0.5}, {"name": "pair", "mass": None}]
    Path("tasks.json").write_text(json.dumps(tasks))
    write_masses(Path(), {"mild": 0.75})
    assert read_masses(Path()) == {"G0": 0.5, "mild": 0.75}


def test_another_file_is_no_table_of_scores() -> None:
    Path("x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"'x\.csv' is no table of scores"):
        read_scores(Path("x.csv"))
