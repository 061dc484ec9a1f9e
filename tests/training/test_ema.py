from __future__ import annotations

import torch
from torch import nn

from realsr_mtl.training.ema import ExponentialMovingAverage


def test_parameters_and_buffers_follow_the_formula() -> None:
    network = nn.BatchNorm2d(2)
    average = ExponentialMovingAverage(network, decay=0.75)
    with torch.no_grad():
        network.weight.fill_(5.0)
        network.running_mean.fill_(4.0)
        network.num_batches_tracked.fill_(7)
    average.update(network)
    own = average.network
    assert own.weight.tolist() == [2.0, 2.0]  # 0.75 * 1 + 0.25 * 5
    assert own.running_mean.tolist() == [1.0, 1.0]  # 0.75 * 0 + 0.25 * 4
    assert own.num_batches_tracked.item() == 7
    assert not own.training
    assert not any(p.requires_grad for p in own.parameters())
    assert network.weight.tolist() == [5.0, 5.0]
