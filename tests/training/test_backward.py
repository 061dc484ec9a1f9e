"""The gradient of a step under every way of combining the gradients of the tasks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from realsr_mtl.archs import for_task
from realsr_mtl.batch import TaskBatch
from realsr_mtl.processes import Processes
from realsr_mtl.training.clock import StepClock
from realsr_mtl.training.learner import Learner
from realsr_mtl.training.plan import TrainingPlan
from tests._inputs import photographs
from tests._options import tiny

TASK = torch.tensor([0, 1, 1, 0, 1, 1])


def _batch(part: slice = slice(0, 6)) -> TaskBatch:
    gt, lq = photographs(6, 32, 32)[part], photographs(6, 8, 8)[part]
    return TaskBatch(lq, gt, TASK[part], torch.arange(6)[part], None)


def _gradient(
    strategy: dict[str, Any], *batches: TaskBatch, **train: Any
) -> tuple[Tensor, list[Tensor]]:
    overrides = [f"train:{key}={value}" for key, value in train.items()]
    plan = TrainingPlan(
        tiny([*overrides, "train:optim_g={type: SGD, lr: 1.0}"], strategy=strategy or None)
    )
    processes = Processes()
    made = plan.strategy(plan.setting(plan.tasks(plan.sampler()), processes))
    learner = Learner(plan, made, processes)
    before = _flat(learner)
    seen: list[Tensor] = []
    source = iter(batches or [_batch()])
    learner.step(
        0,
        lambda: next(source),
        lambda loss, _: seen.append(loss.weighted),
        StepClock(torch.device("cpu")),
    )
    return before - _flat(learner), seen


def _flat(learner: Learner) -> Tensor:
    return torch.cat([p.detach().flatten() for p in learner.network.parameters()])


def _task_gradients() -> list[Tensor]:
    """Gradient of the mean loss of each task, by plain torch."""
    network, batch = TrainingPlan(tiny()).network(), _batch()
    rows = []
    for t in (0, 1):
        network.zero_grad()
        part = t == TASK
        (network(batch.lq[part]) - batch.gt[part]).abs().mean().backward()
        rows.append(torch.cat([p.grad.flatten() for p in network.parameters()]))
    return rows


def test_without_a_strategy_the_gradient_is_that_of_the_mean_over_samples():
    a, b = _task_gradients()
    assert torch.allclose(_gradient({})[0], (2 * a + 4 * b) / 6, atol=1e-7)


def test_equal_weighting_takes_the_mean_over_tasks():
    a, b = _task_gradients()
    assert torch.allclose(_gradient({"weighting": {"type": "Equal"}})[0], (a + b) / 2, atol=1e-7)


@pytest.mark.parametrize("rows", ["full", "sketch"])
def test_nash_solves_its_equation_for_the_true_gradients(rows: str):
    a, b = _task_gradients()
    found, losses = _gradient(
        {"gradients": {"type": "NashMTL", "rows": rows, "sketch_size": 100_000}}
    )
    norms = torch.stack([a.norm(), b.norm()])
    weights = (1 / norms) / (1 / norms).mean()  # of two tasks: one over the length
    expected = (weights[0] * a + weights[1] * b) / 2
    tolerance = 1e-7 if rows == "full" else 0.05 * float(expected.abs().max())
    assert torch.allclose(found, expected, atol=tolerance)
    assert losses[0].shape == (6,)


@pytest.mark.parametrize("rows", ["full", "sketch", "last_layer"])
def test_the_losses_that_are_logged_are_those_of_plain_training(rows: str):
    plain = _gradient({})[1]
    found = _gradient({"gradients": {"type": "NashMTL", "rows": rows}})[1]
    assert torch.allclose(found[0], plain[0], atol=1e-6)


def test_last_layer_weights_come_from_the_last_layer():
    a, b = _task_gradients()
    tail = 48 * 8 * 9 + 48  # of SRVGGNetCompact with 8 features: the convolution before the shuffle
    norms = torch.stack([a[-tail:].norm(), b[-tail:].norm()])
    weights = (1 / norms) / (1 / norms).mean()
    found = _gradient({"gradients": {"type": "NashMTL", "rows": "last_layer"}})[0]
    assert torch.allclose(found, (weights[0] * a + weights[1] * b) / 2, atol=1e-6)


@pytest.mark.parametrize("rows", ["full", "sketch"])
def test_micro_batches_add_up_to_the_whole_batch(rows: str):
    strategy = {"gradients": {"type": "NashMTL", "rows": rows}}
    whole = _gradient(strategy)[0]
    parts, losses = _gradient(strategy, _batch(slice(0, 3)), _batch(slice(3, 6)), accum_iter=2)
    assert torch.allclose(whole, parts, atol=1e-6)
    assert [len(loss) for loss in losses] == [3, 3]


def test_a_weighting_scales_the_gradients_before_they_are_combined():
    """Nash is indifferent to the scale of a task: its step is the same under any weights."""
    plain = _gradient({"gradients": {"type": "NashMTL", "normalize": False}})[0]
    weighting = {"type": "RLW"}
    other = _gradient(
        {"weighting": weighting, "gradients": {"type": "NashMTL", "normalize": False}}
    )[0]
    ratio = other.norm() / plain.norm()
    assert torch.allclose(other / ratio, plain, atol=1e-6)


def test_weights_are_held_between_renewals():
    strategy = {"gradients": {"type": "NashMTL", "every": 2}}
    plan, processes = TrainingPlan(tiny(strategy=strategy)), Processes()
    made = plan.strategy(plan.setting(plan.tasks(plan.sampler()), processes))
    learner, clock = Learner(plan, made, processes), StepClock(torch.device("cpu"))
    held = []
    for iteration in range(4):
        learner.step(iteration, _batch, lambda *_: None, clock)
        held.append(made.gradients.held(torch.tensor([True, True])).tolist())
    assert held[0] == held[1] and held[2] == held[3] and held[0] != held[2]


def test_a_task_that_is_absent_does_not_count():
    only = _batch(slice(1, 3))  # both of task 1
    b = _gradient({"weighting": {"type": "Equal"}}, only)[0]
    found = _gradient({"gradients": {"type": "NashMTL"}}, only)[0]
    assert torch.allclose(found, b, atol=1e-7)


def test_famo_looks_at_the_same_samples_again():
    strategy = {"weighting": {"type": "FAMO"}}
    plan, processes = TrainingPlan(tiny(strategy=strategy)), Processes()
    made = plan.strategy(plan.setting(plan.tasks(plan.sampler()), processes))
    learner = Learner(plan, made, processes)
    seen = []
    made.weighting.look_again = lambda before, after: seen.append((before, after))
    learner.step(0, _batch, lambda *_: None, StepClock(torch.device("cpu")))
    before, after = seen[0]
    assert before.counts.tolist() == after.counts.tolist() == [2, 4]
    with torch.no_grad():
        losses = (learner.network(_batch().lq) - _batch().gt).abs().mean((1, 2, 3))
    assert float(after.sums[0]) == pytest.approx(float(losses[TASK == 0].sum()))
    assert after.sums.tolist() != before.sums.tolist()


HEADS = {
    "type": "TaskHeads",
    "trunk": {"type": "MSRResNet", "num_feat": 4, "num_block": 1},
    "features": "body",
    "heads": {"mild": {"scale": 4}, "noise2": {"scale": 4}},
}


def _gradients_of_heads(strategy: dict[str, Any], *steps: int, **train: Any) -> dict[str, Tensor]:
    overrides = [f"train:{key}={value}" for key, value in train.items()]
    overrides.append("train:optim_g={type: SGD, lr: 1.0}")
    plan = TrainingPlan(tiny(overrides, network_g=HEADS, strategy=strategy or None))
    made = plan.strategy(plan.setting(plan.tasks(plan.sampler()), Processes()))
    learner = Learner(plan, made, Processes())
    start = {n: p.detach().clone() for n, p in learner.network.named_parameters()}
    found = {}
    for iteration in steps or (0,):
        learner.network.load_state_dict(start)  # every step from the same weights
        learner.step(iteration, _batch, lambda *_: None, StepClock(torch.device("cpu")))
        now = dict(learner.network.named_parameters())
        found = {n: start[n] - now[n].detach() for n in start}
    return found


def _heads_by_torch() -> list[dict[str, Tensor]]:
    """Gradient of the mean loss of each task."""
    plan = TrainingPlan(tiny(network_g=HEADS))
    network = plan.network()
    rows = []
    for t, name in enumerate(("mild", "noise2")):
        network.zero_grad()
        part = t == TASK
        (for_task(network, name)(_batch().lq[part]) - _batch().gt[part]).abs().mean().backward()
        rows.append(
            {n: torch.zeros_like(p) if p.grad is None else p.grad.clone()
             for n, p in network.named_parameters()}
        )  # fmt: skip
    return rows


@pytest.mark.parametrize(("rows", "steps"), [("full", (0,)), ("sketch", (0,)), ("full", (0, 1))])
def test_gradients_are_combined_in_the_trunk_and_heads_have_their_own(
    rows: str, steps: tuple[int, ...]
):
    a, b = _heads_by_torch()
    trunk = [n for n in a if n.startswith("trunk")]
    norms = torch.stack([torch.cat([g[n].flatten() for n in trunk]).norm() for g in (a, b)])
    weights = (1 / norms) / (1 / norms).mean()  # Nash-MTL with two tasks
    strategy = {"type": "NashMTL", "rows": rows, "sketch_size": 100_000, "every": 2}
    found = _gradients_of_heads({"gradients": strategy}, *steps)
    for name in a:
        x, y = (weights[0], weights[1]) if name in trunk else (1, 1)
        expected = (x * a[name] + y * b[name]) / 2
        assert torch.allclose(found[name], expected, atol=2e-3 * expected.abs().max() + 1e-8), name
    assert float((weights[0] - weights[1]).abs()) > 0.05


def test_the_last_layer_of_the_trunk_decides():
    a, b = _heads_by_torch()
    last = [n for n in a if n.startswith("trunk.body.0.conv2")]
    norms = torch.stack([torch.cat([g[n].flatten() for n in last]).norm() for g in (a, b)])
    weights = (1 / norms) / (1 / norms).mean()
    found = _gradients_of_heads({"gradients": {"type": "NashMTL", "rows": "last_layer"}})
    for name in a:
        x, y = (weights[0], weights[1]) if name.startswith("trunk") else (1, 1)
        expected = (x * a[name] + y * b[name]) / 2
        assert torch.allclose(found[name], expected, atol=2e-3 * expected.abs().max() + 1e-8), name


@pytest.mark.parametrize("rows", ["", "full", "sketch", "last_layer"])
def test_a_loss_beside_the_strategy_is_not_weighed(rows: str):
    plain = {"weighting": {"type": "Equal"}}
    combined = {"gradients": {"type": "NashMTL", "rows": rows, "sketch_size": 100_000}}
    strategy = combined if rows else plain
    beside = {"type": "MSELoss", "weighted": False}
    without = _gradient(strategy)[0]
    both = _gradient(strategy, losses={"soft": beside})[0]
    alone = _gradient({}, pixel_opt={"type": "MSELoss"})[0]
    assert torch.allclose(both - without, alone, atol=2e-3 * float(alone.abs().max()))
