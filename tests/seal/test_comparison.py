from __future__ import annotations

import math

import numpy as np
import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.seal.comparison import Difference, compare, decide
from realsr_mtl.seal.lines import Lines
from realsr_mtl.seal.report import CaseScores, Report, make_report

COUNT = 60
LOW = np.linspace(20, 26, COUNT)
NAMES = [f"s{i}" for i in range(COUNT)]
SPREAD = np.random.default_rng(0).normal(0, 0.2, COUNT)


def report(name: str, above: np.ndarray, lines: bool = True, order=slice(None), **about) -> Report:
    own = Lines(NAMES, {"psnr": LOW}, {"psnr": LOW + 0.3}, {"psnr": None})
    values = {"psnr": (LOW + above)[order]}
    better = {"psnr": "higher"}
    scores = CaseScores(name, NAMES[order], values, better, about={"cases": "c", **about})
    return make_report(scores, own if lines else None)


def test_a_clear_difference_of_the_acceptance_rate_decides():
    found = compare([report("x", SPREAD + 0.2), report("y", SPREAD)], "psnr", draws=300)
    assert found[0].better == "x"
    assert found[0].reason.startswith("AR differs: +")
    assert found[0].wins == 1
    turned = compare([report("y", SPREAD), report("x", SPREAD + 0.2)], "psnr", draws=300)
    assert turned[0].better == "x"


def test_close_rates_leave_it_to_the_spread():
    wide, narrow = report("wide", 8 * SPREAD), report("narrow", SPREAD)
    found = compare([wide, narrow], "psnr", draws=300)[0]
    assert found.differences["AR"].value == 0
    assert found.better == "narrow"
    assert found.reason.startswith("AR is close; RPR_I differs: +")


def test_the_same_network_twice_is_undecided():
    found = compare([report("x", SPREAD), report("y", SPREAD)], "psnr", draws=100)[0]
    assert found.better == ""
    assert found.reason == "AR is close; RPR_I is close; RPR_A is close; RPR_U is close"


def test_the_spread_never_ranks_networks_that_are_rarely_accepted():
    bad, worse = report("bad", SPREAD - 1), report("worse", 0.1 * SPREAD - 3)
    found = compare([bad, worse], "psnr", draws=100)[0]
    assert found.differences["RPR_I"].clear  # the worse one fails evenly
    assert found.better == "bad"
    assert "RPR_I says nothing with an AR below 0.1" in found.reason
    assert "RPR_A does not exist for both" in found.reason
    close = {"AR": Difference(0, -0.1, 0.1), "RPR_I": Difference(-1, -2, -0.5)}
    assert decide(close, (0.05, 0.5), ("a", "b"))[0] == ""
    assert decide(close, (0.5, 0.5), ("a", "b"))[0] == "a"


def test_a_difference_without_interval_is_not_clear():
    assert not Difference(1, math.nan, math.nan).clear


def test_cases_in_another_order_are_paired_by_name():
    order = slice(None, None, -1)
    one = compare([report("x", SPREAD), report("y", -SPREAD)], "psnr", draws=50)
    other = compare([report("x", SPREAD), report("y", -SPREAD, order=order)], "psnr", draws=50)
    assert one == other


def test_three_reports_are_three_pairs_and_without_lines_wins_are_counted():
    found = compare([report(n, SPREAD + i, lines=False) for i, n in enumerate("xyz")], "psnr")
    assert [(own.first, own.second, own.wins) for own in found] == [
        ("x", "y", 0),
        ("x", "z", 0),
        ("y", "z", 0),
    ]
    assert found[0].differences == {}
    assert "no lines" in found[0].reason


def test_other_cases_images_lines_or_metrics_are_refused():
    own = report("x", SPREAD)
    for key, words in [("cases", "cases"), ("images", "images"), ("inputs", "LQ images")]:
        with pytest.raises(UserError, match=f"'x' and 'y' were made with other {words};"):
            compare([own, report("y", SPREAD, **{key: "other"})], "psnr")
    with pytest.raises(UserError, match="other lines, least gaps"):
        compare([own, report("y", SPREAD, lines=False)], "psnr")
    with pytest.raises(UserError, match="no metric 'ssim', but psnr"):
        compare([own, own], "ssim")
    with pytest.raises(UserError, match="two reports or more"):
        compare([own], "psnr")
