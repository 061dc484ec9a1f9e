from __future__ import annotations

import pytest
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.strategies.volumes import deck, volumes
from tests._strategies import f64


def test_volumes_add_up_and_the_largest_remainders_get_the_rest():
    assert volumes(f64([0.5, 0.3, 0.2]), 10).tolist() == [5, 3, 2]
    assert volumes(f64([0.24, 0.26, 0.5]), 10).tolist() == [2, 3, 5]
    assert volumes(f64([1 / 3, 1 / 3, 1 / 3]), 10).tolist() == [4, 3, 3]  # ties: the first task
    shares = torch.rand(4000, dtype=torch.float64)
    counts = volumes(shares / shares.sum(), 8000)
    assert int(counts.sum()) == 8000
    assert bool(((counts - 8000 * shares / shares.sum()).abs() < 1).all())


@pytest.mark.parametrize("stratified", [False, True])
def test_a_deck_holds_every_task_as_often_as_its_count(stratified):
    counts = torch.tensor([50, 0, 7, 143])
    dealt = deck(counts, RandomStreams(1), 3, stratified)
    assert torch.bincount(dealt, minlength=4).tolist() == counts.tolist()
    assert torch.equal(dealt, deck(counts, RandomStreams(1), 3, stratified))
    assert not torch.equal(dealt, deck(counts, RandomStreams(1), 4, stratified))
    assert not torch.equal(dealt, deck(counts, RandomStreams(2), 3, stratified))
    assert not torch.equal(dealt, dealt.sort().values)


def test_stratified_dealing_spreads_every_task():
    counts = torch.tensor([100, 300, 600])
    parts = deck(counts, RandomStreams(0), 0, stratified=True).view(10, 100)
    for part in parts:
        found = torch.bincount(part, minlength=3)
        assert bool(((found - counts / 10).abs() <= 2).all())
