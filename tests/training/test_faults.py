from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.processes import Processes
from realsr_mtl.training.clock import StepClock
from realsr_mtl.training.faults import Fault, describe
from realsr_mtl.training.learner import Learner
from realsr_mtl.training.plan import TrainingPlan
from tests._options import tiny
from tests.training._faulty import RELATIVE, ROOT

GAN = [
    "network_d={type: PatchDiscriminator, num_feat: 4, num_layers: 1, norm: batch}",
    "train:optim_d={type: SGD, lr: 0.1}",
    "train:gan_opt={type: GANLoss, loss_weight: 0.1}",
]
STRATEGIES = [
    "null",
    "{weighting: {type: Art}}",
    "{gradients: {type: NashMTL}}",
    "{gradients: {type: NashMTL, rows: sketch}}",
    "{gradients: {type: NashMTL, rows: last_layer}}",
]


pytestmark = pytest.mark.usefixtures("faulty")


def _state(learner: Learner) -> dict[str, Any]:
    networks = {"g": learner.network, "e": learner.evaluated}
    if learner.adversary:
        networks["d"] = learner.adversary.network
    tensors = {f"{k}.{n}": t for k, net in networks.items() for n, t in net.state_dict().items()}
    return {name: tensor.clone() for name, tensor in tensors.items()}


def _first_step(*overrides: str) -> tuple[list[Fault] | None, bool, int]:
    """One step on the first five samples, an epoch: faults, whether weights moved, collected."""
    size = "datasets:train:batch_size_per_gpu=5"
    plan, processes = TrainingPlan(tiny([size, *overrides])), Processes()
    tasks = plan.tasks(plan.sampler())
    strategy = plan.strategy(plan.setting(tasks, processes))
    learner = Learner(plan, strategy, processes)
    images = plan.images("train")
    maker = plan.batch_maker(tasks, strategy.sampling, plan.targets(learner.network), processes)
    patches = iter(plan.loader(images, strategy.setting.streams, processes, 0))
    before, kept = _state(learner), strategy.state_dict()
    collected: list[int] = []
    faults = learner.step(
        0,
        lambda: maker.make(next(patches)),
        lambda losses, batch: collected.append(len(batch.task)),
        StepClock(torch.device("cpu")),
    )
    after = _state(learner)
    moved = any(not torch.equal(before[name], after[name]) for name in before)
    if not moved:
        assert not learner.optimizer.state
        assert _nans(strategy.state_dict()) <= _nans(kept)
    return faults, moved, sum(collected)


def _nans(state: Any) -> int:
    """How many numbers of a state are NaN."""
    if isinstance(state, dict):
        return sum(_nans(value) for value in state.values())
    if isinstance(state, str):
        return 0
    return int(torch.as_tensor(state).isnan().sum())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_loss_that_is_not_finite_is_traced_and_the_step_skipped(strategy: str) -> None:
    faults, moved, collected = _first_step(RELATIVE, f"strategy={strategy}")
    assert faults is not None and not moved and collected == 0
    (fault,) = faults
    assert fault.loss == "l_relative" and fault.value == float("inf")
    assert fault.sample.images == ["img_002"] and fault.task in ("mild", "noise2")
    entry = fault.entry()
    assert 0 <= entry["index"] < 5 and entry["record"]["pipeline"] == "second_order"
    assert describe(entry) == (
        f"l_relative is inf (task {fault.task}, image 'img_002', sample {entry['index']})"
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_step_of_faults_alone_leaves_no_trace(strategy: str) -> None:
    for image in Path("hr").iterdir():
        cv2.imwrite(str(image), np.zeros((48, 56, 3), np.uint8))
    faults, moved, collected = _first_step(RELATIVE, f"strategy={strategy}")
    assert faults is not None and len(faults) == 5
    assert not moved and collected == 0


def test_a_gradient_that_is_not_finite_is_traced_by_sample() -> None:
    faults, moved, _ = _first_step(ROOT)
    assert faults is not None and not moved
    assert [fault.sample.images for fault in faults] == [["img_002"]]
    assert faults[0].loss == "gradient of l_pix"  # the loss itself is 0


def test_micro_batches_and_discriminators_do_not_learn_from_a_faulty_step() -> None:
    for others in (["train:accum_iter=2"], GAN):
        faults, moved, collected = _first_step(RELATIVE, *others)
        assert faults and not moved and collected == 0


def test_a_step_without_fault_is_made() -> None:
    faults, moved, collected = _first_step()
    assert faults is None and moved and collected == 5


def test_a_discriminator_that_is_not_finite_does_not_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    from realsr_mtl.losses import GANLoss

    plain = GANLoss.discriminator

    def broken(self: Any, logits: torch.Tensor, real: bool, others: Any = None) -> torch.Tensor:
        values = plain(self, logits, real, others)
        return values if real else values * torch.tensor([1.0, torch.nan, 1.0, 1.0, 1.0])

    monkeypatch.setattr(GANLoss, "discriminator", broken)
    faults, moved, collected = _first_step(*GAN)
    assert faults is not None and moved and collected == 5  # the network has made its step
    assert [(fault.loss, int(fault.sample.index[0])) for fault in faults] == [("l_d_fake", 1)]
