from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from realsr_mtl.reporting.comparison import compare
from realsr_mtl.reporting.comparison_tables import gain_cells, gain_text, long_csv, score_cells
from tests.reporting._runs import table

RNG = np.random.default_rng(0)
BASE = RNG.normal(25, 3, (2, 20, 2))
TASKS = ("mild", "hard")
OPTIONS = {"metric": "psnr", "dataset": "v", "better": "higher", "replicates": 500}
COMPARISON = compare(
    [table("base", BASE, TASKS), table("own", BASE + np.array([0.5, -0.25]), TASKS)],
    masses={"mild": 0.75, "hard": 0.25},
    **OPTIONS,
)


def test_scores_have_their_spread_over_runs() -> None:
    rows = score_cells(COMPARISON)
    assert rows[0] == ["psnr", "base (2)", "own (2)"]
    assert [row[0] for row in rows[1:]] == ["mild", "hard", "mean", "mass-weighted", "worst"]
    means = BASE[:, :, 0].mean(1)
    assert rows[1][1] == f"{means.mean():.3f} ±{means.std(ddof=1):.3f}"
    single = compare([table("base", BASE[:1], TASKS)], masses=None, **OPTIONS)
    assert score_cells(single)[1] == ["mild", f"{means[0]:.3f}"]


def test_gains_have_intervals_and_marks() -> None:
    rows = {row[0]: row[1:] for row in gain_cells(COMPARISON)}
    assert rows["gain over base"] == ["own"]
    assert rows["mild"] == ["+0.500 [+0.500, +0.500] ▲"]
    assert rows["hard"] == ["-0.250 [-0.250, -0.250] ▼"]
    assert rows["mean"] == ["+0.125 [+0.125, +0.125] ▲"]
    assert rows["mass-weighted"][0].startswith("+0.312 ")
    assert rows["least gain of a task"] == ["-0.250 (hard)"]
    assert rows["every task gains at least"] == ["-0.250"]
    assert rows["tasks improved, harmed"] == ["1, 1 of 2"]


def test_without_masses_or_interval_there_is_none() -> None:
    one = compare(
        [table("base", BASE[:1, :1], TASKS), table("own", BASE[:1, :1] + 1, TASKS)],
        masses=None,
        **OPTIONS,
    )
    rows = {row[0]: row[1:] for row in gain_cells(one)}
    assert "mass-weighted" not in rows
    assert rows["mild"] == ["+1.000"]
    assert rows["least gain of a task"] == ["+1.000 (mild)"]
    assert rows["every task gains at least"] == [""]
    assert gain_text(one, one.differences[0].mean) == "+1.000"


def test_the_long_table_has_every_number() -> None:
    rows = list(csv.DictReader(io.StringIO(long_csv([COMPARISON, COMPARISON]))))
    assert len(rows) == 2 * (2 * 5 + 1)
    own = {row["name"]: row for row in rows if row["method"] == "own"}
    assert float(own["mild"]["gain"]) == pytest.approx(0.5)
    assert float(own["mild"]["baseline_score"]) == pytest.approx(BASE[:, :, 0].mean())
    assert own["mild"]["decision"] == "1" and own["hard"]["decision"] == "-1"
    assert own["mild"]["images"] == "20" and own["mean"]["runs"] == "2"
    assert float(own["mild"]["gain_spread"]) == pytest.approx(0, abs=1e-9)
    assert own["least gain of a task"]["gain_low"] != ""
    base = next(row for row in rows if row["method"] == "base")
    assert base["gain"] == "" and float(base["score"]) == float(base["baseline_score"])
