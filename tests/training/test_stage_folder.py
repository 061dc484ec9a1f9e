from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.training.stage_folder import StageFolder

STAGES = {"first": ("a.json",), "second": ("b_*.json",)}


def folder(overwrite: bool = False) -> StageFolder:
    return StageFolder(Path("work"), overwrite, STAGES, "some:option")


def filled() -> None:
    for stage, file in (("first", "a.json"), ("second", "b_1.json")):
        folder().claim(stage, {"seed": 0})
        folder().write(file, [1])


def test_other_settings_are_named_with_the_option_to_change():
    filled()
    folder().claim("first", {"seed": 0})
    with pytest.raises(UserError, match="for seed = 0, now it is 1; choose another some:option"):
        folder().claim("first", {"seed": 1})


def test_overwriting_discards_a_stage_and_those_that_rest_on_it():
    filled()
    folder(overwrite=True).claim("second", {"seed": 1})
    assert folder().read("a.json") == [1]
    assert folder().read("b_1.json") is None
    folder(overwrite=True).claim("first", {"seed": 1})
    assert folder().read("a.json") is None
