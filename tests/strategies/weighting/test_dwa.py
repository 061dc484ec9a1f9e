from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies.weighting import DynamicWeightAverage
from tests._strategies import f64, setting, step


def test_slow_tasks_gain_weight_after_two_windows():
    weighting = DynamicWeightAverage(setting(2), window=2, temperature=2.0)
    for number, losses in enumerate([[1.0, 1.0], [1.0, 1.0], [0.5, 0.9], [0.5, 0.9]]):
        assert weighting.weigh(step(losses), number).tolist() == pytest.approx([1, 1])
    expected = 2 * (f64([0.5, 0.9]) / 2).softmax(0)
    assert torch.allclose(weighting.weigh(step([0.4, 0.8]), 4), expected)


def test_windows_average_over_samples_and_skip_absent_tasks():
    weighting = DynamicWeightAverage(setting(2), window=2)
    for number, given in enumerate(
        [
            step([1.0, 2.0]),
            step([1.0, 2.0]),
            step([0.2, None], [3, 0]),
            step([1.0, None], [1, 0]),
        ]
    ):
        weighting.weigh(given, number)
    expected = 2 * (f64([0.4, 1.0]) / 2).softmax(0)  # the second task's rate stays 1
    assert torch.allclose(weighting.weigh(step([1.0, 1.0]), 4), expected)


def test_weights_agree_with_torchjd():
    scalarization = pytest.importorskip("torchjd.scalarization")
    reference = scalarization.DWA(temperature=1.5)
    weighting = DynamicWeightAverage(setting(), window=3, temperature=1.5, normalize=False)
    generator = torch.Generator().manual_seed(0)
    for number in range(12):
        losses = torch.rand(4, generator=generator, dtype=torch.float64).requires_grad_()
        (expected,) = torch.autograd.grad(reference(losses), losses)
        weights = weighting.weigh(step(losses.tolist()), number)
        assert torch.allclose(weights, expected, rtol=1e-9)
        if number % 3 == 2:
            reference.step()


@pytest.mark.parametrize("options", [{"window": 0}, {"temperature": 0.0}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ValueError, match="must be positive"):
        DynamicWeightAverage(setting(), **options)
