from __future__ import annotations

from pathlib import Path

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.reporting.curves import collect, draw_strategy

RECORDS = [
    {"iter": 0, "decision": {"omega": {"a": 1.0, "b": 1.5}, "share": {"a": 0.5, "b": 0.5}}},
    {"iter": 5, "loss": {"a": 0.1, "b": None}, "share": {"a": 0.5, "b": 0.5}},
    {"iter": 10, "decision": {"omega": {"a": 0.9, "b": 1.6}}},
    {"iter": 10, "loss": {"a": 0.2, "b": 0.3}, "share": {"a": 0.4, "b": 0.6}},
]


def test_points_come_from_log_lines_and_decisions_and_gaps_stay_gaps() -> None:
    assert collect(RECORDS, "loss") == {"a": [(5, 0.1), (10, 0.2)], "b": [(10, 0.3)]}
    assert collect(RECORDS, "omega") == {"a": [(0, 1.0), (10, 0.9)], "b": [(0, 1.5), (10, 1.6)]}
    assert collect(RECORDS, "share")["a"] == [(0, 0.5), (5, 0.5), (10, 0.4)]
    assert collect(RECORDS, "weight") == {}


def test_a_panel_for_each_quantity_with_a_history() -> None:
    assert draw_strategy(RECORDS, Path("three.png")) == Path("three.png")
    fewer = [{k: v for k, v in r.items() if k in ("iter", "loss")} for r in RECORDS]
    assert draw_strategy(fewer, Path("one.png")) is not None
    three, one = (cv2.imread(name) for name in ("three.png", "one.png"))
    assert three.shape[0] > 2 * one.shape[0] and one.std() > 5


def test_nothing_is_drawn_of_a_single_point() -> None:
    assert draw_strategy(RECORDS[:1], Path("none.png")) is None
    assert draw_strategy([], Path("none.png")) is None
    assert not Path("none.png").exists()


def test_many_tasks_become_a_range() -> None:
    records = [{"iter": i, "loss": {f"t{k}": k + i for k in range(100)}} for i in range(3)]
    assert draw_strategy(records, Path("many.png")) is not None
    assert cv2.imread("many.png").std() > 5
