from __future__ import annotations

import torch
from torch import Tensor, nn

from realsr_mtl.losses import NetworkLoss


class Probe(NetworkLoss):
    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (self.network(prediction) - self.network(target)).square().mean((1, 2, 3))


def network() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout())


def test_the_network_is_frozen_for_good():
    loss = Probe(network())
    image = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    before = loss(image, image.detach() / 2)
    before.sum().backward()
    assert image.grad is not None and image.grad.any()
    assert not any(p.requires_grad or p.grad is not None for p in loss.parameters())
    moments = loss.network[1].running_mean.clone()
    assert not loss.train().network[2].training
    torch.testing.assert_close(loss(image, image.detach() / 2), before, rtol=0, atol=0)
    assert torch.equal(loss.network[1].running_mean, moments)


def test_it_stands_beside_the_strategy_unless_said_otherwise():
    assert not Probe(network()).weighted
    assert Probe(network(), weighted=True, tasks=("noise",)).weighted
