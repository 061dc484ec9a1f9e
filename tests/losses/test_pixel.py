from __future__ import annotations

import pytest
import torch

from realsr_mtl.errors import OptionError
from realsr_mtl.losses import LOSSES, CharbonnierLoss, L1Loss, MSELoss
from tests._inputs import photographs

DISTANCES = {
    "L1Loss": lambda d: d.abs(),
    "MSELoss": lambda d: d**2,
    "CharbonnierLoss": lambda d: (d**2 + 1e-12).sqrt(),
}


@pytest.fixture
def pair():
    return photographs(3, 5, 7), photographs(3, 5, 7, seed=10)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_value_of_each_sample(name, pair):
    loss = LOSSES.build({"type": name, "loss_weight": 0.5})(*pair)
    expected = [0.5 * DISTANCES[name](p - t).mean() for p, t in zip(*pair, strict=True)]
    assert loss.shape == (3,)
    torch.testing.assert_close(loss, torch.stack(expected))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_gradient_stays_within_the_sample_and_is_finite_at_zero(name, pair):
    prediction, target = pair
    prediction = prediction.clone()
    prediction[0] = target[0]
    prediction.requires_grad_()
    loss = LOSSES.build({"type": name})(prediction, target)
    gradient = torch.autograd.grad(loss[:2].sum(), prediction)[0]
    assert gradient.isfinite().all()
    assert not gradient[0].any()
    assert (gradient[1].sign() == (prediction - target)[1].sign()).float().mean() > 0.99
    assert not gradient[2].any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("loss", [L1Loss(), MSELoss(), CharbonnierLoss()])
def test_half_precision_is_reduced_in_float32(loss, dtype, pair):
    prediction, target = pair[0].to(dtype), pair[1]
    value = loss(prediction, target)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(prediction.float(), target), rtol=0, atol=0)


def test_large_differences_do_not_overflow_in_half_precision():
    value = MSELoss()(torch.full((1, 3, 64, 64), 300.0).half(), torch.zeros(1, 3, 64, 64).half())
    assert value.item() == 90_000


def test_charbonnier_eps_rounds_the_corner():
    zero = torch.zeros(1, 3, 2, 2)
    assert CharbonnierLoss(eps=0.25)(zero, zero).item() == 0.5


def test_wrong_shapes_and_options():
    with pytest.raises(ValueError, match=r"\(1, 3, 4, 4\) and target \(1, 3, 8, 8\) differ"):
        L1Loss()(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 8, 8))
    with pytest.raises(OptionError, match=r"pixel_opt:reduction: .*'mean'.*'sum'"):
        LOSSES.build({"type": "L1Loss", "reduction": "sum"}, path=("pixel_opt",))
    with pytest.raises(OptionError, match="did you mean 'CharbonnierLoss'"):
        LOSSES.build({"type": "CharbonierLoss"})
