"""Run folders and score tables made on the spot, of the plain files that reporting reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realsr_mtl.config.writer import format_yaml
from realsr_mtl.reporting.score_table import ScoreTable
from realsr_mtl.reporting.scores import ImageRow, write_masses, write_scores

TASKS = ("mild", "hard")
MASSES = {"mild": 0.75, "hard": 0.25}


def table(name: str, values: Any, tasks: Sequence[str] | None = None) -> ScoreTable:
    """A table of scores ``[S, N, T]``; seeds, images and tasks get names."""
    values = np.asarray(values, dtype=float)
    seeds, images, count = values.shape
    return ScoreTable(
        name,
        tuple(map(str, range(seeds))),
        tuple(f"image{i}" for i in range(images)),
        tuple(tasks or (f"task{t}" for t in range(count))),
        values,
    )


def image_scores(offset: float = 0.0, images: int = 12, tasks: Sequence[str] = TASKS) -> list:
    """Scores that differ between images and tasks, higher by an offset."""
    return [
        ImageRow(
            f"img{i}",
            task,
            f"{i}{task}",
            {"psnr": 24 + i % 5 - 3 * t + offset * (1 + 0.1 * (i % 3)), "ssim": 0.6 + 0.01 * i},
        )
        for i in range(images)
        for t, task in enumerate(tasks)
    ]


def write_run(
    root: Path | str,
    *,
    seed: int = 0,
    offset: float = 0.0,
    images: int = 12,
    names: Sequence[str] = TASKS,
    iteration: int = 20,
    dataset: str = "val",
    better: str = "higher",
    **options: Any,
) -> Path:
    """A finished run of 20 iterations, validated twice, with everything a report shows."""
    root = Path(root)
    root.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {
        "name": root.name,
        "scale": 4,
        "manual_seed": seed,
        "datasets": {"train": {"batch_size_per_gpu": 4, "gt_size": 32}},
        "degradation": {"type": "RealESRGAN"},
        "strategy": {"sampling": {"type": "Natural"}, "weighting": None},
        "network_g": {"type": "MSRResNet"},
        "val": {"metrics": {"psnr": {"better": better}, "ssim": {"better": "higher"}}},
        **options,
    }
    (root / "config.yml").write_text(format_yaml(content))
    (root / "config_diff.txt").write_text(f"name = '{root.name}'\n")
    mass = {t: MASSES.get(t, 1 / len(names)) for t in names}
    region = {"resize_scale1": {"min": 0.4, "absent": True}}
    entries = [{"name": t, "mass": mass[t], "region": region} for t in names]
    (root / "tasks.json").write_text(json.dumps(entries))
    write_masses(root, mass)
    bicubic, last = image_scores(-1, images, names), image_scores(offset, images, names)
    for label, rows in (("bicubic", bicubic), (iteration, last)):
        write_scores(root, dataset, label, rows)
    rows = _rows(bicubic, dataset, None, "bicubic")
    for at in (iteration // 2, iteration):
        rows += _rows(last, dataset, at, "net_g")
    lines(root / "metrics.jsonl", rows)
    lines(root / "training.jsonl", [
        {"iter": i, "l_pix": 0.1 / i, "lr": 1e-4, "seconds": {"data": 1, "model": 3, "total": 4}}
        for i in range(5, iteration + 1, 5)
    ])  # fmt: skip
    values = dict.fromkeys(names, 0.5)
    lines(root / "strategy.jsonl", [
        {"iter": i, "loss": values, "share": mass, "samples": dict.fromkeys(names, 2.0 * i)}
        for i in range(5, iteration + 1, 5)
    ])  # fmt: skip
    session = {
        "command": "train.py -opt tiny.yml",
        "started": "2030-01-01T10:00:00+00:00",
        "ended": "2030-01-01T10:01:40+00:00",
        "seconds": 100.0,
        "status": "finished",
        "versions": {"realsr_mtl": "0.1.0", "Python": "3.11"},
        "hardware": {
            "system": "Linux",
            "processor": "a CPU",
            "cores": 2,
            "threads": 1,
            "device": "cpu",
            "processes": 1,
        },
        "from_iteration": 0,
        "to_iteration": iteration,
        "total_iterations": iteration,
    }
    (root / "run.json").write_text(json.dumps({"sessions": [session]}))
    return root


def lines(file: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Write JSON lines."""
    file.write_text("".join(json.dumps(r) + "\n" for r in records))


def _rows(scores: Sequence[ImageRow], dataset: str, at: int | None, network: str) -> list:
    rows = []
    for task in dict.fromkeys(s.task for s in scores):
        own = [s for s in scores if s.task == task]
        rows.append(
            {
                "iter": at,
                "dataset": dataset,
                "task": task,
                "network": network,
                "images": len(own),
                **{n: sum(s.values[n] for s in own) / len(own) for n in ("psnr", "ssim")},
            }
        )
    return rows
