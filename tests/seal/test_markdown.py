from __future__ import annotations

import numpy as np

from realsr_mtl.seal.comparison import compare
from realsr_mtl.seal.markdown import comparison_markdown, report_markdown, table
from realsr_mtl.seal.report import make_report
from tests.seal.test_report import CASES, HIGH, Q, lines, scores


def test_a_report_has_counts_intervals_families_and_dashes():
    text = report_markdown(make_report(scores(), lines(about={"file": "line.csv"}), CASES))
    assert "# SEAL: net\n" in text
    assert "imported from line.csv" in text
    assert "4 of 5 cases count (gap of at least 0.1; median gap 0.4000); dropped: c." in text
    assert "| all | 4 | 0.7500 [0.3006, 0.9544] | 0.2130 | 0.7275 (3) | 0.3775 (1) |" in text
    assert "| family: two | 2 | 1.0000" in text
    assert "| - (0) |" in text
    assert "AR weighted by clusters 0.4286" in text


def test_a_bad_network_and_bad_lines_are_pointed_out():
    about = {"acceptance": {"type": "A"}, "excellence": {"type": "E"}}
    bad = make_report(scores(Q - 9), lines(high=HIGH - np.array([0, 0, 0, 9, 0]), about=about))
    text = report_markdown(bad)
    assert "A and E, trained here" in text
    assert "below 0.1 RPR_I says nothing" in text
    assert "train those lines again" in text
    assert "No lines" in report_markdown(make_report(scores()))


def test_a_comparison():
    reports = [make_report(scores(), lines()), make_report(scores(Q + 1), lines())]
    text = comparison_markdown(reports, compare(reports, "psnr", draws=50), "psnr")
    assert "nan" not in text
    assert "| net | 23.4200 | 0.7500 [0.3006, 0.9544] |" in text
    assert "| net - net | 0.00 |" in text
    alone = [make_report(scores()), make_report(scores())]
    assert "| - | - | - | - |" in comparison_markdown(alone, compare(alone, "psnr"), "psnr")


def test_table():
    assert table([["a", "b"], ["1", "2"]]) == "| a | b |\n|---|---|\n| 1 | 2 |"
