from __future__ import annotations

import torch
from torch import nn

from realsr_mtl.training.buffers import KeptBuffers


def test_a_forward_pass_is_undone():
    network = nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    kept = KeptBuffers([network])
    network(torch.full((2, 2, 3, 3), torch.nan))
    assert not all(torch.equal(t, before[n]) for n, t in network.state_dict().items())
    kept.put_back()
    assert all(torch.equal(t, before[n]) for n, t in network.state_dict().items())
