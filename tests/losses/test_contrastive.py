from __future__ import annotations

import math

import pytest
import torch

from realsr_mtl.errors import OptionError
from realsr_mtl.losses import LOSSES, ContrastiveLoss


def test_value_by_hand():
    logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    loss = ContrastiveLoss()(logits, torch.zeros(2, dtype=torch.long))
    first = math.log(1 + 2 * math.exp(-2))
    assert loss.tolist() == pytest.approx([0.1 * first, 0.1 * math.log(3)])


def test_equal_crops_against_random_ones():
    """art.md 8.13: with the partner equal and 1,280 others, the loss starts near 0.0012."""
    generator = torch.Generator().manual_seed(0)
    own = torch.nn.functional.normalize(torch.randn(5, 256, generator=generator), dim=1)
    queue = torch.nn.functional.normalize(torch.randn(256, 1280, generator=generator), dim=0)
    logits = torch.cat([(own * own).sum(1, keepdim=True), own @ queue], 1) / 0.07
    loss = ContrastiveLoss(loss_weight=1)(logits, torch.zeros(5, dtype=torch.long)).mean()
    assert 0.0008 < loss.item() < 0.0016


def test_it_stands_beside_the_strategy_unless_said_otherwise():
    assert not ContrastiveLoss().weighted
    assert ContrastiveLoss(weighted=True).weighted
    with pytest.raises(OptionError, match="encoder_iter must not be negative"):
        LOSSES.build({"type": "ContrastiveLoss", "encoder_iter": -1})
