from __future__ import annotations

from typing import Any

import pytest

from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.strategies.grouping import GROUPINGS, TaskGrouping
from tests.tasks.test_groups import GROUPS, write


def build(**options: Any) -> TaskGrouping:
    grouping = GROUPINGS.build({"type": "TGSR", "folder": ".", **options})
    assert isinstance(grouping, TaskGrouping)
    return grouping


def test_defaults_are_those_of_the_paper():
    own = build()
    assert (own.points, own.indicator_iter, own.window, own.fraction) == (4000, 100, 10, 0.4)
    assert (own.joint_iter, own.thresholds, own.unit) == (10_000, (0.8, 0.6, 0.4, 0.2), "dB")


def test_groups_of_the_same_options_are_trained_on():
    write(options=build(points=9).decisive)
    assert build(points=9, side_by_side=3).tasks(RealESRGAN(4), 4).names == ["G0", *GROUPS]
    with pytest.raises(ValueError, match="were made with points: 9, this file has 10"):
        build(points=10).tasks(RealESRGAN(4), 4)
    write()
    with pytest.raises(ValueError, match="were made with points: None"):
        build(points=9).tasks(RealESRGAN(4), 4)


def test_without_groups_the_sentence_names_the_command():
    with pytest.raises(ValueError, match=r"does not exist .*scripts/task_grouping.py"):
        build().tasks(RealESRGAN(4), 4)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"thresholds": [0.2, 0.4]}, "strictly decreasing"),
        ({"thresholds": [0.2, 0.2]}, "strictly decreasing"),
        ({"thresholds": []}, "strictly decreasing"),
        ({"thresholds": [1.2, 0.5], "unit": "quantile"}, "quantiles lie between 0 and 1"),
        ({"window": 9, "indicator_iter": 8}, r"window \(9\) is longer"),
        ({"fraction": 0}, "greater than 0"),
        ({"points": 0}, "greater than or equal to 1"),
        ({"gradient_batches": 1}, "greater than or equal to 2"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        build(**options)
