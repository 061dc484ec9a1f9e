"""A tiny SEAL option file, its images, and cases."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from realsr_mtl.tasks import CaseTasks
from realsr_mtl.training import TrainingPlan
from realsr_mtl.training.seal import Benchmark, choose_cases
from tests._options import TINY, tiny, write_options

SEAL: dict[str, Any] = {
    "pool": 24,
    "cases": 3,
    "neighbours": 4,
    "acceptance": {"type": "SEALAcceptance", "num_feat": 4},
    "warm_iter": 2,
}
METRICS = {"psnr": {"type": "PSNR", "test_y_channel": True}, "ssim": {"type": "SSIM"}}


def blocks(**seal: Any) -> dict[str, Any]:
    """Blocks that replace those of ``tiny.yml``."""
    return {
        "tasks": None,
        "seal": copy.deepcopy(SEAL) | seal,
        "val": {"metrics": METRICS},
        "train": {**TINY["train"], "total_iter": 2},
    }


def prepare(make_images: Callable[..., Path]) -> None:
    """Images for training, reference and report."""
    make_images("hr", count=3, size=(48, 56))
    make_images("val", count=2, size=(40, 48), first=20)
    make_images("probe", count=2, size=(40, 48), first=40)


def seal_plan(*overrides: str, **seal: Any) -> TrainingPlan:
    """The plan of ``tiny.yml`` with a seal block."""
    return TrainingPlan(tiny(overrides, **blocks(**seal)))


def write_seal(**seal: Any) -> Path:
    """``tiny.yml`` with a seal block."""
    return write_options(**blocks(**seal))


def benchmark(*overrides: str, overwrite: bool = False, **seal: Any) -> Benchmark:
    """The benchmark of that file."""
    return Benchmark(seal_plan(*overrides, **seal), overwrite)


def chosen(own: Benchmark) -> CaseTasks:
    """Its cases."""
    return choose_cases(own, list(own.families.values()))
