"""Time whole training iterations against BasicSR's and Real-ESRGAN's, interleaved in one process.

    python scripts/benchmark_training.py --repeat 11
    python scripts/benchmark_training.py --networks SRVGGNetCompact --batch 16 --device cuda

An iteration is: degrade HR canvases of 400 pixels (sharpened first, as Real-ESRGAN does), cut
patches, forward, L1 loss, backward, Adam step, moving average. Theirs is Real-ESRGAN's
``feed_data`` built from basicsr's functions (without its pair pool) and basicsr's networks; ours is
this package's loader, degradation and learner, with the memory format ``channels_last``. Reading
images is counted on our side only. Medians of iterations that take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
import yaml
from benchmark_degradations import SCALE, Reference, photographs, timed
from torch import Tensor

from realsr_mtl.bridges import basicsr
from realsr_mtl.command import run_command
from realsr_mtl.config import load_options
from realsr_mtl.processes import Processes
from realsr_mtl.training.batches import TaskBatchMaker
from realsr_mtl.training.clock import StepClock
from realsr_mtl.training.learner import Learner
from realsr_mtl.training.plan import TrainingPlan

NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "SRVGGNetCompact": ("archs.srvgg_arch", {"num_feat": 64, "num_conv": 16, "upscale": SCALE}),
    "MSRResNet": ("archs.srresnet_arch", {"num_feat": 64, "num_block": 16, "upscale": SCALE}),
}
CANVAS = 400


def training_plan(
    name: str,
    *,
    gt_size: int,
    canvas_size: int | None = None,
    batch_size_per_gpu: int = 16,
    **blocks: Any,
) -> TrainingPlan:
    """A training of one of the networks on the photographs of scikit-image."""
    options = {
        "name": "benchmark",
        "scale": SCALE,
        "datasets": {
            "train": {
                "type": "Photographs",
                "split": "train",
                "gt_size": gt_size,
                "canvas_size": canvas_size,
                "batch_size_per_gpu": batch_size_per_gpu,
                "num_worker_per_gpu": 0,
            }
        },
        "network_g": {"type": name, **NETWORKS[name][1]},
        "train": {
            "total_iter": 1_000_000,
            "ema_decay": 0.999,
            "channels_last": True,
            "optim_g": {"type": "Adam", "lr": 2e-4, "betas": [0.9, 0.99]},
            "pixel_opt": {"type": "L1Loss"},
        },
        **blocks,
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "benchmark.yml")
        file.write_text(yaml.safe_dump(options), encoding="utf-8")
        return TrainingPlan(load_options(file, []))


class Theirs:
    """One iteration of Real-ESRNet as its public code composes it."""

    def __init__(self, name: str, batch: int, patch: int, device: torch.device) -> None:
        module, options = NETWORKS[name]
        make = getattr(basicsr.load(module), name)
        self.network, self.average = make(**options).to(device), make(**options).to(device)
        self.average.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=2e-4, betas=(0.9, 0.99))
        self.degrade, self.side = Reference(device), patch // SCALE
        self.gt = photographs(batch, CANVAS, device)

    def __call__(self) -> Tensor:
        """Degrade, step, average."""
        sharp = self.degrade.usm(self.gt)  # the target; the degradation reuses it
        lq = self.degrade(sharp, usm=False)
        corner = (CANVAS // SCALE - self.side) // 2
        lq = lq[..., corner : corner + self.side, corner : corner + self.side].contiguous()
        high = slice(corner * SCALE, (corner + self.side) * SCALE)
        gt = sharp[..., high, high].contiguous()
        self.optimizer.zero_grad()
        loss: Tensor = (self.network(lq) - gt).abs().mean()
        loss.backward()
        self.optimizer.step()
        kept = dict(self.average.named_parameters())
        for key, parameter in self.network.named_parameters():
            kept[key].data.mul_(0.999).add_(parameter.data, alpha=1 - 0.999)
        return loss.detach()


class Ours:
    """One iteration of our trainer, the same work."""

    def __init__(self, name: str, batch: int, patch: int, device: torch.device) -> None:
        plan = training_plan(
            name,
            gt_size=patch,
            canvas_size=CANVAS,
            batch_size_per_gpu=batch,
            gt_usm=True,
            degradation={"type": "RealESRGAN"},
        )
        processes = Processes(0, 1, device)
        self.device, self.iteration = device, 0
        tasks = plan.tasks(plan.sampler())
        setting = plan.setting(tasks, processes)
        strategy, streams = plan.strategy(setting), setting.streams
        self.learner = Learner(plan, strategy, processes)
        self.patches = iter(plan.loader(plan.images("train"), streams, processes, 0))
        self.maker = TaskBatchMaker(
            tasks,
            strategy.sampling,
            streams,
            scale=SCALE,
            gt_size=patch,
            sharpen=plan.options.gt_usm,
            device=device,
        )

    def __call__(self) -> Tensor:
        """Read, degrade, step, average."""
        losses: list[Tensor] = []
        self.learner.step(
            self.iteration,
            lambda: self.maker.make(next(self.patches)),
            lambda loss, _: losses.append(loss.weighted.detach()),
            StepClock(self.device),
        )
        self.iteration += 1
        return losses[0].mean()


def measure(
    names: list[str], batch: int, patch: int, device: torch.device, repeat: int
) -> list[dict[str, Any]]:
    """Both sides take turns, so that a drift of the machine hits them alike."""
    rows = []
    for name in names:
        sides: list[Callable[[], Tensor]] = [
            kind(name, batch, patch, device) for kind in (Ours, Theirs)
        ]
        times = [[timed(side, device) for side in sides] for _ in range(repeat + 2)][2:]
        ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
        rows.append(
            {
                "case": f"{name} patch {patch} batch {batch}",
                "device": str(device),
                "ours_ms": ours,
                "reference_ms": theirs,
                "ratio": theirs / ours,
            }
        )
    return rows


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    torch.set_num_threads(arguments.threads)
    rows = measure(
        arguments.networks,
        arguments.batch,
        arguments.patch,
        torch.device(arguments.device),
        arguments.repeat,
    )
    print(f"{'case':36}{'ours ms':>10}{'reference':>11}{'ratio':>8}")
    for row in rows:
        print(
            f"{row['case']:36}{row['ours_ms']:10.1f}{row['reference_ms']:11.1f}{row['ratio']:8.1f}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


def main() -> int:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS), help="default: all"
    )
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="default: cpu")
    parser.add_argument("--batch", type=int, default=4, help="default: 4")
    parser.add_argument("--patch", type=int, default=128, help="HR side (default: 128)")
    parser.add_argument("--repeat", type=int, default=11, help="timed iterations (default: 11)")
    parser.add_argument("--threads", type=int, default=1, help="threads (default: 1)")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    arguments = parser.parse_args()
    return run_command(lambda: run(arguments))


if __name__ == "__main__":
    raise SystemExit(main())
