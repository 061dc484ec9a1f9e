"""What every loss between images has in common."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from realsr_mtl.errors import OptionError
from realsr_mtl.losses import LOSSES, ImageLoss
from tests._inputs import photographs

NAMES = [name for name in sorted(LOSSES) if issubclass(LOSSES.get(name), ImageLoss)]  # type: ignore[arg-type]


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    return photographs(3, 16, 20), photographs(3, 16, 20, seed=10)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_its_samples(name: str, pair: tuple[Tensor, Tensor]):
    loss = LOSSES.build({"type": name})
    singly = torch.cat([loss(p[None], t[None]) for p, t in zip(*pair, strict=True)])
    torch.testing.assert_close(loss(*pair), singly)
    assert (singly > 0.01).all()


@pytest.mark.parametrize("name", NAMES)
def test_gradient_stays_within_the_sample_and_is_finite_at_zero(
    name: str, pair: tuple[Tensor, Tensor]
):
    prediction, target = pair[0].clone(), pair[1]
    prediction[0] = target[0]
    prediction.requires_grad_()
    loss = LOSSES.build({"type": name})(prediction, target)
    gradient = torch.autograd.grad(loss[:2].sum(), prediction)[0]
    assert gradient.isfinite().all()
    assert gradient[0].abs().max() < 1e-6
    assert gradient[1].abs().max() > 1e-5
    assert not gradient[2].any()


@pytest.mark.parametrize("name", NAMES)
def test_descent_leads_to_the_target(name: str, pair: tuple[Tensor, Tensor]):
    loss, target = LOSSES.build({"type": name}), pair[1]
    image = (target + 0.1 * torch.sin(torch.arange(20) * 1.7)).requires_grad_()
    before = loss(image, target).sum()
    (gradient,) = torch.autograd.grad(before, image)
    step = 1e-3 / gradient.abs().max()
    assert loss(image - step * gradient, target).sum() < before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_reduced_in_float32(
    name: str, dtype: torch.dtype, pair: tuple[Tensor, Tensor]
):
    loss, prediction, target = LOSSES.build({"type": name}), pair[0].to(dtype), pair[1]
    value = loss(prediction, target)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(prediction.float(), target), rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_shapes(name: str):
    with pytest.raises(ValueError, match=r"\(1, 3, 16, 16\) and target \(1, 3, 32, 32\) differ"):
        LOSSES.build({"type": name})(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 32, 32))


def test_options_of_the_base_reach_every_loss():
    loss = LOSSES.build({"type": "SSIMLoss", "tasks": ["noise"], "weighted": False})
    assert (loss.tasks, loss.weighted, loss.loss_weight) == (("noise",), False, 1)
    with pytest.raises(OptionError, match="tasks names no task"):
        LOSSES.build({"type": "L1Loss", "tasks": []})
