from __future__ import annotations

from pathlib import Path

import pytest
import torch

from realsr_mtl.errors import UnavailableError, UserError
from realsr_mtl.losses import LOSSES, LPIPSLoss
from realsr_mtl.metrics import LPIPS
from tests._inputs import photograph
from tests.losses._weights import save_squeezenet


@pytest.fixture
def loss(hub: Path) -> LPIPSLoss:
    save_squeezenet(hub)
    return LPIPSLoss(net="squeeze")


def test_it_is_the_metric_of_every_sample(loss):
    images = [photograph(40, 48, seed) for seed in range(4)]
    tensors = [torch.from_numpy(i).permute(2, 0, 1).float() / 255 for i in images]
    value = loss(torch.stack(tensors[:2]), torch.stack(tensors[2:]))
    metric = LPIPS(net="squeeze")
    expected = [metric(images[0], images[2]), metric(images[1], images[3])]
    assert value.tolist() == pytest.approx(expected, rel=1e-4)
    assert loss(tensors[0][None], tensors[0][None]).item() == 0


def test_nothing_of_it_learns(loss):
    assert not loss.weighted
    assert not any(p.requires_grad for p in loss.parameters())
    assert not any(module.training for module in loss.train().modules())


def test_features_that_are_all_zero_leave_the_gradient_finite(loss):
    with torch.no_grad():
        loss.network.net.slice1[0].bias.fill_(-100)
    image = torch.full((1, 3, 24, 24), 0.5, requires_grad=True)
    loss(image, torch.zeros(1, 3, 24, 24)).sum().backward()
    assert image.grad is not None and image.grad.isfinite().all()


def test_global_randomness_is_left_alone(hub):
    save_squeezenet(hub)
    state = torch.get_rng_state()
    LPIPSLoss(net="squeeze")
    assert torch.equal(torch.get_rng_state(), state)


def test_small_patches_and_missing_weights(loss):
    with pytest.raises(UserError, match=r"LPIPS with squeeze needs 17 pixels .*found \(16, 40\)"):
        loss(torch.zeros(1, 3, 16, 40), torch.zeros(1, 3, 16, 40))
    with pytest.raises(UnavailableError, match=r"backbone weights '.*vgg16-397923af\.pth'"):
        LOSSES.build({"type": "LPIPSLoss"})
