"""A small training file for tests: two tasks, a tiny network, images made on the spot."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from realsr_mtl.config import Arguments, LoadedOptions, load_options
from realsr_mtl.config.writer import format_yaml

CUTS = [
    {"name": "noise2", "where": {"gaussian_sigma2": {"max": 15}, "poisson_scale2": {"max": 1.4}}}
]

TINY: dict[str, Any] = {
    "name": "tiny",
    "scale": 4,
    "num_gpu": 0,
    "manual_seed": 3,
    "datasets": {
        "train": {
            "type": "ImageFolder",
            "dataroot_gt": "hr",
            "gt_size": 32,
            "batch_size_per_gpu": 4,
            "num_worker_per_gpu": 0,
        },
        "val": {"type": "ImageFolder", "dataroot_gt": "val", "seed": 5},
        "probe": {"type": "ImageFolder", "dataroot_gt": "probe", "gt_size": 32, "patches": 3},
    },
    "degradation": {"type": "RealESRGAN"},
    "tasks": {"type": "Partition", "cuts": CUTS},
    "network_g": {"type": "SRVGGNetCompact", "num_feat": 8, "num_conv": 1},
    "train": {
        "total_iter": 6,
        "ema_decay": 0.5,
        "optim_g": {"type": "Adam", "lr": 1e-3},
        "pixel_opt": {"type": "L1Loss"},
    },
    "val": {
        "val_freq": 3,
        "metrics": {
            "psnr": {"type": "calculate_psnr", "crop_border": 4, "test_y_channel": True},
            "ssim": {"type": "calculate_ssim", "crop_border": 4},
        },
    },
    "logger": {"print_freq": 2, "save_checkpoint_freq": 3, "use_tb_logger": False},
}


def write_options(folder: str = ".", **blocks: Any) -> Path:
    """Write ``tiny.yml`` with some top-level blocks replaced; returns its path."""
    options = copy.deepcopy(TINY) | blocks
    path = Path(folder, "tiny.yml")
    path.write_text(format_yaml({k: v for k, v in options.items() if v is not None}))
    return path


def tiny(overrides: Sequence[str] = (), **blocks: Any) -> LoadedOptions:
    """The options of ``tiny.yml``."""
    return load_options(write_options(**blocks), overrides)


def arguments(*overrides: str, auto_resume: bool = False, check: bool = False) -> Arguments:
    """A command line for ``tiny.yml``."""
    return Arguments(
        Path("tiny.yml"), auto_resume=auto_resume, check=check, overrides=list(overrides)
    )
