"""A strategy on two processes decides what it decides on one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from realsr_mtl.processes import Processes, start_processes, stop_processes
from realsr_mtl.reporting import read_lines
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.run_folder import RunFolder
from realsr_mtl.training.trainer import Trainer
from tests._options import tiny

ROOT = Path(__file__).parents[2]
TWO = ("--standalone", "--nproc_per_node=2")  # on a free port

STRATEGIES = {
    "plain": "{sampling: {type: Uniform}}",
    "art": "{weighting: {type: Art}}",
    "famo": "{weighting: {type: FAMO}}",
    "shares": "{weighting: {type: Art, apply: sampling}, sampling: {type: Weighted, every: 2}}",
    "cdr": "{sampling: {type: CDR, every: 2, warmup: 1}}",
    "full": "{gradients: {type: NashMTL}}",
    "sketch": "{gradients: {type: NashMTL, rows: sketch}}",
    "last_layer": "{gradients: {type: NashMTL, rows: last_layer, every: 2}}",
    "gan": "{weighting: {type: Art}}",
    "heads": "{weighting: {type: Art}}",
    "heads_full": "{gradients: {type: NashMTL}}",
    "heads_sketch": "{gradients: {type: NashMTL, rows: sketch, every: 2}}",
}
HEADS = (
    "network_g={type: TaskHeads, trunk: {type: MSRResNet, num_feat: 4, num_block: 1}, "
    "features: body, heads: {mild: {scale: 4}, noise2: {scale: 2}}}"
)
GAN = [
    "network_d={type: PatchDiscriminator, num_feat: 4, num_layers: 1, norm: none}",
    "train:optim_d={type: SGD, lr: 0.1}",
    "train:gan_opt={type: GANLoss, loss_weight: 0.1}",
]
CONTRAST = [
    "name=contrast",
    "scale=1",
    "degradation={type: AllInOne}",
    "tasks={type: Kinds}",
    "network_g={type: AirNet, num_feat: 4, num_group: 1, num_block: 1}",
    "train:contrastive_opt={type: ContrastiveLoss, encoder_iter: 2}",
    "val=null",
]


def run(overrides: list[str], processes: Processes) -> None:
    """Train with options."""
    plan = TrainingPlan(tiny(overrides))
    folder = RunFolder.of(plan.options)
    if processes.is_main:
        folder.create(resume=False)
    processes.barrier()
    assert Trainer(plan, folder, processes, None).run()


def run_all(processes: Processes, batch: int) -> None:
    """Train with every strategy; the files of each run show what was decided."""
    for name, strategy in STRATEGIES.items():
        overrides = [
            *([HEADS] if name.startswith("heads") else []),
            *(GAN if name == "gan" else []),
            f"name={name}{processes.world_size}",
            f"strategy={strategy}",
            f"datasets:train:batch_size_per_gpu={batch}",
            "val=null",
            "train:optim_g={type: SGD, lr: 0.1}",  # shows the scale of a gradient; Adam hides it
            "logger:print_freq=1",
        ]
        run(overrides, processes)


def numbers(line: object) -> list[float]:
    """All numbers of a record in order; 0 for none."""
    if isinstance(line, dict):
        return [x for value in line.values() for x in numbers(value)]
    return [0.0 if line is None else float(line)]


def test_decisions_do_not_depend_on_the_number_of_processes(
    make_images: Callable[..., Path],
) -> None:
    make_images("hr", count=5, size=(48, 56))
    make_images("probe", count=2, size=(40, 48), first=40)
    run_all(Processes(), 4)
    result = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *TWO, __file__],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    for name in STRATEGIES:
        one, two = (read_lines(Path(f"experiments/{name}{n}/strategy.jsonl")) for n in (1, 2))
        assert [line.keys() for line in one] == [line.keys() for line in two]
        for a, b in zip(one, two, strict=True):
            assert numbers(b) == pytest.approx(numbers(a), rel=2e-4, abs=2e-4), (name, a, b)
        weights = [torch.load(f"experiments/{name}{n}/models/net_g_latest.pth") for n in (1, 2)]
        for key, tensor in weights[0]["params"].items():
            assert torch.allclose(tensor, weights[1]["params"][key], atol=1e-6), (name, key)
    losses = [line["loss"] for line in read_lines(Path("experiments/contrast/strategy.jsonl"))]
    assert len(losses) == 3
    assert all(0 < x < 10 for line in losses for x in line.values() if x is not None)


if __name__ == "__main__":
    try:
        joined = start_processes("none", 0)
        run_all(joined, 2)
        run(CONTRAST, joined)  # batch normalisation makes two processes another training than one
    finally:
        stop_processes()
