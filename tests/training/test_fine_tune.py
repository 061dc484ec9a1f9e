from __future__ import annotations

from pathlib import Path

import pytest
import torch

from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.training.fine_tune import fine_tune
from realsr_mtl.training.learner import Learner
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.run_folder import RunFolder
from realsr_mtl.training.trainer import Trainer
from tests._options import tiny

pytestmark = pytest.mark.usefixtures("images")


def _weights(learner: Learner) -> torch.Tensor:
    return torch.cat([p.flatten() for p in learner.network.parameters()])


def _run(sampling: dict, *overrides: str) -> Learner:
    plan = TrainingPlan(tiny(overrides))
    tasks = plan.tasks(plan.sampler())
    return fine_tune(plan, plan.images("train"), tasks, sampling, Processes(), "t")


def test_it_is_the_training_of_train_py_without_its_files() -> None:
    plan = TrainingPlan(tiny())
    folder = RunFolder.of(plan.options)
    folder.create(resume=False)
    trainer = Trainer(plan, folder, Processes(), None)
    trainer.run()
    before = sorted(Path("experiments").rglob("*"))
    assert torch.equal(_weights(_run({"type": "Natural"})), _weights(trainer.learner))
    assert sorted(Path("experiments").rglob("*")) == before


def test_it_starts_from_the_given_weights_and_follows_the_sampling() -> None:
    first = _run({"type": "Natural"})
    torch.save(first.weights(), "start.pth")
    options = ("path:pretrain_network_g=start.pth", "train:total_iter=1", "train:optim_g:lr=1e-9")
    still = _run({"type": "Natural"}, *options)
    start = torch.load("start.pth")["params_ema"]
    for name, tensor in still.network.state_dict().items():
        assert torch.allclose(tensor, start[name], atol=1e-6)
    one = _run({"type": "Fixed", "shares": {"mild": 1.0}})
    other = _run({"type": "Fixed", "shares": {"noise2": 1.0}})
    assert not torch.equal(_weights(one), _weights(other))


def test_a_loss_that_explodes_is_an_error() -> None:
    with pytest.raises(UserError, match=r"t: l_pix is nan \(task .*\); lower the lr"):
        _run({"type": "Natural"}, "train:optim_g={type: SGD, lr: 1e30}")
