from __future__ import annotations

import pytest
import torch

from realsr_mtl.errors import UserError
from realsr_mtl.strategies.sampling.controlled import ControlledVolumes
from tests._strategies import f64, setting

MASSES = [0.6, 0.3, 0.1]


class Controlled(ControlledVolumes):
    """Weights by hand."""

    weights = f64([1.0, 1.0, 1.0])

    def update(self, iteration, psnr):
        return self.next_interval(iteration, self.weights)


def dealt(sampling: Controlled, first: int, last: int, batch: int = 8) -> torch.Tensor:
    tasks = []
    for iteration in range(first, last):
        if sampling.due(iteration):
            sampling.update(iteration, None)
        tasks.append(sampling.choose(torch.arange(batch * iteration, batch * (iteration + 1))))
    return torch.cat(tasks)


def test_before_the_first_interval_the_code_path_is_the_baselines():
    sampling = Controlled(setting(masses=MASSES), every=5, warmup=3)
    assert sampling.choose(torch.arange(8)) is None
    assert sampling.shares().tolist() == MASSES
    sampling.update(3, None)
    assert sampling.choose(torch.arange(24, 32)) is not None


@pytest.mark.parametrize("deal", ["shuffled", "stratified"])
def test_every_interval_holds_its_volumes_exactly(deal):
    sampling = Controlled(setting(masses=MASSES), every=10, warmup=0, deal=deal, step=3.0)
    assert torch.bincount(dealt(sampling, 0, 10), minlength=3).tolist() == [48, 24, 8]
    sampling.weights = f64([0.5, 1.5, 2.5])
    columns = sampling.update(10, None)
    assert int(columns["volume"].sum()) == 80
    found = torch.bincount(dealt(sampling, 10, 20), minlength=3)
    assert torch.equal(found, columns["volume"])
    assert found.tolist() == [24, 36, 20]


def test_weights_of_one_give_the_natural_shares_exactly():
    sampling = Controlled(setting(masses=MASSES), every=10, warmup=0)
    columns = sampling.update(0, None)
    assert torch.equal(columns["share"], f64(MASSES))
    assert torch.equal(columns["limited"], f64([1, 1, 1]))


def test_two_processes_deal_one_deck():
    """The samples of a step belong to the processes in turn; indices are global."""
    whole = dealt(Controlled(setting(masses=MASSES, batch=8), every=10, warmup=0), 0, 10)
    ranks = [Controlled(setting(masses=MASSES, batch=8), every=10, warmup=0) for _ in range(2)]
    parts = []
    for iteration in range(10):
        for rank, sampling in enumerate(ranks):
            if sampling.due(iteration):
                sampling.update(iteration, None)
            start = 8 * iteration + 4 * rank
            parts.append(sampling.choose(torch.arange(start, start + 4)))
    assert torch.equal(torch.cat(parts), whole)


def test_another_batch_size_after_resuming_keeps_the_shares():
    sampling = Controlled(setting(masses=MASSES), every=10, warmup=0, step=3.0)
    sampling.weights = f64([0.5, 1.5, 2.5])
    dealt(sampling, 0, 4)
    other = Controlled(setting(masses=MASSES, batch=16), every=10, warmup=0, step=3.0)
    other.load_state_dict(sampling.state_dict())
    assert torch.allclose(other.shares(), sampling.shares(), atol=1e-15)
    assert len(dealt(other, 4, 10, batch=16)) == 96


@pytest.mark.parametrize("change", [{"every": 5}, {"warmup": 3}])
def test_other_intervals_after_resuming_are_refused(change):
    sampling = Controlled(setting(masses=MASSES), every=10, warmup=0)
    sampling.update(0, None)
    other = Controlled(setting(masses=MASSES), **{"every": 10, "warmup": 0, **change})
    with pytest.raises(UserError, match=r"every: 10 and warmup: 0 in the resumed run.*set them"):
        other.load_state_dict(sampling.state_dict())


def test_the_shuffling_does_not_follow_the_order_of_tasks():
    tasks = dealt(Controlled(setting(masses=MASSES), every=100, warmup=0), 0, 100)
    first = torch.bincount(tasks[:400], minlength=3)
    assert 200 < int(first[0]) < 280  # 240 expected, standard error about 7
