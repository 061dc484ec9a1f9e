from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies.sampling import Weighted
from tests._strategies import f64, setting


def test_shares_follow_the_mean_weights_of_the_interval():
    sampling = Weighted(setting(), every=10, prior="uniform", step=10.0, lower=0.1, upper=9.0)
    assert sampling.update(0, None)["share"].tolist() == [0.25] * 4
    every = torch.ones(4, dtype=torch.bool)
    sampling.follow(f64([1.0, 1.0, 1.5, 0.5]), every)
    sampling.follow(f64([3.0, 1.0, 0.0, 0.0]), torch.tensor([True, True, False, False]))
    columns = sampling.update(10, None)
    means = f64([2.0, 1.0, 1.5, 0.5])
    assert torch.allclose(columns["share"], means / means.sum())
    untouched = sampling.update(20, None)["share"]  # nothing was seen: everything stays
    assert torch.allclose(untouched, columns["share"])


def test_the_prior_says_what_a_weight_of_one_means():
    masses = [0.7, 0.2, 0.1]
    natural = Weighted(setting(masses=masses), every=10, prior="natural")
    uniform = Weighted(setting(masses=masses), every=10, prior="uniform")
    assert natural.update(0, None)["share"].tolist() == pytest.approx(masses)
    assert uniform.update(0, None)["share"].tolist() == pytest.approx([1 / 3] * 3)
