from __future__ import annotations

import math

import pytest
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.degradations.operators import KERNEL_TYPES
from realsr_mtl.degradations.pipelines.shuffle import HALVINGS, NOISES, orders
from realsr_mtl.degradations.samplers import BSRGAN, SAMPLERS
from tests._asserts import assert_frequency, assert_uniform, assert_uniform_on


def _draws(scale: int = 4, **options):
    return BSRGAN(scale, **options).sample(torch.arange(100_000), RandomStreams(0))


def test_marginals_are_those_of_the_public_code():
    records = _draws()
    assert_uniform_on(records["order"], range(len(orders())))
    for name, share in zip(HALVINGS, [1 / 24, 1 / 24, 1 / 24, 1 / 8, 3 / 4], strict=True):
        assert_frequency(records["halving"] == HALVINGS.index(name), share)
    for stage in (1, 2):
        iso = records[f"kernel_type{stage}"] == KERNEL_TYPES.index("iso")
        assert_frequency(iso, 0.5)
        assert_frequency(records[f"kernel_type{stage}"] == KERNEL_TYPES.index("aniso"), 0.5)
        assert_uniform_on(records[f"kernel_size{stage}"], range(7, 26, 2))
        assert_uniform(records[f"blur_sigma{stage}"][iso], 0, 1)
        assert_uniform(records[f"blur_variance_x{stage}"][~iso], 0, 1)
        assert_uniform(records[f"blur_variance_y{stage}"][~iso], 0, 1)
        assert_uniform(records[f"rotation{stage}"][~iso], 0, math.pi)
        assert torch.equal(records[f"rotation{stage}"].isnan(), iso)
    plain = records["shrink_type"] == 0
    assert_frequency(plain, 0.75)
    assert_uniform(records["shrink_factor"][plain], 0, 1)
    assert_uniform_on(records["shrink_mode"][plain], range(3))
    assert_uniform(records["shrink_sigma"][~plain], 0, 1)
    assert_uniform_on(records["settle_mode"], range(3))
    for kind, share in zip(NOISES, (0.4, 0.4, 0.2), strict=True):
        own = records["noise_type"] == NOISES.index(kind)
        assert_frequency(own, share)
        expected = [25] if kind == "correlated" else range(2, 26)
        assert_uniform_on(records["gaussian_sigma"][own], expected)
        for name in ("colour_variance2", "colour_basis9"):
            if kind == "correlated":
                assert_uniform(records[name][own], 0, 1)
            else:
                assert records[name][own].isnan().all()
    assert_frequency(records["jpeg_quality1"].isnan(), 0.1)
    for stage in (1, 2):
        quality = records[f"jpeg_quality{stage}"]
        assert_uniform_on(quality[~quality.isnan()], range(30, 96))
    assert not records["jpeg_quality2"].isnan().any()


def test_halving_exists_at_scale_4_only_and_options_are_applied():
    assert (_draws(2)["halving"] == HALVINGS.index("none")).all()
    records = _draws(halving_prob=1, noise_range=(5, 6), jpeg_prob=0, jpeg_range=(70, 70))
    assert (records["halving"] != HALVINGS.index("none")).all()
    assert set(records["gaussian_sigma"].unique().tolist()) == {5, 6}
    assert records["jpeg_quality1"].isnan().all() and (records["jpeg_quality2"] == 70).all()


def test_it_is_known_as_shuffle_and_refuses_wrong_probabilities():
    assert isinstance(SAMPLERS.build({"type": "Shuffle"}, 4), BSRGAN)
    with pytest.raises(ValueError, match="negative"):
        BSRGAN(4, halving_prob=1.2)
