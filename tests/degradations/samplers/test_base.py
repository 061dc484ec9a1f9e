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
