from __future__ import annotations

import pytest
import torch

from realsr_mtl.degradations import SAMPLERS, DegradationParameters, Interval, RandomStreams
from realsr_mtl.degradations.samplers import Classical, DegradationSampler, RealESRGAN
from tests._asserts import global_randomness_untouched

INDEX = torch.tensor([0, 1, 2**33, 5, 17])


def _same(first: DegradationParameters, second: DegradationParameters) -> bool:
    return first.to_json() == second.to_json()


@pytest.mark.parametrize("sampler", [RealESRGAN(4), Classical(4)])
def test_a_record_depends_on_seed_and_sample_number_alone(sampler: DegradationSampler):
    streams = RandomStreams(7)
    with global_randomness_untouched():
        whole = sampler.sample(INDEX, streams)
    assert _same(sampler.sample(INDEX.flip(0), streams), whole.select([4, 3, 2, 1, 0]))
    for i in range(len(INDEX)):
        assert _same(sampler.sample(INDEX[i : i + 1], RandomStreams(7)), whole.select([i]))
    assert len(sampler.sample(INDEX[:0], streams)) == 0
    assert all(tensor.dtype in (torch.float64, torch.int64) for tensor in whole.values.values())


def test_seed_and_sample_number_change_the_record():
    sampler = RealESRGAN(4)
    a = sampler.sample(INDEX, RandomStreams(0))
    b = sampler.sample(INDEX, RandomStreams(1))
    seeds = torch.cat([p[f"noise_seed{stage}"] for p in (a, b) for stage in (1, 2)])
    assert seeds.unique().numel() == 4 * len(INDEX)
    scales = torch.cat(
        [p[f"gray_noise{s}"] + p[f"jpeg_quality{s}"] for p in (a, b) for s in (1, 2)]
    )
    assert scales.unique().numel() > len(INDEX)


def test_records_of_regions_come_from_their_region():
    sampler, streams = RealESRGAN(4), RandomStreams(0)
    tables = sampler.space.sampler([{}, {"jpeg_quality1": Interval(min=94)}])
    base = sampler.sample(INDEX, streams)
    assert _same(sampler.sample(INDEX, streams, torch.zeros_like(INDEX), tables), base)
    other = sampler.sample(INDEX, streams, torch.ones_like(INDEX), tables)
    assert (other["jpeg_quality1"] >= 94).all() and (base["jpeg_quality1"] < 94).any()
    for name in base.values.keys() - {"jpeg_quality1"}:  # the rest of the record does not move
        assert torch.equal(other[name].nan_to_num(-1), base[name].nan_to_num(-1))


def test_samplers_are_registered_under_the_names_of_option_files():
    assert isinstance(SAMPLERS.build({"type": "RealESRGAN", "sinc_prob": 0.2}, 4), RealESRGAN)
    assert isinstance(SAMPLERS.build({"type": "Bicubic"}, 4), Classical)


def test_a_record_gets_the_noise_of_the_samples_and_nothing_else():
    sampler, streams = RealESRGAN(4), RandomStreams(0)
    point = sampler.sample(INDEX[:1], RandomStreams(7)).select([0] * len(INDEX))
    records = sampler.with_noise(point, INDEX, streams)
    for name in sampler.space.parameters:
        assert torch.equal(records[name].nan_to_num(-1), point[name].nan_to_num(-1))
    assert records["noise_seed1"].unique().numel() == len(INDEX)
    assert torch.equal(records["noise_seed2"], sampler.sample(INDEX, streams)["noise_seed2"])


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        (RealESRGAN(2).sample(INDEX, RandomStreams(0)), "are of pipeline 'second_order' x2, the"),
        (
            SAMPLERS.build({"type": "Classical"}, 4).sample(INDEX, RandomStreams(0)),
            "are of pipeline 'classical'",
        ),
        (DegradationParameters("second_order", 4, {"x": INDEX}), "lack the parameter 'beta1'"),
    ],
)
def test_records_of_another_space_are_refused(records, sentence):
    with pytest.raises(ValueError, match=sentence):
        RealESRGAN(4).with_noise(records, INDEX, RandomStreams(0))


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_every_sampler_lists_its_parameters_with_their_ranges(name):
    sampler = SAMPLERS.build({"type": name}, 4)
    records = sampler.sample(torch.arange(20_000), RandomStreams(0))
    ranges = sampler.space.ranges()
    assert ranges.keys() == sampler.space.parameters.keys() <= records.values.keys()
    for parameter, bounds in ranges.items():
        values = records[parameter]
        if bounds is None:
            assert values.isnan().all()
            continue
        low, high = bounds
        values = values[~values.isnan()]
        assert values.min() >= low and values.max() <= high
        assert values.max() - values.min() >= 0.95 * (high - low)


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_every_sampler_can_be_restricted_to_a_region(name):
    sampler = SAMPLERS.build({"type": name}, 4)
    natural = sampler.sample(torch.arange(20_000), RandomStreams(1))
    for parameter, bounds in sampler.space.ranges().items():
        if bounds is None or bounds[0] == bounds[1]:
            continue
        region = {parameter: Interval(min=sum(bounds) / 2, absent=False)}
        mass = sampler.space.mass(region)
        assert 0 < mass < 1
        tables = sampler.space.sampler([region])
        index = torch.arange(500)
        records = sampler.sample(index, RandomStreams(0), torch.zeros_like(index), tables)
        assert (records[parameter] >= sum(bounds) / 2).all()
        share = (natural[parameter] >= sum(bounds) / 2).double().mean()
        assert abs(share - mass) < 4.5 * (mass * (1 - mass) / 20_000) ** 0.5
