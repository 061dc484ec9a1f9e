from __future__ import annotations

import math

import pytest
import torch

from realsr_mtl.losses import FFTLoss


def test_value_by_hand():
    """One bright pixel beside the origin: e^(-2 pi i v / 4) / sqrt(8) at v = 0, 1, 2."""
    error = torch.zeros(1, 1, 2, 4)
    error[..., 0, 1] = 2
    real, imaginary = (1 + 0 + 1) / 3, (0 + 1 + 0) / 3
    expected = 2 / math.sqrt(8) * (real + imaginary) / 2
    assert FFTLoss()(error, torch.zeros_like(error)).item() == pytest.approx(expected)


def test_mimo_unets_weight_is_told_by_the_size():
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.rand(1, 3, 64, 64, generator=generator) for _ in range(2))
    spectra = [torch.view_as_real(torch.fft.fft2(image)) for image in (x, y)]
    theirs = (spectra[0] - spectra[1]).abs().mean()
    ours = FFTLoss(loss_weight=64)(x, y).item()
    assert ours == pytest.approx(theirs.item(), rel=0.02)  # the half plane, and the whole one


@pytest.mark.parametrize("side", [16, 64])
def test_noise_weighs_the_same_in_patches_of_any_size(side: int):
    generator = torch.Generator().manual_seed(0)
    noise = 0.1 * torch.randn(64, 3, side, side, generator=generator)
    value = FFTLoss()(noise, torch.zeros_like(noise)).mean().item()
    assert value == pytest.approx(0.1 / math.sqrt(math.pi), rel=0.02)


def test_gradient_by_differences():
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.rand(2, 3, 5, 6, dtype=torch.float64, generator=generator) for _ in range(2))
    function = lambda image: FFTLoss().compare(image, y)  # noqa: E731
    assert torch.autograd.gradcheck(function, x.requires_grad_(), fast_mode=True)
