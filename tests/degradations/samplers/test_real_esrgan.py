from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from realsr_mtl.degradations import RandomStreams, degrade
from realsr_mtl.degradations.operators import KERNEL_TYPES
from realsr_mtl.degradations.samplers import RealESRGAN
from tests._asserts import (
    assert_eight_bit,
    assert_frequency,
    assert_uniform,
    assert_uniform_on,
)
from tests._inputs import photographs
from tests.degradations._records import draws

SIZES = range(7, 22, 2)
FAMILIES = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)
STAGES = [1, 2]


def _kernel(stage: int | str, *kinds: str) -> Tensor:
    codes = torch.tensor([KERNEL_TYPES.index(kind) for kind in kinds], dtype=torch.float64)
    return torch.isin(
        draws()[f"{stage}kernel_type" if stage == "final_" else f"kernel_type{stage}"], codes
    )


@pytest.mark.parametrize(("stage", "applied"), [(1, 1.0), (2, 0.8)])
def test_kernel_families(stage, applied):
    for family, share in zip(KERNEL_TYPES, FAMILIES, strict=False):
        assert_frequency(_kernel(stage, family), applied * 0.9 * share)
    assert_frequency(_kernel(stage, "sinc"), applied * 0.1)
    assert_frequency(_kernel(stage, "none"), 1 - applied)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kinds", [KERNEL_TYPES[:6], ("sinc",)])
def test_kernel_sizes(stage, kinds):
    assert_uniform_on(draws()[f"kernel_size{stage}"][_kernel(stage, *kinds)], SIZES)


@pytest.mark.parametrize(("stage", "widest"), [(1, 3.0), (2, 1.5)])
def test_kernel_widths_and_angles(stage, widest):
    sigma_x, sigma_y = draws()[f"sigma_x{stage}"], draws()[f"sigma_y{stage}"]
    gaussian = _kernel(stage, *KERNEL_TYPES[:6])
    anisotropic = _kernel(stage, *KERNEL_TYPES[1:6:2])
    assert_uniform(sigma_x[gaussian], 0.2, widest)
    assert_uniform(sigma_y[anisotropic], 0.2, widest)
    both = torch.stack((sigma_x[anisotropic], sigma_y[anisotropic]))
    assert abs(torch.corrcoef(both)[0, 1]) < 4.5 / math.sqrt(both.shape[1])
    assert torch.equal(sigma_x.isnan(), ~gaussian)
    assert torch.equal(sigma_y.isnan(), ~anisotropic)
    rotation = draws()[f"rotation{stage}"]
    assert_uniform(rotation[anisotropic], -math.pi, math.pi)
    assert torch.equal(rotation.isnan(), ~anisotropic)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("suffix", ["iso", "aniso"])
def test_half_of_the_betas_lie_above_one(stage, suffix):
    beta = draws()[f"beta{stage}"]
    generalized = beta[_kernel(stage, f"generalized_{suffix}")]
    assert_frequency(generalized < 1, 0.5)
    assert_uniform(generalized[generalized < 1], 0.5, 1)
    assert_uniform(generalized[generalized >= 1], 1, 4)
    plateau = beta[_kernel(stage, f"plateau_{suffix}")]
    assert_frequency(plateau == 1, 0.5)
    assert_uniform(plateau[plateau != 1], 1, 2)
    assert torch.equal(beta.isnan(), ~_kernel(stage, *KERNEL_TYPES[2:6]))


@pytest.mark.parametrize("stage", STAGES)
def test_the_sinc_cutoff_depends_on_the_size(stage):
    cutoff, small = draws()[f"cutoff{stage}"], draws()[f"kernel_size{stage}"] < 13
    sinc = _kernel(stage, "sinc")
    assert_uniform(cutoff[sinc & small], math.pi / 3, math.pi)
    assert_uniform(cutoff[sinc & ~small], math.pi / 5, math.pi)
    assert torch.equal(cutoff.isnan(), ~sinc)


@pytest.mark.parametrize(
    ("stage", "up", "down", "highest", "lowest"),
    [(1, 0.2, 0.7, 1.5, 0.15), (2, 0.3, 0.4, 1.2, 0.3)],
)
def test_resize_factors(stage, up, down, highest, lowest):
    scale = draws()[f"resize_scale{stage}"]
    assert_frequency(scale > 1, up)
    assert_frequency(scale < 1, down)
    assert_frequency(scale == 1, 1 - up - down)
    assert_uniform(scale[scale > 1], 1, highest)
    assert_uniform(scale[scale < 1], lowest, 1)
    assert_uniform_on(draws()[f"resize_mode{stage}"], range(3))


@pytest.mark.parametrize(("stage", "sigma", "scale"), [(1, 30, 3), (2, 25, 2.5)])
def test_noise(stage, sigma, scale):
    gaussian = draws()[f"noise_type{stage}"] == 0
    assert_frequency(gaussian, 0.5)
    assert_frequency(draws()[f"noise_type{stage}"] == 1, 0.5)
    strength = draws()[f"gaussian_sigma{stage}"]
    assert_uniform(strength[gaussian], 1, sigma)
    assert strength[~gaussian].isnan().all()
    strength = draws()[f"poisson_scale{stage}"]
    assert_uniform(strength[~gaussian], 0.05, scale)
    assert strength[gaussian].isnan().all()
    grey = draws()[f"gray_noise{stage}"] == 1
    for kind in (gaussian, ~gaussian):
        assert_frequency(grey[kind], 0.4)


@pytest.mark.parametrize("stage", STAGES)
def test_jpeg_qualities(stage):
    assert_uniform_on(draws()[f"jpeg_quality{stage}"], range(30, 96))


def test_final_filter():
    assert_uniform_on(draws()["final_order"], range(2))
    assert_uniform_on(draws()["final_mode"], range(3))
    sinc = _kernel("final_", "sinc")
    assert_frequency(sinc, 0.8)
    assert torch.equal(~sinc, _kernel("final_", "none"))
    assert_uniform_on(draws()["final_kernel_size"][sinc], SIZES)
    for size in (7, 21):  # the cut-off of the last filter does not depend on its size
        own = draws()["final_kernel_size"] == size
        assert_uniform(draws()["final_cutoff"][own], math.pi / 3, math.pi)
    for name in ("final_kernel_size", "final_cutoff"):
        assert torch.equal(draws()[name].isnan(), ~sinc)


def test_draws_are_independent():
    always = [n for n, t in draws().values.items() if not t.isnan().any()]
    table = torch.stack([draws()[n].double() for n in always])
    cross = torch.corrcoef(table) - torch.eye(len(always))
    assert {"kernel_type1", "resize_scale2", "noise_seed2"} <= set(always)
    assert cross.abs().max() < 4.5 / math.sqrt(table.shape[1])


def test_samples_of_one_batch_differ():
    batch = draws().select(range(16))
    for stage in STAGES:
        for name in ("noise_type", "resize_mode", "gray_noise"):
            assert batch[f"{name}{stage}"].unique().numel() > 1
        scale = batch[f"resize_scale{stage}"]
        moved = scale[scale != 1]
        assert moved.unique().numel() == moved.numel() > 4
    assert batch["final_order"].unique().numel() == 2
    assert (batch["kernel_type2"] == KERNEL_TYPES.index("none")).unique().numel() == 2


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_list": ("iso",), "kernel_prob": (1,), "kernel_range": (3,), "sinc_prob": 1},
        {"kernel_prob": (0, 0, 0, 0, 0, 2), "sinc_prob": 0, "betap_range": (1, 1)},
        {"resize_prob": (0, 0, 1), "resize_prob2": (1, 0, 0), "second_blur_prob": 0},
        {"gaussian_noise_prob": 0, "gray_noise_prob": 1, "final_sinc_prob": 0},
        {"gaussian_noise_prob": 1, "gray_noise_prob2": 0, "final_sinc_prob": 1},
        {"jpeg_range": (1, 1), "jpeg_range2": (100, 100), "noise_range": (0, 0)},
        {"betag_range": (0.5, 1), "blur_sigma": (0, 3), "resize_range2": (1, 1.2)},
    ],
    ids=str,
)
@pytest.mark.parametrize("scale", [1, 3, 4])
def test_options_at_their_ends_make_images(options, scale):
    records = RealESRGAN(scale, **options).sample(torch.arange(12), RandomStreams(0))
    lq = degrade(photographs(12, 24, 12), records)
    assert lq.shape == (12, 3, 24 // scale, 12 // scale)
    assert_eight_bit(lq)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel_range": (7, 8)}, "kernel_range holds 8"),
        ({"kernel_range": (23,)}, "kernel_range holds 23"),
        ({"kernel_range": ()}, "probabilities"),
        ({"kernel_prob": (1,)}, "6 kernel families but 1 probabilities"),
        ({"kernel_list2": ("box",), "kernel_prob2": (1,)}, "'box' is no blur kernel"),
        ({"betag_range": (2, 4)}, "must contain 1"),
        ({"betap_range2": (0.5, 0.8)}, "must contain 1"),
        ({"resize_range": (0, 1.5)}, "must be positive"),
        ({"resize_range2": (0.3, 0.9)}, "contain 1"),
        ({"resize_prob": (0, 0, 0)}, "all zero"),
        ({"resize_prob": (math.nan, 0.5, 0.5)}, "probabilities"),
        ({"blur_sigma": (0, 0)}, "must be positive"),
        ({"blur_sigma2": (-1, 1)}, "must be positive"),
        ({"blur_sigma": (3, 0.2)}, "runs backwards"),
        ({"noise_range": (30, 1)}, "runs backwards"),
        ({"poisson_scale_range": (0, math.inf)}, "finite"),
        ({"jpeg_range": (95, 30)}, "runs backwards"),
        ({"jpeg_range": (0, 95)}, r"\[1, 100\]"),
        ({"jpeg_range2": (30, 101)}, r"\[1, 100\]"),
        *(
            ({name: value}, "negative")
            for name in (
                "sinc_prob",
                "second_blur_prob",
                "gaussian_noise_prob",
                "gray_noise_prob2",
                "final_sinc_prob",
            )
            for value in (-0.1, 1.1)
        ),
    ],
    ids=str,
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RealESRGAN(4, **options)
