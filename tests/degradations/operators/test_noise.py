from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from realsr_mtl.degradations.operators import gaussian_noise, poisson_noise
from realsr_mtl.degradations.operators.noise import _alias_table
from tests._asserts import assert_distributed, assert_frequency, global_randomness_untouched
from tests._inputs import photographs

pytestmark = pytest.mark.usefixtures("implementation")
COLOUR, GREY = torch.tensor([False]), torch.tensor([True])
SEED = torch.tensor([123])
BOTH = pytest.mark.parametrize("add", [gaussian_noise, poisson_noise])


def _strength(value: float, batch: int = 1) -> Tensor:
    return torch.full((batch,), value, dtype=torch.float64)


def _level(level: int, *size: int) -> Tensor:
    return torch.full((1, 3, *size), level / 255)


@BOTH
def test_noise_is_a_function_of_image_and_seed_alone(add):
    images = photographs(4, 20, 30).repeat(2, 1, 1, 1)
    grey = torch.arange(8) % 2 == 0
    seed, strength = torch.arange(8) + 2**40, torch.linspace(0.5, 3, 8)
    with global_randomness_untouched():
        whole = add(images, strength, grey, seed)
    assert whole.min() >= 0 and whole.max() <= 1 and whole.dtype == torch.float32
    order = torch.tensor([5, 1, 7])
    assert torch.equal(add(images[order], strength[order], grey[order], seed[order]), whole[order])
    for i in range(8):
        one = slice(i, i + 1)
        assert torch.equal(add(images[one], strength[one], grey[one], seed[one])[0], whole[i])


@BOTH
def test_grey_noise_is_one_field_per_sample(add):
    images = (photographs(1, 20, 30) * 0.4 + 0.3).expand(3, -1, -1, -1)
    noisy = add(images, _strength(0.4, 3), torch.tensor([True, True, False]), torch.arange(3))
    noise = noisy - images
    assert torch.allclose(noise[:2], noise[:2, :1].expand(-1, 3, -1, -1), atol=1e-6)
    assert not torch.allclose(noise[0], noise[1], atol=1e-3)
    assert not torch.allclose(noise[2, 0], noise[2, 1], atol=1e-3)
    assert noise.flatten(1).std(1).min() > 1e-4


@BOTH
def test_without_strength_there_is_no_noise(add):
    image = photographs(1, 9, 11)
    assert torch.equal(add(image, _strength(0), COLOUR, SEED), image)


@pytest.mark.parametrize("grey", [COLOUR, GREY])
@pytest.mark.parametrize("sigma", [1.0, 13.7, 30.0])
def test_gaussian_noise_has_its_standard_deviation(sigma, grey):
    image = torch.full((1, 3, 160, 160), 0.5)
    noise = (gaussian_noise(image, _strength(sigma), grey, SEED) - image).double() * 255 / sigma
    noise = noise[:, :1] if grey else noise
    n = noise.numel()
    assert abs(noise.mean()) < 4 / math.sqrt(n)
    assert abs(noise.std() - 1) < 4 / math.sqrt(2 * n)
    if sigma < 30:  # beyond four deviations the clamp of the brightest begins
        assert_distributed(noise, torch.special.ndtr)


def test_poisson_noise_leaves_black_black():
    assert (poisson_noise(_level(0, 16, 16), _strength(3), COLOUR, SEED) == 0).all()


@pytest.mark.parametrize("grey", [COLOUR, GREY])
def test_poisson_noise_of_white_counts_around_one(grey):
    noisy = poisson_noise(_level(255, 120, 120), _strength(0.25), grey, SEED)
    noisy = noisy[:, :1] if grey else noisy
    assert set(noisy.unique().tolist()) == {0.75, 1.0}  # larger counts are clamped
    assert_frequency(noisy == 0.75, math.exp(-1))


@pytest.mark.parametrize("level", [1, 40, 128])
def test_poisson_noise_of_one_level_is_poisson(level):
    scale, x = 0.05, level / 255
    image = _level(level, 130, 130)
    counts = (poisson_noise(image, _strength(scale), COLOUR, SEED) - x) / scale + x
    assert torch.allclose(counts, counts.round(), atol=1e-3)
    for k in range(4):
        p = math.exp(-x) * x**k / math.factorial(k)
        assert_frequency(counts.round() == k, p)


def _counts(image: Tensor, grey: Tensor, peak: int, scale: float, source: Tensor) -> Tensor:
    noise = (poisson_noise(image, _strength(scale), grey, SEED) - image).double() / scale
    counts = (noise + source.double()) * peak
    assert (counts - counts.round()).abs().max() < 0.01
    return counts.round()


@pytest.mark.parametrize(("levels", "peak"), [(2, 2), (3, 4), (64, 64), (65, 128), (200, 256)])
def test_poisson_counts_follow_torch_poisson(levels, peak):
    grid = torch.arange(levels).repeat(3, 120, 1).repeat_interleave(200 // levels, 2)[None]
    image = (grid + 20).float() / 255
    counts = _counts(image, COLOUR, peak, 0.02, image)
    mean = image.double() * peak
    generator = torch.Generator().manual_seed(3)
    expected = torch.stack([torch.poisson(mean, generator=generator) for _ in range(4)])
    for own, reference in (
        ((counts - mean) / mean.sqrt(), (expected - mean) / mean.sqrt()),
        ((counts - mean) ** 2 / mean, (expected - mean) ** 2 / mean),
        (counts == 0, expected == 0),
        (counts > mean + 2 * mean.sqrt(), expected > mean + 2 * mean.sqrt()),
    ):
        a, b = own.double(), reference.double()
        error = math.sqrt(b.var() * (1 / a.numel() + 1 / b.numel()))
        assert abs(a.mean() - b.mean()) <= 4.5 * error + 4 / a.numel()


def test_grey_poisson_noise_is_made_from_the_luma():
    image = photographs(1, 60, 60) * 0.5 + 0.2
    luma = (image * torch.tensor([0.2989, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    rounded = (luma * 255).round() / 255
    peak = 2 ** math.ceil(math.log2(rounded.unique().numel()))
    counts = _counts(image, GREY, peak, 0.02, rounded.expand_as(image))
    assert torch.equal(counts, counts[:, :1].expand_as(counts))
    mean = rounded.double() * peak
    z = (counts[:, :1] - mean) / mean.sqrt()
    assert abs(z.mean()) < 4.5 / math.sqrt(z.numel()) and abs(z.var() - 1) < 0.1


def test_poisson_noise_takes_values_beyond_the_range():
    image = photographs(1, 24, 24) * 1.6 - 0.3
    noisy = poisson_noise(image, _strength(1), COLOUR, SEED)
    assert image.min() < 0 and image.max() > 1
    assert noisy.isfinite().all() and noisy.min() >= 0 and noisy.max() <= 1


@pytest.mark.parametrize("peak", [2**n for n in range(9)])
def test_tables_hold_the_poisson_distribution(peak):
    entry = _alias_table(peak).view(256, 512).long() & 0xFFFFFFFF
    threshold, alias = (entry >> 9).double() / 2**23, entry & 511
    share = threshold.scatter_add(1, alias, 1 - threshold) / 512
    mean = torch.arange(256, dtype=torch.float64)[:, None] * peak / 255
    k = torch.arange(512, dtype=torch.float64)
    expected = torch.exp(torch.xlogy(k, mean) - mean - torch.lgamma(k + 1))
    assert (share - expected).abs().max() < 1e-9
    assert ((share * k).sum(1, keepdim=True) - mean).abs().max() < 1e-6
