from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.reporting.grouping import (
    FIGURES,
    GroupingTable,
    draw_grouping,
    format_groups,
    group_table,
    separation,
)


def write_folder(folder: Path = Path()) -> Path:
    """Six tasks, groups G1 and G3; p0 lacks a cut-off."""
    folder.mkdir(parents=True, exist_ok=True)
    groups = {"p2": "G1", "p4": "G3", "p5": "G3"}
    lines = ["task,indicator,loss_before,loss_after,unsatisfactory,psnr,improvement_1,"
             "improvement_2,improvement_3,group"]  # fmt: skip
    for i in range(6):
        gains = {2: ("0.9", "", ""), 3: ("0.1", "0.1", "0.1")}.get(i, ("0.2", "0.3", f"0.{i}"))
        low = i > 1
        cells = [f"p{i}", f"0.9{i}", "0.05", "0.04", str(int(low)), "22" if low else ""]
        own = groups.get(f"p{i}", "G0")
        lines.append(",".join([*cells, *(gains if low else ("", "", "")), own]))
    (folder / "tasks.csv").write_text("\n".join(lines) + "\n")
    records = [
        {"task": f"p{i}", "pipeline": "x", "scale": 4, "sigma": float(i), "cutoff": i or None}
        for i in range(6)
    ]
    (folder / "points.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    entries = [
        {"name": "G1", "threshold": 0.8, "threshold_in_dB": 0.8, "points": ["p2"]},
        {"name": "G3", "threshold": 0.35, "threshold_in_dB": 0.35, "points": ["p4", "p5"]},
    ]
    (folder / "groups.json").write_text(json.dumps({"groups": entries}))
    return folder


def test_the_table_shows_sizes_gains_and_chances():
    table = format_groups(write_folder()).splitlines()
    assert table[1].split() == [
        "G1",
        "0.800",
        "dB",
        "1",
        "0.900",
        "dB",
        "0.900",
        "0.900",
        "33.333%",
    ]
    assert table[2].split() == [
        "G3",
        "0.350",
        "dB",
        "2",
        "0.450",
        "dB",
        "0.400",
        "0.500",
        "16.667%",
    ]
    assert table[3:] == [
        "G0: the whole space; 3 of 6 tasks are in no group",
        "4 of 6 tasks are unsatisfactory",
    ]


def test_figures_are_drawn_from_the_files():
    files = draw_grouping(write_folder())
    assert [file.name for file in files] == ["indicator.png", "improvement.png", "space.png"]
    for file in files:
        assert min(cv2.imread(str(file)).shape[:2]) > 150
    red = (abs(cv2.imread("improvement.png").reshape(-1, 3).astype(int) - (40, 39, 214))).max(1)
    assert (red < 3).any()  # the bar of G1


def test_missing_values_are_nan():
    table = GroupingTable(write_folder())
    assert np.isnan(table.parameters["cutoff"][0]) and table.parameters["cutoff"][3] == 3
    assert np.isnan(table.column("improvement_2")[:3]).all()
    assert table.rounds == 3 and table.improvement("G3").tolist() == [0.4, 0.5]


def test_separation_is_the_chance_of_being_larger():
    inside = np.array([True, True, False, False, False])
    effect, z = separation(np.array([4.0, 5, 1, 2, 3]), inside)
    assert effect == 1 and z == pytest.approx(1 / np.sqrt(6 / 18))
    assert separation(np.array([1.0, 5, 2, 3, 4]), inside)[0] == 0
    assert separation(np.array([3.0, 3, 3, 3, 3]), inside) == (0, 0)
    assert separation(np.array([4.0, np.nan, 1, np.nan, np.nan]), inside)[0] == 1
    assert separation(np.array([np.nan, np.nan, 1, 2, 3]), inside) == (0, 0)


def test_the_groups_as_cells_and_the_figures_by_name():
    rows = group_table(write_folder())
    assert rows[1] == ["G1", "1", "0.800", "0.900", "0.900", "0.900"]
    assert rows[-1] == ["G0 (in none)", "3", "", "", "", ""]
    assert {file.name for file in draw_grouping(Path())} == set(FIGURES)
