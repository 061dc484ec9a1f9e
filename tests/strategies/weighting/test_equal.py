from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies import Strategy
from realsr_mtl.strategies.sampling import Natural
from realsr_mtl.strategies.weighting import Equal, NaturalMix
from tests._strategies import setting


def test_equal_weights_take_the_mean_of_task_means():
    made = setting()
    losses, task = torch.tensor([1.0, 2.0, 6.0]), torch.tensor([0, 0, 3])
    loss = Strategy(made, Natural(made), Equal(made)).loss(losses, task, 0)
    assert float(loss) == pytest.approx((1.5 + 6) / 2)


def test_the_natural_mix_is_the_mean_over_samples():
    made = setting()
    losses, task = torch.rand(9), torch.tensor([0, 0, 3, 1, 1, 1, 0, 0, 2])
    loss = Strategy(made, Natural(made), NaturalMix(made)).loss(losses, task, 0)
    assert float(loss) == pytest.approx(float(losses.mean()))
