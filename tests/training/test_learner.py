from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from realsr_mtl.batch import TaskBatch
from realsr_mtl.processes import Processes
from realsr_mtl.training.clock import StepClock
from realsr_mtl.training.learner import Learner
from realsr_mtl.training.plan import TrainingPlan
from tests._inputs import photographs
from tests._options import tiny


def _learner(*overrides: str) -> Learner:
    plan, processes = TrainingPlan(tiny(overrides)), Processes()
    strategy = plan.strategy(plan.setting(plan.tasks(plan.sampler()), processes))
    return Learner(plan, strategy, processes)


def _batch(samples: slice = slice(0, 4)) -> TaskBatch:
    gt, lq = photographs(4, 32, 32)[samples], photographs(4, 8, 8)[samples]
    task = torch.zeros(len(gt), dtype=torch.int64)
    return TaskBatch(lq, gt, task, torch.arange(len(gt)), None)


def _step(learner: Learner, *batches: TaskBatch, iteration: int = 0) -> list[Tensor]:
    losses: list[Tensor] = []
    source = iter(batches)
    clock = StepClock(torch.device("cpu"))
    learner.step(
        iteration, lambda: next(source), lambda loss, _: losses.append(loss.weighted), clock
    )
    return losses


def _weights(learner: Learner) -> Tensor:
    return torch.cat([p.detach().flatten() for p in learner.network.parameters()])


def test_a_step_is_that_of_plain_torch() -> None:
    learner, plan = _learner(), TrainingPlan(tiny())
    network = plan.network()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.9, 0.99))
    for iteration in range(3):
        _step(learner, _batch(), iteration=iteration)
        optimizer.zero_grad()
        (network(_batch().lq) - _batch().gt).abs().mean().backward()
        optimizer.step()
    plain = torch.cat([p.detach().flatten() for p in network.parameters()])
    assert torch.allclose(_weights(learner), plain, atol=1e-7)


def test_losses_come_per_sample_and_fall() -> None:
    learner = _learner()
    (first,) = _step(learner, _batch())
    for iteration in range(1, 30):
        (last,) = _step(learner, _batch(), iteration=iteration)
    assert first.shape == (4,)
    assert last.mean() < 0.9 * first.mean()


def test_micro_batches_add_up_to_the_whole_batch() -> None:
    whole = _learner("train:optim_g={type: SGD, lr: 0.1}")
    parts = _learner("train:optim_g={type: SGD, lr: 0.1}", "train:accum_iter=2")
    _step(whole, _batch())
    _step(parts, _batch(slice(0, 2)), _batch(slice(2, 4)))
    assert torch.allclose(_weights(whole), _weights(parts), atol=1e-6)


def test_the_gradient_is_clipped_to_the_norm() -> None:
    learner = _learner("train:optim_g={type: SGD, lr: 1.0}", "train:grad_clip_norm=0.01")
    before = _weights(learner).clone()
    _step(learner, _batch())
    assert float((_weights(learner) - before).norm()) == pytest.approx(0.01, rel=1e-3)


def test_rates_follow_warm_up_and_schedule() -> None:
    learner = _learner(
        "train:warmup_iter=2", "train:scheduler={type: MultiStepLR, milestones: [3], gamma: 0.5}"
    )
    rates = []
    for iteration in range(4):
        _step(learner, _batch(), iteration=iteration)
        rates += learner.rates
    assert rates == pytest.approx([5e-4, 1e-3, 1e-3, 5e-4])


@pytest.mark.parametrize("option", ["train:precision=bf16", "train:channels_last=true"])
def test_numeric_options_stay_close_to_plain_training(option: str) -> None:
    plain, other = _learner(), _learner(option)
    (expected,), (found,) = _step(plain, _batch()), _step(other, _batch())
    assert found.dtype == torch.float32
    assert torch.allclose(found, expected, rtol=2e-2)


def test_average_follows_and_is_what_is_validated() -> None:
    learner = _learner()
    start = _weights(learner).clone()
    _step(learner, _batch())
    assert learner.average is not None
    mean = torch.cat([p.flatten() for p in learner.evaluated.parameters()])
    assert torch.allclose(mean, (start + _weights(learner)) / 2)
    assert _learner("train:ema_decay=0").evaluated is not learner.network


def test_state_and_weights_restore_everything(tmp_path: Any) -> None:
    learner = _learner()
    _step(learner, _batch())
    torch.save(learner.weights(), tmp_path / "w.pth")
    state = learner.state_dict()
    torch.save(state, tmp_path / "s.state")
    other = _learner()
    loaded = torch.load(tmp_path / "s.state", weights_only=True)
    other.load_state_dict(loaded, tmp_path / "w.pth", keep_schedule=False)
    for one in (learner, other):
        _step(one, _batch(), iteration=1)
    assert torch.equal(_weights(learner), _weights(other))


def test_the_old_schedule_can_be_kept(tmp_path: Any) -> None:
    old = _learner("train:scheduler={type: MultiStepLR, milestones: [1]}", "train:optim_g:lr=0.5")
    torch.save(old.weights(), tmp_path / "w.pth")
    new = _learner()
    new.load_state_dict(old.state_dict(), tmp_path / "w.pth", keep_schedule=True)
    assert new.base_rates == [0.5]
    assert new.schedule.rate(0.5, 1) == pytest.approx(0.05)
