"""A tiny option file with a task grouping, its images and the weights it starts from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from realsr_mtl.archs import build_network
from realsr_mtl.training import TrainingPlan
from tests._options import TINY, tiny

GROUPING: dict[str, Any] = {
    "type": "TaskGrouping",
    "folder": "groups",
    "points": 5,
    "indicator_iter": 3,
    "window": 2,
    "indicator_lr": 1e-3,
    "fraction": 0.8,
    "joint_iter": 4,
    "joint_lr": 1e-3,
    "thresholds": [0.6, 0.4],
    "unit": "quantile",
}


def prepare(make_images: Callable[..., Path], **network: Any) -> None:
    """Images, and ``start.pth``."""
    make_images("hr", count=3, size=(48, 56))
    make_images("val", count=2, size=(40, 48), first=20)
    make_images("probe", count=2, size=(40, 48), first=40)
    block = TINY["network_g"] | network
    torch.save({"params": build_network(block, 4, 0).state_dict()}, "start.pth")


def grouping_plan(*overrides: str, **options: Any) -> TrainingPlan:
    """The plan of ``tiny.yml`` with these grouping options."""
    return TrainingPlan(
        tiny(
            overrides,
            strategy={"grouping": copy.deepcopy(GROUPING) | options},
            path={"pretrain_network_g": "start.pth"},
        )
    )
