from __future__ import annotations

import numpy as np
import pytest
import torch

from realsr_mtl.tasks.boundaries import Boundary, Scale, best_boundary, explained

RNG = np.random.default_rng(0)
NAN = float("nan")


def test_explained_is_eta_squared():
    score = np.array([1.0, 1.0, 3.0, 3.0])
    assert explained(np.array([0, 0, 1, 1]), score) == 1
    assert explained(np.array([0, 1, 0, 1]), score) == 0
    assert explained(np.array([0, 0, 0, 1]), score) == pytest.approx(1 / 3)
    assert explained(np.array([0, 1, 2, 3]), np.ones(4)) == 0


def test_one_threshold_is_found_with_its_direction():
    x = RNG.uniform(0, 1, 4000)
    for rising in (True, False):
        beyond = x > 0.6 if rising else x < 0.6
        score = 25 - 2.0 * beyond + RNG.normal(0, 0.3, 4000)
        found = best_boundary("op", ["x"], {"x": x}, score)
        (scale,) = found.scales
        assert scale.rising == rising and len(scale.thresholds) == 1
        assert scale.thresholds[0] == pytest.approx(0.6, abs=0.035)
        assert found.count == 2


def test_a_second_threshold_only_where_it_explains_more():
    x = RNG.uniform(0, 1, 6000)
    steps = 25 - 2.0 * (x > 0.35) - 2.0 * (x > 0.7) + RNG.normal(0, 0.3, 6000)
    found = best_boundary("op", ["x"], {"x": x}, steps)
    assert found.count == 3
    assert found.scales[0].thresholds == pytest.approx((0.35, 0.7), abs=0.04)
    assert best_boundary("op", ["x"], {"x": x}, steps, second=0.9).count == 2


def test_two_kinds_of_noise_are_cut_together():
    gaussian = np.where(RNG.random(6000) < 0.5, RNG.uniform(1, 25, 6000), NAN)
    poisson = np.where(np.isnan(gaussian), RNG.uniform(0.05, 2.5, 6000), NAN)
    hard = (gaussian > 15) | (poisson > 1.4)
    score = 24 - 1.5 * hard + RNG.normal(0, 0.2, 6000)
    table = {"g": gaussian, "p": poisson}
    found = best_boundary("noise", ["g", "p"], table, score, second=0.9)
    thresholds = {s.parameter: s.thresholds[0] for s in found.scales}
    assert thresholds == {"g": pytest.approx(15, abs=1), "p": pytest.approx(1.4, abs=0.1)}
    assert explained(found.levels(table), score) > 0.85


def test_records_without_the_parameter_join_the_nearest_level():
    x = np.where(RNG.random(6000) < 0.6, RNG.uniform(0, 1, 6000), NAN)
    score = np.where(x > 0.5, 20.0, 24.0) + RNG.normal(0, 0.2, 6000)
    (scale,) = best_boundary("op", ["x"], {"x": x}, score).scales
    assert scale.absent == 0
    assert scale.levels(np.array([0.2, 0.9, NAN])).tolist() == [0, 1, 0]
    score = np.where(x < 0.5, 24.0, 20.0)  # NaN is no smaller than anything
    assert best_boundary("op", ["x"], {"x": x}, score).scales[0].absent == 1


def test_small_sides_are_not_cut_off():
    x = RNG.uniform(0, 1, 4000)
    score = 25 - 9.0 * (x > 0.97)
    found = best_boundary("op", ["x"], {"x": x}, score)
    counts = np.bincount(found.levels({"x": x}))
    assert counts.min() >= 400


def test_what_never_varies_cannot_be_cut():
    assert best_boundary("op", ["x"], {"x": np.ones(100)}, RNG.random(100)) is None
    assert best_boundary("op", [], {}, RNG.random(100)) is None


@pytest.mark.parametrize("rising", [True, False])
def test_intervals_contain_exactly_the_values_of_their_levels(rising):
    thresholds = (0.3, 0.7) if rising else (0.7, 0.3)
    scale = Scale("x", thresholds, rising, absent=1)
    values = np.array([0.0, 0.3, 0.5, 0.7, 0.9, NAN])
    levels = scale.levels(values)
    for first in range(3):
        for last in range(first, 3):
            interval = scale.interval(first, last)
            inside = (levels >= first) & (levels <= last)
            if interval is None:
                assert inside.all()
            else:
                assert interval.contains(torch.from_numpy(values)).tolist() == inside.tolist()


def test_the_region_of_all_levels_is_everything():
    boundary = Boundary("op", (Scale("x", (0.5,), True),))
    assert boundary.region(0, 1) == {}
    assert boundary.region(0, 0)["x"].to_json() == {"max": 0.5}
    assert boundary.region(1, 1)["x"].to_json() == {"above": 0.5}
