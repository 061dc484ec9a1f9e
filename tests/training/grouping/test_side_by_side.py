from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from realsr_mtl.archs import build_network
from realsr_mtl.errors import UserError
from realsr_mtl.training.grouping.side_by_side import SideBySide

NETWORK = {"type": "MSRResNet", "num_feat": 4, "num_block": 1, "upscale": 2}


def _train(copies: SideBySide, inputs: torch.Tensor, targets: torch.Tensor) -> None:
    """Three steps on ``[K, B, ...]``; Adam would blow up the rounding of gradients near zero."""
    optimizer = torch.optim.SGD(copies.parameters, lr=0.5, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        output = copies(inputs.flatten(0, 1)).unflatten(0, (len(inputs), -1))
        (output - targets).abs().mean((1, 2, 3, 4)).sum().backward()
        optimizer.step()


def test_copies_side_by_side_learn_what_each_learns_alone():
    network = build_network(NETWORK, 2, 0)
    before = copy.deepcopy(network.state_dict())
    generator = torch.Generator().manual_seed(1)
    inputs = torch.rand(3, 2, 3, 6, 6, generator=generator)
    targets = torch.rand(3, 2, 3, 12, 12, generator=generator)
    together = SideBySide(network, 3)
    _train(together, inputs, targets)
    for k in range(3):
        alone = SideBySide(network, 1)
        _train(alone, inputs[k : k + 1], targets[k : k + 1])
        for own, stacked in zip(alone.parameters, together.parameters, strict=True):
            torch.testing.assert_close(stacked[k], own, rtol=1e-4, atol=1e-5)
            assert not torch.equal(stacked[k], stacked[k - 1])
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, before[name])


def test_one_copy_is_the_network_to_the_bit():
    network = build_network(NETWORK, 2, 0)
    lq = torch.rand(2, 3, 7, 5)
    assert torch.equal(SideBySide(network, 1)(lq), network(lq))


def test_an_optimiser_that_mixes_weights_is_refused():
    copies = SideBySide(nn.Conv2d(3, 3, 1), 2)
    with pytest.raises(UserError, match="LBFGS mixes networks"):
        copies.check_optimizer(torch.optim.LBFGS(copies.parameters))
    copies.check_optimizer(torch.optim.AdamW(copies.parameters))
    SideBySide(nn.Conv2d(3, 3, 1), 1).check_optimizer(torch.optim.LBFGS(copies.parameters))


class _Undecided(nn.Conv2d):
    def forward(self, lq: torch.Tensor) -> torch.Tensor:
        return lq if float(self.weight.sum()) > 0 else super().forward(lq)


def test_a_network_that_cannot_be_stacked_is_refused():
    with pytest.raises(UserError, match=r"cannot run side by side .*side_by_side to 1"):
        SideBySide(_Undecided(3, 3, 1), 2)(torch.rand(4, 3, 2, 2))
