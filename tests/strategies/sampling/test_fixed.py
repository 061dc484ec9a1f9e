from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies.sampling import Fixed
from tests._asserts import assert_frequency
from tests._strategies import setting


def test_tasks_come_with_the_given_shares():
    sampling = Fixed(setting(), shares={"t2": 3.0, "t0": 1.0})
    chosen = sampling.choose(torch.arange(40_000))
    assert_frequency(chosen == 2, 0.75)
    assert_frequency(chosen == 0, 0.25)
    assert set(chosen.unique().tolist()) == {0, 2}
    assert sampling.shares().tolist() == [0.25, 0, 0.75, 0]


def test_one_task_alone():
    sampling = Fixed(setting(), shares={"t1": 0.1})
    assert sampling.choose(torch.arange(1000)).unique().tolist() == [1]


@pytest.mark.parametrize(
    ("shares", "sentence"),
    [
        ({"t9": 1.0}, "no task is called 't9'.*Accepted: t0"),
        ({"t0": -1.0, "t1": 2.0}, "must not be negative"),
        ({"t0": 0.0}, "all zero"),
        ({}, "all zero"),
        ({"t0": float("nan")}, "must not be negative"),
    ],
)
def test_senseless_shares_are_refused(shares, sentence):
    with pytest.raises(ValueError, match=sentence):
        Fixed(setting(), shares=shares)
