from __future__ import annotations

import pytest
import torch

from realsr_mtl.losses import GradientLoss


def test_value_by_hand():
    error = torch.tensor([[[[0.0, 1.0], [3.0, 5.0]]]])
    down, across = (3 + 4) / 2, (1 + 2) / 2
    assert GradientLoss(loss_weight=2)(error, torch.zeros_like(error)).item() == down + across


def test_an_offset_is_not_seen():
    image = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert GradientLoss()(image + 0.25, image).abs().max() < 1e-6


def test_one_pixel_has_no_gradient():
    with pytest.raises(ValueError, match="two pixels"):
        GradientLoss()(torch.zeros(1, 3, 1, 8), torch.zeros(1, 3, 1, 8))
