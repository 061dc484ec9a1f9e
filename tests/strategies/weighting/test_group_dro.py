from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies.weighting import GroupDRO
from tests._strategies import f64, setting, step


def test_weights_are_exponentiated_sums_of_losses():
    weighting = GroupDRO(setting(3), step=0.5)
    for number in range(4):
        weights = weighting.weigh(step([0.1, 0.4, 0.9]), number)
    expected = (4 * 0.5 * f64([0.1, 0.4, 0.9])).softmax(0) * 3
    assert torch.allclose(weights, expected, rtol=1e-12)


def test_only_tasks_present_gain():
    weighting = GroupDRO(setting(2), step=1.0)
    for number in range(3):
        weighting.weigh(step([0.5, None]), number)
    weights = weighting.weigh(step([0.0, 0.0]), 3)
    expected = f64([1.5, 0.0]).softmax(0) * 2
    assert torch.allclose(weights, expected, rtol=1e-12)


def test_long_training_does_not_overflow():
    weighting = GroupDRO(setting(3), step=10.0)
    for number in range(2000):
        weights = weighting.weigh(step([0.9, 0.1, 0.1]), number)
    assert weights.tolist() == pytest.approx([3, 0, 0])
    without = weighting.weigh(step([None, 0.1, 0.1]), 2000)  # the one that has it all is absent
    assert without.tolist() == pytest.approx([0, 1, 1])


def test_the_step_size_is_checked():
    with pytest.raises(ValueError, match="step"):
        GroupDRO(setting(), step=-0.1)
