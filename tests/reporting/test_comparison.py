from __future__ import annotations

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.reporting.comparison import Arm, comparison_table, final_scores

BASE = Arm("natural", {"0": {"a": 24.0, "b": 20.0}, "1": {"a": 24.2, "b": 20.2}})
OTHER = Arm("cdr", {"0": {"a": 23.9, "b": 20.4}, "1": {"a": 24.3, "b": 20.5}})


def _row(iteration: int | None, task: str, psnr: float | None, network: str = "net_g") -> dict:
    row = {"iter": iteration, "dataset": "set", "task": task, "network": network, "images": 1}
    return {**row, "psnr": psnr}


def test_the_last_validation_counts() -> None:
    rows = [_row(None, "a", 30.0, "bicubic"), _row(5, "a", 20.0), _row(10, "a", 21.0)]
    assert final_scores(rows, "set", "psnr") == (10, {"a": 21.0})
    for dataset, metric in (("other", "psnr"), ("set", "ssim")):
        with pytest.raises(UserError, match=f"no '{metric}' on '{dataset}'"):
            final_scores(rows, dataset, metric)


def test_differences_are_formed_between_equal_seeds() -> None:
    assert OTHER.least_gain(BASE) == pytest.approx([-0.1, 0.1])
    assert OTHER.summary("mean") == pytest.approx([22.15, 22.4])
    assert OTHER.summary("worst") == [20.4, 20.5]


def test_the_table_shows_means_and_spreads() -> None:
    lines = comparison_table([BASE, OTHER], "natural").split("\n")
    assert lines[0] == "| method | runs | a | b | mean | worst | least gain over natural |"
    assert lines[2].startswith("| natural | 2 | 24.10 ±0.141 | 20.10 ±0.141 | 22.100 ±0.141 |")
    assert lines[2].endswith("|  |")
    assert lines[3].endswith("| 20.450 ±0.071 | +0.000 ±0.141 |")
    single = comparison_table([Arm("x", {"0": {"a": 1.0}})], "x").split("\n")[2]
    assert single == "| x | 1 | 1.00 | 1.000 | 1.000 |  |"


def test_runs_that_cannot_be_paired_are_refused() -> None:
    with pytest.raises(UserError, match="'more' has the seeds 7 and 'natural' 0, 1"):
        comparison_table([BASE, Arm("more", {"7": {"a": 1.0, "b": 1.0}})], "natural")
    less = Arm("less", {"0": {"a": 1.0}, "1": {"a": 1.0}})
    with pytest.raises(UserError, match="run 0 of 'less' has other tasks"):
        comparison_table([BASE, less], "natural")


def test_metrics_of_which_less_is_better() -> None:
    base = Arm("natural", {"0": {"a": 0.5, "b": 0.2}}, "lower")
    other = Arm("cdr", {"0": {"a": 0.4, "b": 0.25}}, "lower")
    assert base.summary("worst") == [0.5]
    assert other.least_gain(base) == pytest.approx([-0.05])
