from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies.weighting import FastAdaptiveWeighting
from tests._strategies import f64, setting, step


def test_the_step_is_a_convex_combination_of_gradients_of_log_losses():
    weights = FastAdaptiveWeighting(setting(), normalize=False).weigh(step([0.5, 0.1, 0.2, 1.0]), 0)
    assert float(weights.sum()) == pytest.approx(4)
    products = weights * f64([0.5, 0.1, 0.2, 1.0])
    assert torch.allclose(products, products[:1].expand(4), rtol=1e-9)


def test_a_task_that_improves_loses_weight():
    weighting = FastAdaptiveWeighting(setting(2))
    before = step([0.4, 0.4])
    weighting.weigh(before, 0)
    weighting.look_again(before, step([0.2, 0.39]))
    weights = weighting.weigh(before, 1)
    assert float(weights[0]) < float(weights[1])


def test_weights_agree_with_torchjd_step_by_step():
    scalarization = pytest.importorskip("torchjd.scalarization")
    reference = scalarization.FAMO(4, lr=0.05, weight_decay=1e-2).double()
    weighting = FastAdaptiveWeighting(setting(), lr=0.05, weight_decay=1e-2, normalize=False)
    generator = torch.Generator().manual_seed(0)
    for number in range(20):
        losses = (0.1 + torch.rand(4, generator=generator, dtype=torch.float64)).requires_grad_()
        (expected,) = torch.autograd.grad(reference(losses), losses)
        given = step(losses.tolist())
        assert torch.allclose(weighting.weigh(given, number) / 4, expected, rtol=1e-5)
        later = losses.detach() * torch.rand(4, generator=generator, dtype=torch.float64)
        reference.update(later)
        weighting.look_again(given, step(later.tolist()))


def test_absent_tasks_keep_logits_moments_and_counts():
    weighting = FastAdaptiveWeighting(setting(3))
    weighting.look_again(step([0.4, 0.4, 0.4]), step([0.1, 0.2, 0.3]))
    before = weighting.state_dict()["table"]
    weighting.look_again(step([0.4, 0.4, None]), step([0.1, 0.3, None]))
    after = weighting.state_dict()["table"]
    for key in ("logits", "first_moment", "second_moment", "updates"):
        assert after[key]["t2"] == before[key]["t2"]
        assert after[key]["t0"] != before[key]["t0"]


def test_senseless_options_are_refused():
    with pytest.raises(ValueError, match="must not be negative"):
        FastAdaptiveWeighting(setting(), lr=-1.0)
