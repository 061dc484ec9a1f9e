from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.reporting.comparison import Comparison, compare, spread
from tests.reporting._runs import table

BASE = (
    np.random.default_rng(3).normal(25, 3, (1, 40, 1))
    + np.array([0.0, -4.0, 2.0])
    + np.zeros((5, 1, 1))
)
TASKS = ("mild", "hard", "odd")


def _compare(*gains: tuple[float, float, float], better: str = "higher", **options) -> Comparison:
    rng = np.random.default_rng(4)
    tables = [table("base", BASE, TASKS)]
    for number, gain in enumerate(gains):
        noise = rng.normal(0, 0.05, BASE.shape) * any(gain)
        tables.append(table(f"m{number}", BASE + np.array(gain) + noise, TASKS))
    options = {"masses": None, "replicates": 1000, **options}
    return compare(tables, metric="psnr", dataset="val", better=better, **options)


def test_tasks_are_improved_and_harmed() -> None:
    (found,) = _compare((0.5, -0.3, 0.0001)).differences
    assert [found.decided(task) for task in TASKS] == [1, -1, 0]
    assert found.which(1) == ["mild"] and found.which(-1) == ["hard"]
    assert found.least_task == "hard"
    assert -0.35 < found.least_bound < found.tasks["hard"].estimate
    assert found.mean.estimate == pytest.approx(0.2 / 3, abs=0.02)
    assert found.worst.estimate == pytest.approx(-0.3, abs=0.03)
    assert found.weighted is None
    assert len(found.mean.seeds) == 5


def test_masses_weigh_the_tasks() -> None:
    masses = {"mild": 8.0, "hard": 1.0, "odd": 1.0}
    comparison = _compare((0.5, 0, 0), masses=masses)
    assert comparison.differences[0].weighted.estimate == pytest.approx(0.4, abs=0.02)
    assert comparison.summary(comparison.baseline, "mass-weighted") == pytest.approx(
        (0.8 * BASE[:, :, 0] + 0.1 * BASE[:, :, 1] + 0.1 * BASE[:, :, 2]).mean(1).tolist()
    )


def test_less_may_be_better() -> None:
    comparison = _compare((0.5, -0.3, 0.4), better="lower")
    (found,) = comparison.differences
    assert [found.decided(task) for task in TASKS] == [-1, 1, -1]
    assert comparison.summary(comparison.baseline, "worst") == pytest.approx(
        BASE.mean(1)[:, 2].tolist()
    )


def test_a_run_equals_itself() -> None:
    (found,) = _compare((0, 0, 0)).differences
    assert found.identical and found.mean_decided == 0
    assert found.which(1) == found.which(-1) == []


def test_the_mean_allows_for_the_number_of_methods() -> None:
    one = _compare((0.01, 0.01, 0.01)).differences[0]
    assert one.mean_adjusted == one.mean.p
    several = _compare(*[(0.01, 0.01, 0.01)] * 5).differences
    smallest = min(several, key=lambda d: d.mean.p)
    assert smallest.mean_adjusted == pytest.approx(min(1, 5 * smallest.mean.p))


def test_seeds_are_paired_whatever_their_order() -> None:
    own = table("own", BASE[:2] + 0.1)
    turned = type(own)("own", ("1", "0"), own.images, own.tasks, own.values[::-1])
    other = type(own)("own", ("0", "7"), own.images, own.tasks, own.values)
    base = table("base", BASE[:2])
    options = {"metric": "psnr", "dataset": "v", "better": "higher", "masses": None}
    found = [compare([base, t], replicates=300, **options).differences[0] for t in (turned, other)]
    assert [d.paired for d in found] == [True, False]
    assert found[0].mean.seeds == pytest.approx((0.1, 0.1))
    assert found[1].mean.seeds == ()


def test_there_is_no_spread_of_one_run() -> None:
    assert spread([1.0]) is None
    assert spread([1.0, 3.0]) == pytest.approx(2**0.5)
