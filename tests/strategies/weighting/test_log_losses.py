from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies.weighting import GeometricLoss, SmoothTchebycheff
from tests._strategies import f64, setting, step

LOSSES = [0.5, 0.1, 0.02, 1.0]


def test_geometric_weights_are_the_gradient_of_the_geometric_mean():
    losses = f64(LOSSES).requires_grad_()
    losses.log().mean().exp().backward()
    weights = GeometricLoss(setting(), normalize=False).weigh(step(LOSSES), 0)
    assert torch.allclose(weights / 4, losses.grad, rtol=1e-12)


def test_geometric_weights_agree_with_torchjd():
    scalarization = pytest.importorskip("torchjd.scalarization")
    losses = f64(LOSSES).requires_grad_()
    scalarization.GeometricMean()(losses).backward()
    weights = GeometricLoss(setting(), normalize=False).weigh(step(LOSSES), 0)
    assert torch.allclose(weights / 4, losses.grad, rtol=1e-12)


def test_many_small_losses_do_not_underflow():
    weights = GeometricLoss(setting(60), normalize=False).weigh(step([1e-9] * 60), 0)
    assert torch.allclose(weights, torch.ones(60, dtype=torch.float64))


def test_running_averages_are_an_option():
    weighting = GeometricLoss(setting(2), rate=0.5)
    weighting.weigh(step([0.2, 0.2]), 0)
    weights = weighting.weigh(step([0.8, 0.2]), 1)  # corrected average: (0.2 + 2 x 0.8) / 3
    assert float(weights[1] / weights[0]) == pytest.approx(0.6 / 0.2)


@pytest.mark.parametrize("mu", [0.1, 0.5, 1.0, 3.0])
def test_tchebycheff_weights_are_the_gradient_of_the_soft_maximum(mu):
    weighting = SmoothTchebycheff(setting(), mu=mu, warmup=1, normalize=False)
    weighting.weigh(step([0.4, 0.2, 0.1, 0.8]), 0)  # the nadir point
    losses = f64(LOSSES).requires_grad_()
    ratio = (losses / f64([0.4, 0.2, 0.1, 0.8])).log()
    (mu * torch.logsumexp(ratio / mu, 0)).backward()
    assert torch.allclose(weighting.weigh(step(LOSSES), 1) / 4, losses.grad, rtol=1e-9)


def test_tchebycheff_weights_agree_with_torchjd():
    scalarization = pytest.importorskip("torchjd.scalarization")
    weighting = SmoothTchebycheff(setting(), mu=0.3, warmup=1, normalize=False)
    nadir = f64([0.4, 0.2, 0.1, 0.8])
    weighting.weigh(step(nadir.tolist()), 0)
    losses = f64(LOSSES).requires_grad_()
    reference = scalarization.STCH(0.3, weights=torch.ones(4, dtype=torch.float64))
    reference((losses / nadir).log()).backward()
    assert torch.allclose(weighting.weigh(step(LOSSES), 1) / 4, losses.grad, rtol=1e-9)


def test_the_nadir_point_is_the_mean_of_a_tasks_own_first_steps():
    weighting = SmoothTchebycheff(setting(2), mu=1.0, warmup=2)
    weighting.weigh(step([0.2, None]), 0)
    weighting.weigh(step([0.4, 0.1]), 1)
    weighting.weigh(step([9.0, 0.3]), 2)
    weights = weighting.weigh(step([0.3, 0.3]), 3)  # with mu 1: one over the nadir
    assert float(weights[1] / weights[0]) == pytest.approx(0.3 / 0.2)


def test_small_mu_attends_to_the_worst_task():
    weighting = SmoothTchebycheff(setting(), mu=0.01, warmup=1)
    weighting.weigh(step([0.4] * 4), 0)
    weights = weighting.weigh(step([0.1, 0.2, 0.3, 0.2]), 1)
    assert weights.tolist() == pytest.approx([0, 0, 4, 0], abs=1e-6)


@pytest.mark.parametrize("options", [{"mu": 0.0}, {"warmup": 0}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ValueError, match="must be positive"):
        SmoothTchebycheff(setting(), **options)
