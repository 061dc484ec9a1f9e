from __future__ import annotations

import pytest
import torch

from realsr_mtl.errors import OptionError
from realsr_mtl.losses import LOSSES, CharbonnierLoss, MSELoss
from tests._inputs import photographs

DISTANCES = {
    "L1Loss": lambda d: d.abs(),
    "MSELoss": lambda d: d**2,
    "CharbonnierLoss": lambda d: (d**2 + 1e-12).sqrt(),
}


@pytest.mark.parametrize("name", sorted(DISTANCES))
def test_value_of_each_sample(name: str):
    pair = photographs(3, 5, 7), photographs(3, 5, 7, seed=10)
    loss = LOSSES.build({"type": name, "loss_weight": 0.5})(*pair)
    expected = [0.5 * DISTANCES[name](p - t).mean() for p, t in zip(*pair, strict=True)]
    assert loss.shape == (3,)
    torch.testing.assert_close(loss, torch.stack(expected))


def test_large_differences_do_not_overflow_in_half_precision():
    value = MSELoss()(torch.full((1, 3, 64, 64), 300.0).half(), torch.zeros(1, 3, 64, 64).half())
    assert value.item() == 90_000


def test_charbonnier_eps_rounds_the_corner():
    zero = torch.zeros(1, 3, 2, 2)
    assert CharbonnierLoss(eps=0.25)(zero, zero).item() == 0.5


def test_wrong_options():
    with pytest.raises(OptionError, match=r"pixel_opt:reduction: .*'mean'.*'sum'"):
        LOSSES.build({"type": "L1Loss", "reduction": "sum"}, path=("pixel_opt",))
    with pytest.raises(OptionError, match="did you mean 'CharbonnierLoss'"):
        LOSSES.build({"type": "CharbonierLoss"})
