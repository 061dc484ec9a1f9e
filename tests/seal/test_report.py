from __future__ import annotations

import json

import numpy as np
import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.seal.lines import Lines
from realsr_mtl.seal.report import CaseScores, make_report, relative_of
from realsr_mtl.tasks import Case

NAMES = ["a", "b", "c", "d", "e"]
LOW = np.array([23.2, 24.0, 22.0, 25.0, 22.0])
HIGH = np.array([23.6, 24.4, 22.05, 25.5, 22.3])
Q = np.array([23.0, 24.2, 21.9, 25.6, 22.4])
CASES = [
    Case("a", "one", 0.4, {}, {"noise": "low"}),
    Case("b", "one", 0.1, {}, {"noise": "high"}),
    Case("c", "two", 0.3, {}, {"noise": "high"}),
    Case("d", "two", 0.1, {}, {"noise": "high"}),
    Case("e", "two", 0.1, {}, {}),
]


def lines(low=LOW, high=HIGH, metric="psnr", **more) -> Lines:
    return Lines(NAMES, {metric: low}, {metric: high}, more.pop("decimals", {metric: None}), **more)


def scores(values=Q, metric="psnr", better="higher", names=NAMES, **more) -> CaseScores:
    return CaseScores("net", list(names), {metric: values}, {metric: better}, **more)


def test_a_report_of_the_worked_example():
    report = make_report(scores(), lines(), CASES)
    found = report["metrics"]["psnr"]
    assert found["cases"] == 5
    assert found["mean"] == pytest.approx(Q.mean())  # over all cases
    assert (found["valid"], found["accepted"], found["dropped"]) == (4, 3, ["c"])
    assert found["AR"] == 0.75
    assert found["AR_interval"] == pytest.approx([0.3006, 0.9544], abs=1e-4)
    assert round(found["RPR_I"], 5) == 0.21301
    assert found["above_excellence"] == 0.5
    assert found["worst"] == ["a", "b", "d", "e"]
    assert found["weighted_AR"] == pytest.approx(0.3 / 0.7)
    assert found["by"]["family"]["one"]["AR"] == 0.5
    assert found["by"]["family"]["two"]["valid"] == 2
    assert found["by"]["noise"]["high"]["accepted"] == 2
    assert found["by"]["family"]["two"]["RPR_U"] is None
    assert [row["psnr_R"] is None for row in report["rows"]] == [0, 0, 1, 0, 0]
    assert relative_of(json.loads(json.dumps(report)), "psnr").measures() == pytest.approx(
        {name: found[name] for name in ("AR", "RPR_I", "RPR_A", "RPR_U", "RPR")}
    )


def test_the_order_of_cases_changes_nothing():
    order = [3, 0, 4, 2, 1]
    one = make_report(scores(), lines(), CASES)["metrics"]["psnr"]
    turned = scores(Q[order], names=[NAMES[i] for i in order])
    other = make_report(turned, lines(), CASES[::-1])["metrics"]["psnr"]
    for name in ("AR", "RPR_I", "RPR_A", "RPR_U", "weighted_AR", "mean"):
        assert one[name] == pytest.approx(other[name])
    for kind, bands in one["by"].items():
        for band, own in bands.items():
            assert own["RPR"] == pytest.approx(other["by"][kind][band]["RPR"])


def test_scores_get_the_decimals_of_rounded_lines():
    exact = scores(np.where(Q == 24.2, 23.9996, Q))
    assert make_report(exact, lines())["rows"][1]["psnr_R"] < 0.5
    rounded = make_report(exact, lines(decimals={"psnr": 3}))
    assert rounded["rows"][1]["psnr_R"] == 0.5
    assert rounded["metrics"]["psnr"]["accepted"] == 3
    coarse = lines(decimals={"psnr": 0})  # which cases count never depends on the scores
    assert make_report(scores(), coarse)["metrics"]["psnr"]["dropped"] == ["c"]


def test_a_negative_gap_is_reported_and_does_not_count():
    found = make_report(scores(), lines(high=HIGH - np.array([0, 0, 0, 0.6, 0])))
    found = found["metrics"]["psnr"]
    assert found["negative_gaps"] == ["d"]
    assert found["dropped"] == ["c", "d"]


def test_without_lines_there_are_means_and_quantiles_only():
    report = make_report(scores())
    found = report["metrics"]["psnr"]
    assert report["lines"] is None
    assert "AR" not in found
    assert found["quantiles"]["0.5"] == 23.0
    assert found["worst"][0] == "c"
    worst = make_report(scores(Q, better="lower"))["metrics"]["psnr"]
    assert worst["worst"][0] == "d"
    assert worst["worst_tenth"] == 25.6


def test_mistakes_are_named():
    with pytest.raises(UserError, match="5 cases, the lines of 5; 'x' has none there"):
        make_report(scores(names=["x", *NAMES[1:]]), lines())
    with pytest.raises(UserError, match="the case file of 4; 'e' has none there"):
        make_report(scores(), lines(), CASES[:4])
    with pytest.raises(UserError, match="no least gap is known for the metric 'topiq'"):
        make_report(scores(metric="topiq"), lines(metric="topiq"))
    report = make_report(scores(metric="topiq"), lines(metric="topiq"), tau={"topiq": 0.2})
    assert report["tau"] == {"topiq": 0.2}
