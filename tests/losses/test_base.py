"""What every loss between images has in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from realsr_mtl.errors import OptionError
from realsr_mtl.losses import LOSSES, ImageLoss, Loss
from tests._inputs import photographs
from tests.losses._weights import save_squeezenet, save_vgg, vgg_layers

NAMES = [name for name in sorted(LOSSES) if issubclass(LOSSES.get(name), ImageLoss)]  # type: ignore[arg-type]
OPTIONS: dict[str, dict[str, Any]] = {
    "LPIPSLoss": {"net": "squeeze"},
    "MSSSIMLoss": {"scales": 2},
    "PerceptualLoss": {"vgg_type": "vgg11", "layer_weights": {"conv1_1": 0.5, "relu2_1": 1}},
}
"""Of losses that are not for images of this size, or need an option, without them."""

Build = Callable[[str], Loss]


@pytest.fixture
def build(hub: Path) -> Build:
    """A loss by its name, with a small weight file if it needs one."""

    def made(name: str) -> Loss:
        if name == "LPIPSLoss":
            save_squeezenet(hub)
        elif name == "PerceptualLoss":
            save_vgg(vgg_layers("vgg11", 3), hub / "vgg11-8a719046.pth")
        return LOSSES.build({"type": name, **OPTIONS.get(name, {})})

    return made


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    return photographs(3, 24, 28), photographs(3, 24, 28, seed=10)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_its_samples(name: str, build: Build, pair: tuple[Tensor, Tensor]):
    loss = build(name)
    singly = torch.cat([loss(p[None], t[None]) for p, t in zip(*pair, strict=True)])
    torch.testing.assert_close(loss(*pair), singly)
    assert (singly > 0.01).all()


@pytest.mark.parametrize("name", NAMES)
def test_gradient_stays_within_the_sample_and_is_finite_at_zero(
    name: str, build: Build, pair: tuple[Tensor, Tensor]
):
    prediction, target = pair[0].clone(), pair[1]
    prediction[0] = target[0]
    prediction.requires_grad_()
    loss = build(name)(prediction, target)
    gradient = torch.autograd.grad(loss[:2].sum(), prediction)[0]
    assert gradient.isfinite().all()
    assert gradient[0].abs().max() < 1e-6
    assert gradient[1].abs().max() > 1e-5
    assert not gradient[2].any()


@pytest.mark.parametrize("name", NAMES)
def test_descent_leads_to_the_target(name: str, build: Build, pair: tuple[Tensor, Tensor]):
    loss, target = build(name), pair[1]
    image = target.lerp(pair[0], 0.1).requires_grad_()
    before = loss(image, target).sum()
    (gradient,) = torch.autograd.grad(before, image)
    step = 1e-3 / gradient.abs().max()
    assert loss(image - step * gradient, target).sum() < before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_reduced_in_float32(
    name: str, build: Build, dtype: torch.dtype, pair: tuple[Tensor, Tensor]
):
    loss, prediction, target = build(name), pair[0].to(dtype), pair[1]
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(prediction, target)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(prediction.float(), target), rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_shapes(name: str, build: Build):
    with pytest.raises(ValueError, match=r"\(1, 3, 16, 16\) and target \(1, 3, 32, 32\) differ"):
        build(name)(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 32, 32))


def test_options_of_the_base_reach_every_loss():
    loss = LOSSES.build({"type": "SSIMLoss", "tasks": ["noise"], "weighted": False})
    assert (loss.tasks, loss.weighted, loss.loss_weight) == (("noise",), False, 1)
    with pytest.raises(OptionError, match="tasks names no task"):
        LOSSES.build({"type": "L1Loss", "tasks": []})
