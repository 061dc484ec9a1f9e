from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student

from realsr_mtl.reporting.bootstrap import Bootstrap, Interval, Replicates, gain_interval, holm
from tests.reporting._runs import table


def _interval(own, base, statistic=lambda means: means.mean(-1), count=1000, seed=0, sign=1):
    own, base = np.asarray(own, float), np.asarray(base, float)
    bootstrap = Bootstrap(np.isfinite(base[0]), count, seed)
    paired = own.shape[0] == base.shape[0]
    return gain_interval(
        Replicates(table("own", own), bootstrap, 0),
        Replicates(table("base", base), bootstrap, 0 if paired else 1),
        statistic,
        sign=sign,
        paired=paired,
        freedom=bootstrap.freedom(),
    )


def _scores(rng, seeds, images, tasks, effect=0.0, seed_spread=0.0):
    """Baseline and method: large differences between images, small ones between methods."""
    base = rng.normal(25, 3, (1, images, 1)) + rng.normal(0, 1, (1, 1, tasks))
    base = base + np.zeros((seeds, images, tasks))
    change = rng.normal(effect, 0.3, (1, images, 1)) + rng.normal(0, 0.3, (1, images, tasks))
    return base + change + rng.normal(0, seed_spread, (seeds, 1, 1)), base


@pytest.mark.parametrize(("images", "least", "most"), [(30, 0.92, 0.975), (5, 0.91, 0.98)])
def test_the_interval_covers_the_truth_as_often_as_it_says(images, least, most) -> None:
    rng = np.random.default_rng(images)
    covered = 0
    for trial in range(600):
        own, base = _scores(rng, 1, images, 3, effect=0.1)
        found = _interval(own, base, count=400, seed=trial)
        covered += found.low <= 0.1 <= found.high
    assert least < covered / 600 < most


@pytest.mark.parametrize("spread", [0.02, 0.3])
def test_it_covers_other_seeds_too(spread: float) -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(300):
        own, base = _scores(rng, 3, 30, 2, seed_spread=spread)
        found = _interval(own, base, count=300, seed=trial)
        covered += found.low <= 0 <= found.high
    assert covered / 300 > 0.92


def test_it_is_students_interval_for_normal_differences() -> None:
    rng = np.random.default_rng(0)
    own, base = _scores(rng, 1, 40, 1)
    found = _interval(own, base, count=20_000)
    change = (own - base)[0, :, 0]
    half = student.ppf(0.975, 39) * change.std(ddof=1) / math.sqrt(40)
    assert found.estimate == pytest.approx(change.mean())
    assert found.low == pytest.approx(change.mean() - half, abs=0.06 * half)
    assert found.high == pytest.approx(change.mean() + half, abs=0.06 * half)
    statistic = abs(change.mean()) / change.std(ddof=1) * math.sqrt(40)
    assert found.p == pytest.approx(2 * student.sf(statistic, 39), rel=0.1)
    assert found.low < found.least < found.estimate


def test_pairing_removes_what_images_have_in_common() -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(25, 5, (1, 30, 1))
    found = _interval(base + 0.1 + rng.normal(0, 0.01, base.shape), base)
    assert 0.08 < found.low < found.high < 0.12


def test_equal_scores_have_no_difference_and_no_doubt() -> None:
    base = np.random.default_rng(0).normal(25, 3, (2, 10, 3))
    assert _interval(base, base) == Interval(0, 0, 0, 0, 1.0, (0.0, 0.0))


def test_a_constant_gain_is_certain() -> None:
    base = np.ones((1, 4, 1))
    found = _interval(base + 1, base)
    assert (found.estimate, found.low, found.high, found.p) == (1, 1, 1, 0)


def test_a_single_image_says_nothing() -> None:
    found = _interval(np.ones((1, 1, 2)), np.zeros((1, 1, 2)))
    assert found.estimate == 1 and found.p == 1
    assert math.isnan(found.low) and math.isnan(found.high)


def test_less_may_be_better() -> None:
    rng = np.random.default_rng(0)
    own, base = _scores(rng, 1, 20, 1)
    up, down = _interval(own, base), _interval(own, base, sign=-1)
    assert down.estimate == -up.estimate
    assert down.p == pytest.approx(up.p, rel=0.05)


def test_seeds_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    own, base = _scores(rng, 2, 50, 1)
    agreeing = _interval(own, base)
    own[1] += 0.5
    differing = _interval(own, base)
    assert differing.high - differing.low > 10 * (agreeing.high - agreeing.low)
    assert differing.seeds[1] == pytest.approx(differing.seeds[0] + 0.5)


def test_methods_with_other_numbers_of_seeds_are_not_paired() -> None:
    rng = np.random.default_rng(0)
    own, base = _scores(rng, 3, 20, 1)
    found = _interval(own, base[:1])
    assert found.seeds == ()
    assert found.low < found.estimate < found.high


def test_images_of_different_tasks_are_drawn_among_themselves() -> None:
    rng = np.random.default_rng(0)
    base = np.full((1, 12, 2), np.nan)
    base[0, :4, 0], base[0, 4:, 1] = rng.normal(20, 1, 4), rng.normal(30, 1, 8)
    bootstrap = Bootstrap(np.isfinite(base[0]), 500)
    assert (bootstrap.freedom(), bootstrap.freedom(0), bootstrap.freedom(1)) == (10, 3, 7)
    means = bootstrap.task_means(base)
    assert means.shape == (500, 1, 2)
    assert np.isfinite(means).all()
    assert abs(means[:, 0, 0].mean() - base[0, :4, 0].mean()) < 0.1
    assert np.var(means[:, 0, 0]) == pytest.approx(np.var(base[0, :4, 0], ddof=1) / 4, rel=0.2)


def test_draws_are_repeated_by_their_seed() -> None:
    values = np.random.default_rng(0).normal(size=(2, 9, 2))
    present = np.ones((9, 2), bool)
    one, again, other = (Bootstrap(present, 300, seed) for seed in (1, 1, 2))
    assert (one.task_means(values) == again.task_means(values)).all()
    assert (one.task_means(values) != other.task_means(values)).any()
    weights = one.seed_weights(3, 0)
    assert weights.sum(1) == pytest.approx(np.ones(300))
    assert (weights == one.seed_weights(3, 0)).all()
    assert (weights != one.seed_weights(3, 1)).any()


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
