"""CDR-style volumes on a real partition."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.strategies import SAMPLINGS, Setting
from realsr_mtl.strategies.sampling import DataRebalancing
from realsr_mtl.tasks import Partition
from tests._asserts import assert_same_distribution
from tests._strategies import f64

PSNR = f64([23.46, 23.05, 21.90, 21.08, 22.71, 22.30, 21.87, 20.70])
GAP = f64([0.05, 0.10, 0.20, 0.30, 0.10, 0.20, 0.40, 0.60])
TASKS = Partition(RealESRGAN(4))


def build(batch: int = 48, **options) -> DataRebalancing:
    made = Setting(TASKS.names, TASKS.masses, RandomStreams(0), batch)
    return SAMPLINGS.build({"type": "CDR", "warmup": 0, **options}, made)


def test_the_golden_example_through_the_whole_chain():
    values = dict(zip(TASKS.names, (PSNR + GAP).tolist(), strict=True))
    Path("references.json").write_text(json.dumps({"psnr": values}))
    sampling = build(reference="references.json", step=1e9)
    columns = sampling.update(0, PSNR)
    assert columns["volume"].tolist() == [7852, 6513, 2092, 1882, 2218, 1989, 722, 732]
    chosen = sampling.choose(torch.arange(24_000))
    assert torch.bincount(chosen).tolist() == columns["volume"].tolist()


def test_every_update_reports_what_it_did():
    columns = build().update(0, PSNR)
    expected = {"psnr", "kappa", "smoothed", "omega", "limited", "share", "volume"}
    assert columns.keys() == expected
    assert all(c.shape == (8,) for c in columns.values())


def test_poor_tasks_get_more_and_none_is_starved():
    sampling = build(every=10)
    for k in range(12):
        sampling.update(10 * k, f64([29, 29, 29, 29, 29, 29, 29, 15]))
    ratio = sampling.shares() / TASKS.masses
    assert float(ratio[7]) == pytest.approx(3)
    assert bool((ratio[:7] >= 0.5).all()) and bool((ratio[:7] < 1).all())


def test_equal_indicators_leave_the_natural_shares():
    columns = build().update(0, torch.full((8,), 22.0, dtype=torch.float64))
    assert torch.allclose(columns["share"], TASKS.masses, rtol=0, atol=1e-15)
    assert columns["volume"].tolist() == [8957, 6835, 1853, 1414, 2322, 1772, 480, 367]


def test_natural_shares_give_the_distribution_of_the_baseline():
    """Drawing a task and then a record of it is the same as drawing from the whole space."""
    sampling, streams = build(every=400), RandomStreams(0)
    sampling.update(0, torch.full((8,), 22.0, dtype=torch.float64))
    index = torch.arange(400 * 48)
    _, dealt = TASKS.sample(index, streams, sampling.choose(index))
    _, natural = TASKS.sample(index + len(index), streams)
    for name in natural.values:
        if not name.startswith("noise_seed"):
            assert_same_distribution(dealt[name].double(), natural[name].double())


def test_the_loss_is_never_weighted():
    assert not hasattr(build(), "weigh")
