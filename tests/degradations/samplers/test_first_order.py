from __future__ import annotations

import math

import pytest
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.degradations.operators import KERNEL_TYPES
from realsr_mtl.degradations.samplers import SAMPLERS, FirstOrder
from tests._asserts import assert_frequency, assert_uniform, assert_uniform_on


def _draws(**options):
    return FirstOrder(4, **options).sample(torch.arange(100_000), RandomStreams(0))


def test_defaults_are_dasrs_general_setting():
    records = _draws()
    assert (records["kernel_type1"] == KERNEL_TYPES.index("aniso")).all()
    assert (records["kernel_size1"] == 21).all() and (records["downscale"] == 0).all()
    for name in ("sigma_x1", "sigma_y1"):
        assert_uniform(records[name], 0.2, 4)
    assert_uniform(records["rotation1"], 0, math.pi)
    assert_uniform(records["gaussian_sigma1"], 0, 25)
    assert (records["gray_noise1"] == 0).all() and records["jpeg_quality1"].isnan().all()


def test_every_option_changes_its_draw():
    records = _draws(
        kernel_range=(9, 15),
        kernel_list=("iso", "aniso"),
        kernel_prob=(3, 1),
        blur_prob=0.8,
        downscale="s-fold",
        noise_prob=0.6,
        gray_noise_prob=0.25,
        jpeg_prob=0.5,
        jpeg_range=(40, 42),
    )
    kind = records["kernel_type1"]
    for name, share in (("iso", 0.6), ("aniso", 0.2), ("none", 0.2)):
        assert_frequency(kind == KERNEL_TYPES.index(name), share)
    iso = kind == KERNEL_TYPES.index("iso")
    assert_uniform(records["sigma_x1"][iso], 0.2, 4)
    assert records["sigma_y1"][iso].isnan().all()
    size = records["kernel_size1"]
    assert_uniform_on(size[~size.isnan()], [9, 15])
    assert (records["downscale"] == 1).all()
    noisy = records["gaussian_sigma1"] > 0
    assert_frequency(noisy, 0.6)
    assert_frequency(records["gray_noise1"][noisy] == 1, 0.25)
    quality = records["jpeg_quality1"]
    assert_frequency(quality.isnan(), 0.5)
    assert_uniform_on(quality[~quality.isnan()], [40, 41, 42])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel_list": ("sinc",)}, "'sinc' is no kernel of this space"),
        ({"kernel_range": (22,)}, "kernel_range holds 22"),
        ({"noise_prob": 2}, "negative"),
        ({"jpeg_prob": -1}, "negative"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        FirstOrder(4, **options)


def test_it_is_known_by_the_papers_names():
    for name in ("SRMD", "DASR"):
        assert isinstance(SAMPLERS.build({"type": name}, 4), FirstOrder)
