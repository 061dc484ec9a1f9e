from __future__ import annotations

import math
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from realsr_mtl.errors import OptionError
from realsr_mtl.losses import LOSSES, GANLoss, RelativisticGANLoss
from realsr_mtl.losses.adversarial import GANType
from tests._oracles import basicsr_module

TYPES = get_args(GANType)
LABELS = {"real_label_val": 0.9, "fake_label_val": 0.1}


@pytest.fixture
def logits() -> Tensor:
    return 2 * torch.randn(4, 1, 5, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("labels", [{}, LABELS])
@pytest.mark.parametrize("kind", TYPES)
def test_means_are_basicsrs(kind: str, labels: dict[str, float], logits: Tensor):
    theirs = basicsr_module("losses.gan_loss").GANLoss(kind, loss_weight=0.1, **labels)
    ours = GANLoss(gan_type=kind, loss_weight=0.1, **labels)
    torch.testing.assert_close(ours.generator(logits).mean(), theirs(logits, True, is_disc=False))
    for real in (True, False):
        value = ours.discriminator(logits, real)
        assert value.shape == (4,)
        torch.testing.assert_close(value.mean(), theirs(logits, real, is_disc=True))


@pytest.mark.parametrize("kind", TYPES)
def test_a_batch_is_its_samples(kind: str, logits: Tensor):
    loss = GANLoss(gan_type=kind)
    for values in (loss.generator, lambda z: loss.discriminator(z, False)):
        torch.testing.assert_close(values(logits), torch.cat([values(z[None]) for z in logits]))
    flat = logits.mean((1, 2, 3))
    torch.testing.assert_close(loss.generator(flat), loss.generator(flat[:, None]))


@pytest.mark.parametrize("kind", TYPES)
def test_the_network_and_the_discriminator_pull_in_opposite_directions(kind: str):
    loss = GANLoss(gan_type=kind)

    def slope(function: Any) -> Tensor:
        z = torch.tensor([-0.5, 0.25], requires_grad=True)
        return torch.autograd.grad(function(z).sum(), z)[0]

    assert (slope(loss.generator) < 0).all()
    assert (slope(lambda z: loss.discriminator(z, True)) < 0).all()
    fake = slope(lambda z: loss.discriminator(z, False))
    assert (fake[1] if kind == "lsgan" else fake).gt(0).all()  # lsgan: towards 0 from both sides


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_reduced_in_float32(kind: str, dtype: torch.dtype, logits: Tensor):
    loss, halves = GANLoss(gan_type=kind), logits.to(dtype)
    for function in (loss.generator, lambda z: loss.discriminator(z, True)):
        value = function(halves)
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, function(halves.float()), rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["vanilla", "lsgan", "wgan", "wgan_softplus"])
def test_relativistic_means_are_those_of_basicsrs_esrgan(kind: str, logits: Tensor):
    """Its model subtracts the means; its hinge leaves the labels of the network out."""
    real, fake = logits, logits.flip(0) / 2 - 0.3
    theirs = basicsr_module("losses.gan_loss").GANLoss(kind, loss_weight=0.1, **LABELS)
    ours = RelativisticGANLoss(gan_type=kind, loss_weight=0.1, **LABELS)
    apart = real - fake.mean(), fake - real.mean()
    expected = (theirs(apart[0], False) + theirs(apart[1], True)) / 2
    torch.testing.assert_close(ours.generator(fake, real).mean(), expected)
    for own, other, is_real in ((real, fake, True), (fake, real, False)):
        expected = theirs(own - other.mean(), is_real, is_disc=True) / 2
        torch.testing.assert_close(ours.discriminator(own, is_real, other).mean(), expected)


def test_relativistic_half_precision_is_reduced_in_float32(logits: Tensor):
    loss, fake, real = RelativisticGANLoss(), logits.half(), logits.flip(0).half()
    value = loss.generator(fake, real)
    torch.testing.assert_close(value, loss.generator(fake.float(), real.float()), rtol=0, atol=0)


def test_values_by_hand():
    z = torch.tensor([[0.0, 2.0]])
    vanilla = (math.log(2) + math.log(1 + math.exp(-2))) / 2
    assert GANLoss(loss_weight=0.1).generator(z).item() == pytest.approx(0.1 * vanilla)
    assert GANLoss(gan_type="hinge").discriminator(z, True).item() == 0.5
    assert GANLoss(gan_type="hinge").generator(z).item() == -1
    large = torch.tensor([[200.0, -200.0]], requires_grad=True)
    value = GANLoss().generator(large)
    assert value.item() == 100
    assert torch.autograd.grad(value.sum(), large)[0].tolist() == [[0, -0.5]]


def test_the_term_starts_and_grows_as_said():
    assert [GANLoss().factor(i) for i in (0, 1, 10**6)] == [1, 1, 1]
    late = GANLoss(start_iter=3)
    assert [late.factor(i) for i in range(5)] == [0, 0, 0, 1, 1]
    slow = GANLoss(start_iter=2, ramp_iter=4)
    assert [slow.factor(i) for i in range(8)] == [0, 0, 0.25, 0.5, 0.75, 1, 1, 1]


def test_options():
    loss = LOSSES.build({"type": "GANLoss", "tasks": ["noise"]})
    assert (loss.weighted, loss.gt_usm, loss.tasks) == (False, False, ("noise",))
    with pytest.raises(OptionError, match="start_iter and ramp_iter must not be negative"):
        LOSSES.build({"type": "GANLoss", "ramp_iter": -1})
    with pytest.raises(OptionError, match=r"gan_opt:gan_type: .*'hinge'.*found 'wgan-gp'"):
        LOSSES.build({"type": "GANLoss", "gan_type": "wgan-gp"}, path=("gan_opt",))
