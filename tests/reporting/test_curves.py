from __future__ import annotations

from pathlib import Path

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.reporting.curves import (
    COLOURS,
    LINES,
    collect,
    collect_plain,
    draw_panel,
    imbalance,
    legend,
    lines,
    thin,
)

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


def test_a_panel_shows_what_has_a_history() -> None:
    series = collect(RECORDS, "share")
    panel = draw_panel("share", "of samples", series, Path("out/share.png"), ["a", "b"])
    assert panel is not None and panel.summary == "At the end from 0.4 (a) to 0.6 (b)."
    picture = cv2.imread("out/share.png")
    assert picture.shape[1] > 500
    for code in COLOURS[:2]:
        bgr = [int(code[i : i + 2], 16) for i in (5, 3, 1)]
        assert (abs(picture.reshape(-1, 3).astype(int) - bgr).max(1) <= 6).any()
    assert draw_panel("x", "", {"a": [(1, 2.0)]}, Path("none.png")) is None
    assert draw_panel("x", "", {}, Path("none.png")) is None
    assert not Path("none.png").exists()


def test_a_task_has_one_look_in_all_panels_and_the_legend() -> None:
    names = [f"t{i}" for i in range(LINES)]
    assert legend(names) == lines(names)
    assert len({(line.colour, line.dashed) for line in lines(names)}) == LINES
    assert legend(names[:1]) == []
    assert [line.name for line in legend([*names, "more"])] == ["smallest", "median", "largest"]


def test_many_tasks_become_a_range() -> None:
    records = [{"iter": i, "loss": {f"t{k}": k + i for k in range(101)}} for i in range(3)]
    series = collect(records, "loss")
    assert thin(series) == {
        "smallest": [(0, 0), (1, 1), (2, 2)],
        "median": [(0, 50), (1, 51), (2, 52)],
        "largest": [(0, 100), (1, 101), (2, 102)],
    }
    assert draw_panel("loss", "", series, Path("many.png")) is not None


def test_the_imbalance_index_by_hand() -> None:
    omega = {"a": [(0, 1.0), (5, 0.5)], "b": [(0, 1.0), (5, 2.0), (9, 3.0)], "c": [(5, 7.0)]}
    found = imbalance(omega, {"a": 3.0, "b": 1.0})
    assert found == [(0, 0.0), (5, 0.75 * 0.25 + 0.25 * 1.0)]
    assert imbalance({}, {}) == []


def test_plain_values_over_the_iterations() -> None:
    records = [{"iter": 1, "lr": 0.1}, {"iter": 2, "seconds": {}}, {"iter": 3, "lr": 0.2}]
    assert collect_plain(records, "lr") == [(1, 0.1), (3, 0.2)]
