"""What a strategy costs per step, beside plain training, in one process.

    python scripts/benchmark_strategies.py
    python scripts/benchmark_strategies.py --network MSRResNet --batch 16 --patch 128 --device cuda

Two tables. The first: everything that a sampling or a weighting does in a step (choose tasks, weigh
losses, keep its state), for 8 and for 4,000 tasks, in milliseconds and as a share of a plain step.
It is timed by itself, because a share below one per cent drowns in the noise of whole steps. The
second: whole steps with the gradients of single tasks, which take turns with plain steps.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from benchmark_degradations import SCALE, timed
from benchmark_training import NETWORKS, training_plan
from torch import Tensor

from realsr_mtl.batch import TaskBatch
from realsr_mtl.command import run_command
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.processes import Processes
from realsr_mtl.strategies import GRADIENTS, SAMPLINGS, WEIGHTINGS, Setting, Strategy
from realsr_mtl.training.clock import StepClock
from realsr_mtl.training.learner import Learner

TASKS = (8, 4000)
ROWS = ("full", "sketch", "last_layer")


def setting(tasks: int, batch: int, device: torch.device) -> Setting:
    """Tasks of equal mass."""
    masses = torch.full((tasks,), 1 / tasks, dtype=torch.float64)
    names = [f"task{i}" for i in range(tasks)]
    return Setting(names, masses, RandomStreams(0), batch, Processes(0, 1, device))


class Step:
    """A training step on one given batch under a strategy; every task has as many samples."""

    def __init__(
        self,
        strategy: Strategy,
        name: str,
        tasks: int,
        batch: int,
        patch: int,
        device: torch.device,
    ) -> None:
        plan = training_plan(name, gt_size=patch)
        generator = torch.Generator().manual_seed(0)
        side = patch // SCALE
        lq = torch.rand(batch, 3, side, side, generator=generator).to(device)
        gt = torch.rand(batch, 3, patch, patch, generator=generator).to(device)
        task = (torch.arange(batch) % tasks).to(device)
        self.batch = TaskBatch(lq, gt, task, torch.arange(batch), None)
        self.learner = Learner(plan, strategy, Processes(0, 1, device))
        self.clock, self.iteration = StepClock(device), 0

    def __call__(self) -> Tensor:
        """One step."""
        losses: list[Tensor] = []
        self.learner.step(
            self.iteration,
            lambda: self.batch,
            lambda loss, _: losses.append(loss.weighted.detach()),
            self.clock,
        )
        self.iteration += 1
        return losses[0].mean()


def alone(strategy: Strategy, tasks: int, batch: int, device: torch.device) -> Callable[[], Tensor]:
    """What a strategy does in a step, without the network."""
    losses = torch.rand(batch, device=device, requires_grad=True)
    given = (torch.arange(batch, device=device) * 7) % tasks
    count = 0

    def step() -> Tensor:
        nonlocal count
        if count == 0 and strategy.due(0):
            strategy.update(0, lambda: torch.full((tasks,), 22.0, dtype=torch.float64))
        strategy.choose(torch.arange(batch) + batch * (count % 400))
        loss = strategy.loss(losses, given, count)
        loss.backward()
        strategy.end_step()
        count += 1
        return loss.detach()

    return step


def measure_parts(
    batch: int, step_ms: float, device: torch.device, repeat: int
) -> list[dict[str, Any]]:
    """Every sampling and weighting by itself; the plain mean over samples is taken off."""
    rows = []
    for tasks in TASKS:
        made = setting(tasks, batch, device)
        natural = SAMPLINGS.build({"type": "Natural"}, made)
        strategies = {"plain": Strategy(made, natural)}
        for name in ("Uniform", "DataRebalancing"):
            options = {"warmup": 0} if name == "DataRebalancing" else {}
            sampling = SAMPLINGS.build({"type": name, **options}, made)
            strategies[name] = Strategy(made, sampling)
        for name in WEIGHTINGS:
            strategies[name] = Strategy(made, natural, WEIGHTINGS.build({"type": name}, made))
        steps = {name: alone(own, tasks, batch, device) for name, own in strategies.items()}
        times: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(repeat):
            for name, step in steps.items():
                times[name].append(timed(step, device))
        warm = repeat // 5
        medians = {name: statistics.median(values[warm:]) for name, values in times.items()}
        for name in strategies:
            if name != "plain":
                extra = medians[name] - medians["plain"]
                rows.append({"part": name, "tasks": tasks, "ms": extra, "share": extra / step_ms})
    return rows


def measure_gradients(
    name: str, batch: int, patch: int, tasks: int, device: torch.device, repeat: int, method: str
) -> tuple[float, list[dict[str, Any]]]:
    """Milliseconds of a plain step, and the rows of the second table."""
    made = setting(tasks, batch, device)
    natural = SAMPLINGS.build({"type": "Natural"}, made)

    def step(**parts: Any) -> Step:
        strategy = Strategy(made, natural, **parts)
        return Step(strategy, name, tasks=tasks, batch=batch, patch=patch, device=device)

    steps = {"plain": step()}
    steps["FAMO (second look)"] = step(weighting=WEIGHTINGS.build({"type": "FAMO"}, made))
    for rows in ROWS:
        block = {"type": method, "rows": rows}
        steps[f"{method} {rows}"] = step(gradients=GRADIENTS.build(block, made))
    times: dict[str, list[float]] = {key: [] for key in steps}
    for _ in range(repeat + 1):
        for key, run_step in steps.items():
            times[key].append(timed(run_step, device))
    medians = {key: statistics.median(values[1:]) for key, values in times.items()}
    plain = medians.pop("plain")
    return plain, [{"step": key, "ms": ms, "ratio": ms / plain} for key, ms in medians.items()]


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    name, batch, patch = arguments.network, arguments.batch, arguments.patch
    plain, gradients = measure_gradients(
        name, batch, patch, arguments.tasks, device, arguments.repeat, arguments.method
    )
    parts = measure_parts(batch, plain, device, 20 * arguments.repeat)
    print(f"a plain step: {name}, patch {patch}, batch {batch}, {device}: {plain:.1f} ms\n")
    print(f"{'part':28}{'tasks':>7}{'ms':>9}{'of a step':>11}")
    for row in parts:
        print(f"{row['part']:28}{row['tasks']:7d}{row['ms']:9.3f}{row['share']:11.2%}")
    print(f"\n{f'whole step, {arguments.tasks} tasks':28}{'ms':>9}{'ratio':>8}")
    for row in gradients:
        print(f"{row['step']:28}{row['ms']:9.1f}{row['ratio']:8.2f}")
    if arguments.json:
        content = {"plain_ms": plain, "parts": parts, "gradients": gradients}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


def main() -> int:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--network", choices=list(NETWORKS), default="SRVGGNetCompact", help="default: %(default)s"
    )
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="default: cpu")
    parser.add_argument("--batch", type=int, default=16, help="default: 16")
    parser.add_argument("--patch", type=int, default=128, help="HR side (default: 128)")
    parser.add_argument("--tasks", type=int, default=8, help="tasks in the batch (default: 8)")
    parser.add_argument("--method", default="NashMTL", help="gradient method (default: NashMTL)")
    parser.add_argument("--repeat", type=int, default=11, help="timed steps (default: 11)")
    parser.add_argument("--threads", type=int, default=1, help="threads (default: 1)")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    arguments = parser.parse_args()
    return run_command(lambda: run(arguments))


if __name__ == "__main__":
    raise SystemExit(main())
