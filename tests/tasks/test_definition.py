from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.degradations.samplers import Gated, RealESRGAN
from realsr_mtl.errors import UnavailableError
from realsr_mtl.tasks import RegionTasks
from realsr_mtl.tasks.definition import capacities, define, forest_r2

COUNT = 2000


def sample(sampler, seed: int = 0):
    records = sampler.sample(torch.arange(COUNT), RandomStreams(seed))
    return {name: records[name].double().numpy() for name in sampler.space.parameters}


@pytest.fixture(scope="module")
def measured():
    """A made-up network: the second resize matters most, the noise some, blur and JPEG nothing."""
    sampler = RealESRGAN(4)
    table = sample(sampler)
    noise = (table["gaussian_sigma2"] > 15) | (table["poisson_scale2"] > 1.4)
    score = 24 - 2.0 * (table["resize_scale2"] < 0.6) - 0.9 * noise
    score += 0.2 * np.random.default_rng(0).normal(size=COUNT)
    return sampler, table, score


def test_capacities_name_the_operators_that_matter(measured):
    sampler, table, score = measured
    few = slice(0, 700)  # enough for a made-up network, and quick
    part = {name: values[few] for name, values in table.items()}
    found = {c.operator: c for c in capacities(sampler.space, part, score[few])}
    assert list(found)[:2] == ["resize2", "noise2"]
    assert found["resize2"].first_order > 0.5
    assert found["noise2"].first_order == pytest.approx(0.2, abs=0.1)
    others = [c for name, c in found.items() if name not in ("resize2", "noise2")]
    assert max(max(c.first_order, c.drop_one) for c in others) < 0.03
    assert {"jpeg1", "jpeg2", "final", "blur1", "blur2"} <= set(found)


def test_an_interaction_shows_when_an_operator_is_left_out():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 2, (2, COUNT)).astype(float)
    table = {"a": a, "b": b}
    score = (a == b).astype(float)
    assert forest_r2(table, ["a"], score) < 0.02
    assert forest_r2(table, ["a", "b"], score) > 0.98
    assert forest_r2(table, [], score) == 0


def test_tasks_are_cut_where_quality_changes(measured):
    sampler, table, score = measured
    definition = define(sampler.space, table, score, ["resize2", "noise2"])
    regions = definition.regions()
    assert set(regions) == {"mild", "resize2", "noise2", "resize2+noise2"}
    assert regions["mild"]["resize_scale2"].min == pytest.approx(0.6, abs=0.03)
    assert regions["noise2"]["gaussian_sigma2"].above == pytest.approx(15, abs=1)
    assert definition.explained > 0.9
    tasks = RegionTasks(sampler, regions)
    assert float(tasks.masses.sum()) == pytest.approx(1, abs=1e-9)
    records = sampler.sample(torch.arange(COUNT), RandomStreams(0))
    assigned = tasks.assign(records).numpy()  # every record has exactly one task
    assert np.bincount(assigned).tolist() == pytest.approx(
        (COUNT * tasks.masses).tolist(), abs=4 * COUNT**0.5
    )


def test_cells_that_do_not_differ_are_merged(measured):
    """Noise matters only where the image was not made small."""
    sampler, table, _ = measured
    noise = (table["gaussian_sigma2"] > 15) | (table["poisson_scale2"] > 1.4)
    small = table["resize_scale2"] < 0.6
    score = 24 - 2.0 * small - 1.5 * (noise & ~small)
    definition = define(sampler.space, table, score, ["resize2", "noise2"])
    regions = definition.regions()
    assert set(regions) == {"mild", "noise2", "resize2"}
    assert set(regions["resize2"]) == {"resize_scale2"}
    assert float(RegionTasks(sampler, regions).masses.sum()) == pytest.approx(1, abs=1e-9)
    assert definition.explained > 0.95


def test_rare_cells_are_merged_whatever_they_explain(measured):
    sampler, table, score = measured
    definition = define(sampler.space, table, score, ["resize2", "noise2"], rarest=0.12)
    masses = [sampler.space.mass(r) for r in definition.regions().values()]
    assert min(masses) >= 0.12 and sum(masses) == pytest.approx(1)
    few = define(sampler.space, table, score, ["resize2", "noise2"], most=2)
    assert len(few.cells) == 2


def test_levels_of_one_operator_have_names_of_their_own(measured):
    sampler, table, _ = measured
    x = table["resize_scale2"]
    score = 25 - 2.0 * (x < 0.9) - 3.0 * (x < 0.6)
    score += 0.3 * np.random.default_rng(2).normal(size=COUNT)
    regions = define(sampler.space, table, score, ["resize2"]).regions()
    assert list(regions) == ["mild", "resize2", "resize2.2"]
    assert float(RegionTasks(sampler, regions).masses.sum()) == pytest.approx(1, abs=1e-9)


def test_a_range_of_levels_is_written_as_a_range(measured):
    """Without noise the first two levels are alike; with it all three differ."""
    sampler, table, _ = measured
    x = table["resize_scale2"]
    noise = (table["gaussian_sigma2"] > 15) | (table["poisson_scale2"] > 1.4)
    score = 25 - 2.0 * ((x < 0.9) & noise) - 3.0 * (x < 0.6) - 1.0 * noise
    regions = define(sampler.space, table, score, ["resize2", "noise2"]).regions()
    assert "resize2.0-1" in regions and "resize2+noise2" in regions
    assert not any(c in name for name in regions for c in "<>:/\\|?*")
    assert float(RegionTasks(sampler, regions).masses.sum()) == pytest.approx(1, abs=1e-9)


def test_switched_off_operators_have_a_side():
    sampler = Gated(4)
    table = sample(sampler)
    score = 24 - 2.0 * (np.nan_to_num(table["resize_scale1"], nan=1.0) < 0.5)
    regions = define(sampler.space, table, score, ["resize1"]).regions()
    tasks = RegionTasks(sampler, regions)
    assert float(tasks.masses.sum()) == pytest.approx(1, abs=1e-9)
    assert regions["mild"]["resize_scale1"].absent is True
    tasks.assign(sampler.sample(torch.arange(COUNT), RandomStreams(1)))


def test_operators_without_a_scale_cannot_be_cut(measured):
    sampler, table, score = measured
    with pytest.raises(ValueError, match="none of final_order can be cut"):
        define(sampler.space, table, score, ["final_order"])


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(
        UnavailableError, match=r"scikit-learn; pip install 'realsr-mtl\[analysis\]'"
    ):
        forest_r2({"a": np.zeros(9)}, ["a"], np.zeros(9))
