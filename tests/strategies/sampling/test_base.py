"""What holds for every registered task sampling."""

from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies import SAMPLINGS
from tests._strategies import f64, setting

OPTIONS = {
    "Fixed": {"shares": {"t1": 3.0, "t3": 1.0}},
    "DataRebalancing": {"every": 4, "warmup": 2},
    "Weighted": {"every": 4, "prior": "natural"},
}
MASSES = [0.5, 0.3, 0.15, 0.05]


def build(name: str, made=None):
    return SAMPLINGS.build({"type": name, **OPTIONS.get(name, {})}, made or setting(masses=MASSES))


def scores(iteration: int) -> torch.Tensor:
    return f64([24.0, 23.0, 22.0 + iteration / 10, 20.0])


def run(sampling, first: int, last: int) -> list[list[int] | None]:
    chosen = []
    for iteration in range(first, last):
        if sampling.due(iteration):
            sampling.update(iteration, scores(iteration))
        index = torch.arange(8 * iteration, 8 * iteration + 8)
        tasks = sampling.choose(index)
        chosen.append(None if tasks is None else tasks.tolist())
    return chosen


@pytest.mark.parametrize("name", SAMPLINGS)
def test_shares_are_a_distribution(name):
    sampling = build(name)
    run(sampling, 0, 11)
    assert sampling.shares().shape == (4,)
    assert sampling.shares().sum().item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", SAMPLINGS)
@pytest.mark.parametrize("stop", [1, 3, 6, 7])
def test_saving_in_the_middle_changes_nothing(name, stop):
    whole, first, second = build(name), build(name), build(name)
    expected = run(whole, 0, 14)
    found = run(first, 0, stop)
    second.load_state_dict(first.state_dict())
    assert found + run(second, stop, 14) == expected


@pytest.mark.parametrize("name", SAMPLINGS)
def test_a_choice_does_not_depend_on_the_batch_or_the_process(name):
    sampling = build(name)
    run(sampling, 0, 3)
    index = torch.arange(24, 32)
    whole = sampling.choose(index)
    if whole is not None:
        parts = [sampling.choose(index[:3]), sampling.choose(index[3:])]
        assert torch.equal(torch.cat(parts), whole)
        assert whole.dtype == torch.int64


@pytest.mark.parametrize("name", SAMPLINGS)
def test_unknown_state_is_refused(name):
    sampling = build(name)
    with pytest.raises(ValueError, match=f"{name} does not keep surprise"):
        sampling.load_state_dict({**sampling.state_dict(), "surprise": 1})


@pytest.mark.parametrize("name", [n for n in SAMPLINGS if n != "Natural"])
def test_thousands_of_tasks(name):
    made = setting(4000, batch=16)
    sampling = build(name, made)
    for iteration in range(3):
        if sampling.due(iteration):
            sampling.update(iteration, torch.full((4000,), 22.0, dtype=torch.float64))
    chosen = sampling.choose(torch.arange(32, 48))
    assert chosen is not None and chosen.shape == (16,)
    assert int(chosen.min()) >= 0 and int(chosen.max()) < 4000
