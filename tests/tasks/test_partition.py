from __future__ import annotations

import math

import pytest
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.degradations.samplers import Classical, Gated, RealESRGAN
from realsr_mtl.errors import OptionError
from realsr_mtl.tasks import TASK_SETS, Partition
from tests._asserts import assert_same_distribution
from tests.degradations._records import changed, draws

MASSES = [0.3732, 0.2848, 0.0772, 0.0589, 0.0968, 0.0738, 0.0200, 0.0153]
NAMES = [
    "mild",
    "noise2",
    "resize2",
    "resize2+noise2",
    "resize1",
    "resize1+noise2",
    "resize1+resize2",
    "resize1+resize2+noise2",
]
QUALITY = {"name": "jpeg", "where": {"jpeg_quality1": {"min": 60}}}


@pytest.fixture(scope="module")
def cells() -> Partition:
    return Partition(RealESRGAN(4))


def test_eight_cells_have_the_masses_of_the_closed_form(cells):
    beyond = [0.7 * 0.25 / 0.85, 0.4 * 0.30 / 0.70, 0.5 * 10 / 24 + 0.5 * 1.1 / 2.45]
    for task, mass in enumerate(cells.masses.tolist()):
        bits = [task >> 2 & 1, task >> 1 & 1, task & 1]
        expected = math.prod(p if bit else 1 - p for p, bit in zip(beyond, bits, strict=True))
        assert mass == pytest.approx(expected, abs=1e-12)
    assert cells.masses.tolist() == pytest.approx(MASSES, abs=6e-5)
    assert cells.names == NAMES


def test_a_million_records_each_lie_in_one_cell(cells):
    streams, counts = RandomStreams(9), torch.zeros(8)
    for index in torch.arange(1_000_000).split(10_000):
        counts += torch.bincount(cells.sample(index, streams)[0], minlength=8)
    assert counts.sum() == 1_000_000
    error = torch.sqrt(cells.masses * (1 - cells.masses) * 1e6)
    assert ((counts - cells.masses * 1e6).abs() <= 4 * error).all()


def test_draws_from_a_cell_are_the_base_draws_in_it(cells):
    base_task, streams = cells.assign(draws()), RandomStreams(1)
    for task in range(8):
        wanted = torch.full((20_000,), task)
        _, records = cells.sample(torch.arange(20_000), streams, wanted)
        assert torch.equal(cells.assign(records), wanted)
        for name, values in draws().values.items():
            assert_same_distribution(records[name], values[base_task == task])


def test_cells_in_natural_shares_give_the_base_distribution(cells):
    base_task = cells.assign(draws())[:20_000]
    _, records = cells.sample(torch.arange(20_000), RandomStreams(2), base_task)
    for name, values in draws().values.items():
        assert_same_distribution(records[name], values)


def test_boundary_values_lie_on_the_closed_side(cells):
    gaussian = draws().select([int((draws()["noise_type2"] == 0).nonzero()[0])])
    poisson = draws().select([int((draws()["noise_type2"] == 1).nonzero()[0])])
    mild = {"resize_scale1": 0.4, "resize_scale2": 0.6}
    assert cells.assign(changed(gaussian, **mild, gaussian_sigma2=15)) == 0
    assert cells.assign(changed(poisson, **mild, poisson_scale2=1.4)) == 0
    assert cells.assign(changed(gaussian, resize_scale1=1, resize_scale2=1, gaussian_sigma2=1)) == 0
    for records, strength, value in (
        (gaussian, "gaussian_sigma2", 15),
        (poisson, "poisson_scale2", 1.4),
    ):
        above = math.nextafter(value, 99)
        low1, low2 = math.nextafter(0.4, 0), math.nextafter(0.6, 0)
        for task in range(8):
            values = {
                "resize_scale1": low1 if task & 4 else 0.4,
                "resize_scale2": low2 if task & 2 else 0.6,
                strength: above if task & 1 else value,
            }
            assert cells.assign(changed(records, **values)) == task


CUTOFF = (math.pi - 1.6) / (math.pi * 2 / 3)


@pytest.mark.parametrize(
    ("where", "mass"),
    [
        ({"jpeg_quality1": {"min": 60}}, 36 / 66),
        ({"jpeg_quality1": {"above": 59.5}}, 36 / 66),
        ({"jpeg_quality1": {"max": 30}}, 1 / 66),
        ({"resize_scale1": {"below": 1}}, 0.7),
        ({"resize_scale1": {"max": 1}}, 0.8),
        ({"noise_type1": {"max": 0}}, 0.5),
        ({"gray_noise2": {"min": 1}}, 0.4),
        # every blur has either a width or a cut-off; small sincs begin at pi / 3
        (
            {"sigma_x1": {"max": 1}, "cutoff1": {"min": 1}},
            0.9 * 0.8 / 2.8 + 0.1 * (3 / 8 + 5 / 8 * (math.pi - 1) / (math.pi * 0.8)),
        ),
        # the reconstruction's fourth cut: one sample in five has no last sinc
        ({"final_cutoff": {"min": 1.6, "absent": True}}, 0.2 + 0.8 * CUTOFF),
        ({"final_cutoff": {"min": 1.6, "absent": False}}, 0.8 * CUTOFF),
    ],
    ids=str,
)
def test_custom_cuts(where, mass):
    tasks = Partition(RealESRGAN(4), cuts=[{"name": "cut", "where": where}])
    assert tasks.names == ["mild", "cut"]
    assert tasks.masses.tolist() == pytest.approx([mass, 1 - mass])
    wanted = torch.arange(2_000) % 2
    assert torch.equal(
        tasks.assign(tasks.sample(torch.arange(2_000), RandomStreams(0), wanted)[1]), wanted
    )
    natural = tasks.sample(torch.arange(20_000), RandomStreams(0))[0]
    assert abs(natural.double().mean() - 1 + mass) < 4 * math.sqrt(mass * (1 - mass) / 20_000)


def test_no_cut_makes_one_cell():
    tasks = Partition(RealESRGAN(4), cuts=[])
    assert tasks.names == ["mild"] and tasks.masses.tolist() == [1]


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        ([{"name": "a"}], "is not of the form"),
        ([{**QUALITY, "bits": 1}], "is not of the form"),
        ([{"name": "a", "where": {}}], "is not of the form"),
        ([{"name": "a", "where": ["jpeg_quality1"]}], "is not of the form"),
        ([{"name": "a", "where": {"jpeg_quality1": 60}}], "bounds are min, max, above or below"),
        ([{"name": "a", "where": {"jpeg_quality1": {"least": 60}}}], "bounds are min"),
        ([{"name": "a", "where": {"jpeg_quality1": {"min": "60"}}}], "must be a number"),
        ([{"name": "a", "where": {"jpeg_quality1": {"min": None}}}], "one bound"),
        ([{"name": "a", "where": {"jpeg_quality1": {"min": 40, "max": 60}}}], "one bound"),
        ([{"name": "a", "where": {"jpeg_quality": {"min": 60}}}], "is no parameter of this space"),
        ([{"name": "a", "where": {"jpeg_quality1": {"min": 30}}}], "no probability"),
        ([{"name": "a", "where": {"jpeg_quality1": {"above": 95}}}], "no probability"),
        ([QUALITY, {**QUALITY, "name": "b"}], "two cuts use 'jpeg_quality1'"),
        (
            [QUALITY, {"name": "jpeg", "where": {"jpeg_quality2": {"min": 60}}}],
            "two tasks would be called 'jpeg'",
        ),
        ([{**QUALITY, "name": "mild"}], "two tasks would be called 'mild'"),
        # parameters that are always there, sometimes absent, or absent in some samples of both
        (
            [{"name": "a", "where": {"jpeg_quality1": {"min": 60}, "jpeg_quality2": {"min": 60}}}],
            "hold 0.50",
        ),
        ([{"name": "a", "where": {"final_cutoff": {"min": 1.6}}}], "hold 1.2000.*'absent: true'"),
        ([{"name": "a", "where": {"final_cutoff": {"min": 1.6, "absent": 3}}}], "true or false"),
        (
            [{"name": "a", "where": {"sigma_y1": {"max": 1}, "cutoff1": {"min": 1}}}],
            "exactly one",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_cuts_are_refused(cuts, message):
    with pytest.raises(OptionError, match=message):
        TASK_SETS.build({"type": "Partition", "cuts": cuts}, RealESRGAN(4))


def test_default_cuts_need_the_second_order_space():
    with pytest.raises(ValueError, match="needs a degradation"):
        Partition(None)
    with pytest.raises(ValueError, match="'resize_scale1' is no parameter of this space"):
        Partition(Classical(4))
    with pytest.raises(ValueError, match="no probability"):
        Partition(RealESRGAN(4, resize_prob2=(1, 0, 0)))


def test_default_cuts_hold_for_gated_degradation_too():
    tasks = Partition(Gated(4))
    assert tasks.masses.sum() == pytest.approx(1) and tasks.names[0] == "mild"
    task, records = tasks.sample(torch.arange(5_000), RandomStreams(0))
    off = records["resize_scale1"].isnan() & records["resize_scale2"].isnan()
    assert off.any() and (task[off & (records["gaussian_sigma2"] == 0)] == 0).all()


def test_gated_operators_fall_on_the_side_that_the_cut_says():
    cuts = [
        {"name": "resize1", "where": {"resize_scale1": {"min": 0.4, "absent": True}}},
        {"name": "noise2", "where": {"gaussian_sigma2": {"max": 15}, "poisson_scale2": {"max": 1}}},
        {"name": "jpeg1", "where": {"jpeg_quality1": {"min": 60, "absent": False}}},
    ]
    tasks = Partition(Gated(4), cuts=cuts)
    assert tasks.masses.sum() == pytest.approx(1)
    index = torch.arange(20_000)
    natural, records = tasks.sample(index, RandomStreams(0))
    assert torch.equal(natural >= 4, records["resize_scale1"] < 0.4)
    strong = (records["gaussian_sigma2"] > 15) | (records["poisson_scale2"] > 1)
    assert torch.equal(natural // 2 % 2 == 1, strong)  # switched off, noise has strength 0
    assert torch.equal(natural % 2 == 1, ~(records["jpeg_quality1"] >= 60))
    wanted = index % 8
    assert torch.equal(tasks.assign(tasks.sample(index, RandomStreams(1), wanted)[1]), wanted)
    shares = torch.bincount(natural, minlength=8) / len(index)
    assert torch.allclose(shares.double(), tasks.masses, atol=0.02)
