from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.seal.intervals import paired_bootstrap, wilson
from realsr_mtl.seal.relative import MEASURES, Relative, relative


def network(scores: np.ndarray) -> Relative:
    zero = np.zeros(len(scores))
    return relative(scores, zero, zero + 0.5, tau=0.1)


def test_wilson():
    low, high = wilson(55, 93)
    assert (round(low, 2), round(high, 2)) == (0.49, 0.69)
    assert wilson(0, 93)[0] == 0
    assert wilson(93, 93)[1] == 1
    assert all(np.isnan(limit) for limit in wilson(0, 0))


def test_the_paired_bootstrap_uses_the_same_cases_for_both():
    noise = np.random.default_rng(0).normal(0, 1, 60)
    better, worse = network(noise + 0.3), network(noise)
    difference, low, high = paired_bootstrap(better, worse, MEASURES["AR"], draws=500)
    assert difference == better.measures()["AR"] - worse.measures()["AR"]
    assert 0 <= low < difference < high
    same = paired_bootstrap(worse, worse, MEASURES["AR"], draws=200)
    assert same == (0, 0, 0)
    assert paired_bootstrap(better, worse, MEASURES["AR"], draws=500)[1:] == (low, high)


def test_about_as_wide_as_the_standard_error_says():
    generator = np.random.default_rng(1)
    first, second = (network(generator.normal(0, 1, 100)) for _ in range(2))
    _, low, high = paired_bootstrap(first, second, MEASURES["AR"], draws=2000)
    difference = first.accepted.astype(float) - second.accepted
    assert (high - low) / (2 * 1.96) == pytest.approx(difference.std() / 10, rel=0.1)


def test_a_measure_that_rarely_exists_has_no_interval():
    nowhere = network(np.full(10, -1.0))
    found = paired_bootstrap(nowhere, nowhere, MEASURES["RPR_A"], draws=50)
    assert all(np.isnan(value) for value in found)
    nothing = relative(np.ones(3), np.ones(3), np.ones(3), tau=0.1)
    assert np.isnan(paired_bootstrap(nothing, nothing, MEASURES["AR"], draws=5)[1])
