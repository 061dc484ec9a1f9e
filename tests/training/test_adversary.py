"""The discriminator: when it learns, from what, and what is known of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from realsr_mtl.losses import GANLoss, RelativisticGANLoss
from realsr_mtl.processes import Processes
from realsr_mtl.training.adversary import Adversary
from realsr_mtl.training.loss_terms import Restored
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.precision import Precision
from tests._inputs import photographs
from tests._options import tiny

TASK = torch.tensor([0, 1, 1, 0])


def _network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 3))


def _adversary(tasks: tuple[str, ...] | None = None, **options: Any) -> Adversary:
    network = _network()
    precision = Precision(TrainingPlan(tiny()).train, torch.device("cpu"))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    loss = GANLoss(gan_type="vanilla", loss_weight=0.1, gt_usm=False, tasks=tasks)
    settings = {"every": 1, "first": 0, **options}
    return Adversary(network, loss, optimizer, ["a", "b"], precision, Processes(), **settings)


def _parts(*where: Tensor) -> list[Restored]:
    fake, real = photographs(4, 12, 12), photographs(4, 12, 12, seed=20)
    sharp = torch.full_like(real, 7)  # never looked at: gt_usm is false
    return [Restored(fake[w], sharp[w], w, plain=real[w]) for w in where or (torch.arange(4),)]


def _by_hand(network: nn.Module) -> tuple[Tensor, Tensor]:
    (part,) = _parts()
    assert part.plain is not None
    real, fake = network(part.plain), network(part.output)
    criterion = nn.functional.binary_cross_entropy_with_logits
    losses = [
        criterion(logits, torch.full_like(logits, label), reduction="none").mean((1, 2, 3))
        for logits, label in ((real, 1.0), (fake, 0.0))
    ]
    return losses[0], losses[1]


@pytest.mark.parametrize("split", [False, True])
def test_a_step_is_one_of_the_sum_of_both_losses(split: bool):
    network = _network()
    real, fake = _by_hand(network)
    (real.mean() + fake.mean()).backward()
    expected = [p.detach() - 0.5 * p.grad for p in network.parameters()]
    adversary = _adversary()
    where = (torch.tensor([3, 0]), torch.tensor([1, 2])) if split else ()
    adversary.step([(_parts(*where), TASK)])
    for own, wanted in zip(adversary.network.parameters(), expected, strict=True):
        torch.testing.assert_close(own.detach(), wanted)
        assert not own.requires_grad


def test_micro_batches_add_up():
    whole, halves = _adversary(), _adversary()
    whole.step([(_parts(), TASK)])
    (part,) = _parts()
    keep = [torch.tensor([True, True, False, False]), torch.tensor([False, False, True, True])]
    pairs = []
    for chosen in keep:
        half = part.part(chosen)
        at = torch.arange(2)
        pairs.append(([Restored(half.output, half.target, at, half.plain)], TASK[chosen]))
    halves.step(pairs)
    for own, wanted in zip(halves.network.parameters(), whole.network.parameters(), strict=True):
        torch.testing.assert_close(own, wanted)


def test_the_judge_gives_gradients_to_images_only():
    adversary = _adversary()
    images = photographs(2, 12, 12).requires_grad_()
    adversary.judge(images).sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
    assert all(p.grad is None for p in adversary.network.parameters())


def test_scores_are_known_by_task():
    adversary = _adversary()
    start = copy.deepcopy(adversary.network)
    adversary.step([(_parts(), TASK)])
    every, tasks = adversary.means()
    real, fake = _by_hand(start)
    (part,) = _parts()
    logits = start(part.output).mean((1, 2, 3))
    assert every["l_d_real"] == pytest.approx(float(real.mean()), rel=1e-5)
    assert every["l_d_fake"] == pytest.approx(float(fake.mean()), rel=1e-5)
    assert every["out_d_fake"] == pytest.approx(float(logits.mean()), rel=1e-5)
    expected = [float(logits[t == TASK].mean()) for t in (0, 1)]
    assert tasks["out_d_fake"].tolist() == pytest.approx(expected, rel=1e-5)
    assert adversary.means() == ({}, {})


def test_when_the_network_learns():
    lets = [_adversary(every=2, first=3).lets_learn(i) for i in range(8)]
    assert lets == [False, False, False, True, False, True, False, True]
    assert all(_adversary().lets_learn(i) for i in range(3))


def test_scores_are_saved():
    adversary, other = _adversary(), _adversary()
    adversary.step([(_parts(), TASK)])
    other.load_state_dict(adversary.state_dict())
    assert other.means()[0] == adversary.means()[0]


def test_relativistic_logits_by_hand():
    loss = RelativisticGANLoss(loss_weight=0.1)
    network = _network()
    settings: dict[str, Any] = {"every": 1, "first": 0}
    precision = Precision(TrainingPlan(tiny()).train, torch.device("cpu"))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    adversary = Adversary(network, loss, optimizer, ["a", "b"], precision, Processes(), **settings)
    (part,) = _parts()
    real, fake = (_network()(images) for images in (part.plain, part.output))
    softplus = nn.functional.softplus
    expected = softplus(-(real - fake.mean())).mean() + softplus(fake - real.mean()).mean()
    adversary.step([([part], TASK)])
    every, _ = adversary.means()
    assert every["l_d_real"] + every["l_d_fake"] == pytest.approx(
        float(expected.detach()) / 2, rel=1e-5
    )
    values = loss.generator(fake, real)
    expected = softplus(real - fake.mean()).mean() + softplus(-(fake - real.mean())).mean()
    assert float(values.mean().detach()) == pytest.approx(0.05 * float(expected.detach()), rel=1e-5)


def test_the_discriminator_sees_the_tasks_of_its_loss_only():
    part, adversary = _parts()[0], _adversary(("b",))
    adversary.step([([part], TASK)])
    alone = _adversary()
    chosen = TASK == 1
    half = part.part(chosen)
    alone.step([([Restored(half.output, half.target, torch.arange(2), half.plain)], TASK[chosen])])
    for own, wanted in zip(adversary.network.parameters(), alone.network.parameters(), strict=True):
        torch.testing.assert_close(own, wanted)
    assert adversary.scores.values[4].tolist() == [0, 2]
