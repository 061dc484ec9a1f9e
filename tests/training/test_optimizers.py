from __future__ import annotations

import pytest
import torch
from torch import nn

from realsr_mtl.errors import OptionError
from realsr_mtl.training.optimizers import build_optimizer


def test_any_class_of_torch_by_its_name() -> None:
    network = nn.Linear(2, 2)
    network.bias.requires_grad_(False)
    optimizer = build_optimizer({"type": "SGD", "lr": 0.5, "momentum": 0.9}, network.parameters())
    assert type(optimizer) is torch.optim.SGD
    (group,) = optimizer.param_groups
    assert (group["lr"], group["momentum"]) == (0.5, 0.9)
    assert len(group["params"]) == 1  # the frozen bias is not among them


def test_adam_has_basicsrs_defaults() -> None:
    (group,) = build_optimizer({"type": "Adam"}, nn.Linear(2, 2).parameters()).param_groups
    assert (group["lr"], group["betas"], group["weight_decay"]) == (2e-4, (0.9, 0.99), 0.0)


@pytest.mark.parametrize(
    ("block", "hint"),
    [
        ({"type": "Adm"}, "did you mean 'Adam'"),
        ({"type": "RMSProp"}, r"did you mean 'RMSprop'\? Accepted: Adam, AdamW$"),
        ({"type": "LBFGS"}, "several times a step"),
        ({"type": "Adam", "lrr": 1}, r"train:optim_g:lrr.*did you mean 'lr'"),
        ({"type": "SGD", "moment": 1}, "did you mean 'momentum'"),
        ({"type": "Adam", "lr": "fast"}, "train:optim_g:lr"),
        ({"type": "Adam", "lr": -1.0}, "refuses"),
        ({"type": "Optimizer"}, "no optimiser"),
    ],
)
def test_mistakes(block: dict[str, object], hint: str) -> None:
    with pytest.raises(OptionError, match=hint):
        build_optimizer(block, nn.Linear(2, 2).parameters())
