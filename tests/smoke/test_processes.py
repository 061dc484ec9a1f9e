"""One process, two and four make the same steps, and fail together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from realsr_mtl.config import load_options
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes, start_processes, stop_processes
from realsr_mtl.reporting import read_lines
from realsr_mtl.train import main
from realsr_mtl.training.learner import Learner
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.run_folder import RunFolder
from realsr_mtl.training.trainer import Trainer
from tests._options import write_options
from tests.training._faulty import RELATIVE, blacken, register

ROOT = Path(__file__).parents[2]
BATCH = 4

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
    "faulty": "{weighting: {type: Art}}",
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
    """Train with options; every process has an option file of its own."""
    own = f"rank{processes.rank}"
    Path(own).mkdir(exist_ok=True)
    plan = TrainingPlan(load_options(write_options(folder=own), overrides))
    folder = RunFolder.of(plan.options)
    if processes.is_main:
        folder.create(resume=False)
    processes.barrier()
    assert Trainer(plan, folder, processes, None).run()


def run_all(processes: Processes) -> None:
    """Train with every strategy; the files of each run show what was decided."""
    for name, strategy in STRATEGIES.items():
        overrides = [
            *([HEADS] if name.startswith("heads") else []),
            *(GAN if name == "gan" else []),
            *([RELATIVE, "datasets:train:dataroot_gt=black"] if name == "faulty" else []),
            f"name={name}{processes.world_size}",
            f"strategy={strategy}",
            f"datasets:train:batch_size_per_gpu={BATCH // processes.world_size}",
            "val:val_freq=6",
            "train:optim_g={type: SGD, lr: 0.1}",  # shows the scale of a gradient; Adam hides it
            "logger:print_freq=1",
        ]
        run(overrides, processes)


def numbers(line: object) -> list[float]:
    """All numbers of a record in order; 0 for none."""
    if isinstance(line, dict):
        return [x for value in line.values() for x in numbers(value)]
    return [0.0 if line is None or isinstance(line, str) else float(line)]  # type: ignore[arg-type]


def start(count: int, *command: str, timeout: int = 300) -> subprocess.CompletedProcess[str]:
    """A command on several processes."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),  # on a free port
            *(f"--nproc_per_node={count}", *command),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def test_one_two_and_four_processes_make_the_same_steps(
    make_images: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_images("hr", count=5, size=(48, 56))
    make_images("val", count=3, size=(40, 48), first=20)  # with two tasks uneven shares of four
    make_images("probe", count=2, size=(40, 48), first=40)
    blacken(make_images, folder="black")
    register(monkeypatch)
    run_all(Processes())
    for count in (2, 4):
        result = start(count, __file__)
        assert result.returncode == 0, result.stderr[-5000:]
        for name in STRATEGIES:
            _assert_same_run(name, count)
    losses = [line["loss"] for line in read_lines(Path("experiments/contrast/strategy.jsonl"))]
    assert len(losses) == 3
    assert all(0 < x < 10 for line in losses for x in line.values() if x is not None)
    skipped = read_lines(Path("experiments/faulty1/nonfinite.jsonl"))
    assert 2 <= len({line["iter"] for line in skipped}) <= 5


def _assert_same_run(name: str, count: int) -> None:
    one, several = (Path(f"experiments/{name}{n}") for n in (1, count))
    for file, margin in (("strategy.jsonl", 2e-4), ("metrics.jsonl", 1e-3)):
        lines, others = read_lines(one / file), read_lines(several / file)
        assert [line.keys() for line in lines] == [line.keys() for line in others]
        for a, b in zip(lines, others, strict=True):
            assert numbers(b) == pytest.approx(numbers(a), rel=margin, abs=margin), (name, a, b)
    faults = [
        [(f["iter"], f["loss"], f["image"], f["index"], f["record"]) for f in read_lines(file)]
        for file in (one / "nonfinite.jsonl", several / "nonfinite.jsonl")
    ]
    assert faults[0] == faults[1]
    weights = [torch.load(folder / "models/net_g_latest.pth") for folder in (one, several)]
    for key, tensor in weights[0]["params"].items():
        assert torch.allclose(tensor, weights[1]["params"][key], atol=1e-6), (name, count, key)


@pytest.mark.parametrize("how", ["raises", "is_killed", "has_no_data"])
def test_a_failing_process_ends_all(how: str, images: None) -> None:
    write_options()
    began = time.monotonic()
    result = start(2, __file__, how, timeout=120)
    assert result.returncode != 0
    assert time.monotonic() - began < 60
    reasons = {
        "raises": "RuntimeError: broken in step 3",
        "is_killed": "Signal 9 (SIGKILL)",
        "has_no_data": "[process 1] error: no readable image found",
    }
    assert reasons[how] in result.stderr, result.stderr[-4000:]


def fail(how: str) -> int:
    """Train in two processes, of which the second one fails in its third step."""
    rank = int(os.environ["RANK"])
    plain = Learner.step

    def step(self: Learner, iteration: int, *others: Any) -> Any:
        if rank == 1 and iteration == 2:
            if how == "is_killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if how == "has_no_data":
                raise UserError("no readable image found: 'a.png' is an empty file")
            raise RuntimeError("broken in step 3")
        return plain(self, iteration, *others)

    Learner.step = step  # type: ignore[method-assign]
    return main(["-opt", "tiny.yml"])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        raise SystemExit(fail(sys.argv[1]))
    try:
        joined = start_processes("none", 0)
        register(pytest.MonkeyPatch())
        run_all(joined)
        if joined.world_size == 2:
            run(CONTRAST, joined)  # batch normalisation makes two processes another training
    finally:
        stop_processes()
