from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies.weighting import ImpartialLoss, UncertaintyWeighting
from tests._strategies import f64, setting, step

LOSSES = [0.5, 0.1, 0.02, 1.0]


@pytest.mark.parametrize("kind", [UncertaintyWeighting, ImpartialLoss])
def test_weights_tend_to_one_over_the_loss(kind):
    weighting = kind(setting(), lr=0.1)
    for number in range(400):
        weights = weighting.weigh(step(LOSSES), number)
    expected = 1 / f64(LOSSES)
    assert torch.allclose(weights, expected / expected.mean(), rtol=1e-6)


def test_both_are_the_same_in_the_laplace_form():
    one, other = UncertaintyWeighting(setting()), ImpartialLoss(setting())
    for number in range(50):
        given = step([0.3, 0.1 * (number % 3 + 1), None if number % 2 else 0.2, 0.05])
        assert torch.allclose(one.weigh(given, number), other.weigh(given, number), rtol=1e-12)


@pytest.mark.parametrize("likelihood", ["laplace", "gaussian"])
def test_the_gradient_is_that_of_the_published_objective(likelihood):
    weighting = UncertaintyWeighting(setting(), likelihood=likelihood, lr=0.3, init=0.4)
    s = weighting.scales.clone().requires_grad_()
    half = 1.0 if likelihood == "laplace" else 0.5
    (half * (torch.exp(-s) * f64(LOSSES) + s)).sum().backward()
    weighting.weigh(step(LOSSES), 0)
    assert torch.allclose(weighting.scales, s.detach() - 0.3 * s.grad, rtol=1e-12)


def test_weights_agree_with_torchjd():
    scalarization = pytest.importorskip("torchjd.scalarization")
    for kind, oracle, name, factor in (
        (UncertaintyWeighting, scalarization.UW, "log_var", 0.5),
        (ImpartialLoss, scalarization.IMTLL, "log_scale", 1.0),
    ):
        weighting = kind(setting(), normalize=False, lr=0.2)
        reference = oracle(4).double()
        for number in range(5):
            losses = f64(LOSSES).requires_grad_()
            total = reference(losses)
            gradients = torch.autograd.grad(total, [losses, *reference.parameters()])
            weights = weighting.weigh(step(LOSSES), number)
            assert torch.allclose(weights * factor, gradients[0], rtol=1e-6)
            with torch.no_grad():
                getattr(reference, name).sub_(0.2 / factor * gradients[1])


def test_the_step_size_is_checked():
    with pytest.raises(ValueError, match="lr"):
        UncertaintyWeighting(setting(), lr=2.0)
