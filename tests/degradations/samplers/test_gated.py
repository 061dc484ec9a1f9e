from __future__ import annotations

import math

import pytest
import torch

from realsr_mtl.degradations import RandomStreams, degrade
from realsr_mtl.degradations.operators import KERNEL_TYPES
from realsr_mtl.degradations.samplers import SAMPLERS, Gated
from tests._asserts import assert_frequency, assert_uniform
from tests._inputs import photographs

GATES = {
    "first_blur_prob": 0.1,
    "first_resize_prob": 0.2,
    "first_noise_prob": 0.3,
    "first_jpeg_prob": 0.4,
    "second_blur_prob": 0.6,
    "second_resize_prob": 0.7,
    "second_noise_prob": 0.8,
    "final_prob": 0.9,
}
NONE = KERNEL_TYPES.index("none")


def _on(records) -> dict[str, torch.Tensor]:
    return {
        "first_blur_prob": records["kernel_type1"] != NONE,
        "first_resize_prob": ~records["resize_scale1"].isnan(),
        "first_noise_prob": records["gaussian_sigma1"] != 0,
        "first_jpeg_prob": ~records["jpeg_quality1"].isnan(),
        "second_blur_prob": records["kernel_type2"] != NONE,
        "second_resize_prob": ~records["resize_scale2"].isnan(),
        "second_noise_prob": records["gaussian_sigma2"] != 0,
        "final_prob": ~records["jpeg_quality2"].isnan(),
    }


@pytest.mark.parametrize("gates", [{}, GATES], ids=["half", "own"])
def test_every_operator_has_its_own_probability_independently(gates):
    records = Gated(4, **gates).sample(torch.arange(100_000), RandomStreams(0))
    on = _on(records)
    for name, hits in on.items():
        assert_frequency(hits, gates.get(name, 0.5))
    cross = torch.corrcoef(torch.stack(list(on.values())).double()) - torch.eye(8)
    assert cross.abs().max() < 4.5 / math.sqrt(100_000)
    assert_frequency(records["final_kernel_type"] != NONE, 0.8 * gates.get("final_prob", 0.5))
    sigma = records["gaussian_sigma2"]
    assert_uniform(sigma[(sigma > 0) & ~sigma.isnan()], 1, 25)


def test_it_takes_the_options_of_the_real_esrgan_space_too():
    sampler = SAMPLERS.build({"type": "GD", "final_prob": 1, "jpeg_range2": [60, 61]}, 2)
    records = sampler.sample(torch.arange(200), RandomStreams(0))
    assert records["jpeg_quality2"].unique().tolist() == [60, 61]
    assert (sampler.pipeline, sampler.scale) == ("second_order", 2)
    options = SAMPLERS.options("Gated").model_fields
    assert options["noise_range"].default == (1, 30) and options["final_prob"].default == 0.5
    assert options["noise_range"].description and options["final_prob"].description


def test_with_all_gates_shut_the_image_is_only_resized():
    sampler = Gated(4, **dict.fromkeys(GATES, 0.0))
    records = sampler.sample(torch.arange(6), RandomStreams(0))
    images = photographs(6, 32, 40)
    for image, mode, lq in zip(
        images, records["final_mode"].tolist(), degrade(images, records), strict=True
    ):
        name = ("area", "bilinear", "bicubic")[int(mode)]
        small = torch.nn.functional.interpolate(image[None], size=(8, 10), mode=name)[0]
        assert ((small.clamp(0, 1) - lq).abs() < 0.51 / 255).all()


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("value", [-0.1, 1.5])
def test_probabilities_beyond_their_range_are_refused(gate, value):
    with pytest.raises(ValueError, match="negative"):
        Gated(4, **{gate: value})
