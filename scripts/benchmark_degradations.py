"""Time our degradation engine against Real-ESRGAN's ``feed_data``, interleaved in one process.

    python scripts/benchmark_degradations.py --batch 4 16 --size 400 --repeat 41
    python scripts/benchmark_degradations.py --device cuda --batch 48 --json rows.json

The reference is Real-ESRGAN's pipeline built from basicsr's own functions: parameters drawn once
per batch where it does so, kernels made on the CPU, a 51 x 51 sharpening filter, the simulated
JPEG. Ours draws every parameter per sample. Both start from HR tensors on the device; drawing
parameters and making kernels is counted on both sides. Medians of calls that take turns.

"crop 128" is the training path: patches of 128 HR pixels with the true pixels around them, as far
as the filters reach; Real-ESRGAN always degrades the whole canvas and cuts afterwards.

"MB" counts the bytes that the operators must read and write, each image once per operator; "floor"
is the time that a plain copy of as many bytes takes, and "x floor" how far ours is from it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.bridges import basicsr
from realsr_mtl.command import run_command
from realsr_mtl.degradations import (
    SAMPLERS,
    DegradationParameters,
    RandomStreams,
    degrade,
    degrade_patches,
)
from realsr_mtl.degradations.boxes import Box
from realsr_mtl.degradations.engine import Plan
from realsr_mtl.degradations.operators import usm_sharpen
from realsr_mtl.degradations.operators.sharpen import REACH
from realsr_mtl.degradations.pipelines import PIPELINES

SCALE = 4
FAMILIES = ["iso", "aniso", "generalized_iso", "generalized_aniso", "plateau_iso", "plateau_aniso"]
PROBABILITIES = [0.45, 0.25, 0.12, 0.03, 0.12, 0.03]
MODES = ["area", "bilinear", "bicubic"]


class Reference:
    """Real-ESRGAN's degradation, with the random choices of its public code."""

    def __init__(self, device: torch.device) -> None:
        self.ops = basicsr.load("data.degradations")
        self.filter2d = basicsr.load("utils.img_process_util").filter2D
        self.usm = basicsr.load("utils.img_process_util").USMSharp().to(device)
        self.jpeg = basicsr.load("utils.diffjpeg").DiffJPEG(differentiable=False).to(device)
        self.device = device
        self.rng = np.random.default_rng(0)

    def kernel(self, sigma: tuple[float, float]) -> Tensor:
        """A blur or sinc kernel padded to 21 pixels, made with numpy as its data set does."""
        size = int(self.rng.choice(range(7, 22, 2)))
        if self.rng.random() < 0.1:
            low = math.pi / 3 if size < 13 else math.pi / 5
            cutoff = self.rng.uniform(low, math.pi)
            kernel = self.ops.circular_lowpass_kernel(cutoff, size, pad_to=False)
        else:
            kernel = self.ops.random_mixed_kernels(
                FAMILIES,
                PROBABILITIES,
                size,
                sigma,
                sigma,
                [-math.pi, math.pi],
                [0.5, 4],
                [1, 2],
                noise_range=None,
            )
        pad = (21 - size) // 2
        return torch.from_numpy(np.pad(kernel, ((pad, pad), (pad, pad)))).float()

    def sinc(self) -> Tensor:
        """The last filter: a sinc kernel in 80 % of the samples, else a pulse."""
        if self.rng.random() >= 0.8:
            pulse = torch.zeros(21, 21)
            pulse[10, 10] = 1
            return pulse
        size = int(self.rng.choice(range(7, 22, 2)))
        cutoff = self.rng.uniform(math.pi / 3, math.pi)
        return torch.from_numpy(self.ops.circular_lowpass_kernel(cutoff, size, pad_to=21)).float()

    def resize(self, image: Tensor, probability: list[float], bounds: tuple[float, float]) -> float:
        """Draw a resize factor for the whole batch."""
        direction = self.rng.choice(["up", "down", "keep"], p=probability)
        if direction == "up":
            return float(self.rng.uniform(1, bounds[1]))
        return float(self.rng.uniform(bounds[0], 1)) if direction == "down" else 1.0

    def noise(
        self, image: Tensor, sigma: tuple[float, float], scale: tuple[float, float]
    ) -> Tensor:
        """Gaussian or Poisson noise for the whole batch."""
        if self.rng.random() < 0.5:
            return self.ops.random_add_gaussian_noise_pt(
                image, sigma_range=sigma, clip=True, rounds=False, gray_prob=0.4
            )
        return self.ops.random_add_poisson_noise_pt(
            image, scale_range=scale, gray_prob=0.4, clip=True, rounds=False
        )

    def compress(self, image: Tensor) -> Tensor:
        """JPEG with a quality per sample."""
        quality = image.new_zeros(image.size(0)).uniform_(30, 95)
        # contiguous: on a CPU its filter2D refuses DiffJPEG's memory layout
        return self.jpeg(image.clamp(0, 1), quality=quality).contiguous()

    @torch.no_grad()
    def __call__(self, gt: Tensor, usm: bool) -> Tensor:
        """Degrade a batch."""
        batch, _, height, width = gt.shape
        first, second, last = (
            torch.stack([make() for _ in range(batch)]).to(self.device)
            for make in (
                lambda: self.kernel((0.2, 3)),
                lambda: self.kernel((0.2, 1.5)),
                self.sinc,
            )
        )
        out = self.usm(gt) if usm else gt
        out = self.filter2d(out, first)
        factor = self.resize(out, [0.2, 0.7, 0.1], (0.15, 1.5))
        out = F.interpolate(out, scale_factor=factor, mode=str(self.rng.choice(MODES)))
        out = self.noise(out, (1, 30), (0.05, 3))
        out = self.compress(out)
        if self.rng.random() < 0.8:
            out = self.filter2d(out, second)
        factor = self.resize(out, [0.3, 0.4, 0.3], (0.3, 1.2))
        size = (int(height / SCALE * factor), int(width / SCALE * factor))
        out = F.interpolate(out, size=size, mode=str(self.rng.choice(MODES)))
        out = self.noise(out, (1, 25), (0.05, 2.5))
        size, mode = (height // SCALE, width // SCALE), str(self.rng.choice(MODES))
        if self.rng.random() < 0.5:
            out = self.compress(self.filter2d(F.interpolate(out, size=size, mode=mode), last))
        else:
            out = self.filter2d(F.interpolate(self.compress(out), size=size, mode=mode), last)
        return (out.clamp(0, 1) * 255).round() / 255


class Ours:
    """Our engine, with every choice per sample.

    Args:
        patch: HR side of the patches to cut, or None for whole images.
    """

    def __init__(self, patch: int | None = None) -> None:
        self.sampler = SAMPLERS.build({"type": "RealESRGAN"}, SCALE)
        self.streams = RandomStreams(0)
        self.side = None if patch is None else patch // SCALE
        self.index = 0

    def _draw(self, batch: int) -> tuple[Tensor, DegradationParameters]:
        index = torch.arange(self.index, self.index + batch)
        self.index += batch
        return index, self.sampler.sample(index, self.streams)

    def _corners(self, index: Tensor, height: int, width: int) -> Tensor:
        assert self.side is not None
        room = torch.tensor([height // SCALE - self.side + 1, width // SCALE - self.side + 1])
        return (self.streams.uniform("patch", index, 2) * room).long()

    def __call__(self, gt: Tensor, usm: bool) -> Tensor:
        """Degrade a batch."""
        index, parameters = self._draw(len(gt))
        if self.side is None:
            return degrade(usm_sharpen(gt) if usm else gt, parameters)
        corners = self._corners(index, *gt.shape[-2:])
        return degrade_patches(gt, parameters, corners, self.side, sharpen=usm)[0]

    def bytes_per_image(self, height: int, width: int, usm: bool) -> float:
        """Float32 RGB read and written once by every operator, the mean of 500 records."""
        index, parameters = self._draw(500)
        programs = PIPELINES[parameters.pipeline](parameters, (height, width))
        wanted: list[Box | None] = [None] * len(index)
        if self.side is not None:
            for i, (y, x) in enumerate(self._corners(index, height, width).tolist()):
                wanted[i] = Box(y, x, y + self.side, x + self.side)
        pixels = 0
        for program, box in zip(programs, wanted, strict=True):
            boxes = Plan(program, (height, width), box).boxes
            areas = [b.size[0] * b.size[1] for b in boxes]
            pixels += sum(areas[:-1]) + sum(areas[1:])
            if usm:  # the image, its blur, the mask and its blur, the result
                area = math.prod(boxes[0].grown(REACH, (height, width)).size)
                pixels += 8 * area
        return 12 * pixels / len(programs)


def copy_bandwidth(height: int, width: int, device: torch.device) -> float:
    """Bytes read and written per millisecond by a plain copy of one image."""
    source = torch.rand(3, height, width, device=device)
    target = torch.empty_like(source)
    times = [timed(partial(target.copy_, source), device) for _ in range(200)]
    return 2 * source.nbytes / statistics.median(times)


def timed(function: Callable[[], Tensor], device: torch.device) -> float:
    """Wall milliseconds of one call."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    function()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return 1e3 * (time.perf_counter() - start)


def photographs(batch: int, size: int, device: torch.device) -> Tensor:
    """Crops of the photographs in scikit-image, reflected where they are too small."""
    from realsr_mtl.data import Photographs, to_tensor
    from realsr_mtl.degradations.operators.padding import reflect_pad

    images = Photographs(SCALE, split="train")
    crops = []
    for i in range(batch):
        image = images.load(i % len(images)).gt
        assert image is not None
        tensor = reflect_pad(to_tensor(image), max(0, size - min(image.shape[:2])))
        crops.append(tensor[:, :size, :size])
    return torch.stack(crops).to(device)


def measure(
    device: torch.device, batches: list[int], sizes: list[int], patches: list[int], repeat: int
) -> list[dict[str, Any]]:
    """All cases; all take turns, so that a drift of the machine hits them alike."""
    reference = Reference(device)
    engines: dict[int | None, Ours] = {patch: Ours(patch) for patch in (None, *patches)}
    rows = []
    for batch, size, usm in itertools.product(batches, sizes, (True, False)):
        gt = photographs(batch, size, device)
        bandwidth = copy_bandwidth(size, size, device)
        chosen = {patch: ours for patch, ours in engines.items() if patch is None or patch <= size}
        times: list[list[float]] = []
        for turn in range(repeat + 1):
            calls: list[Callable[[Tensor, bool], Tensor]] = [*chosen.values(), reference]
            taken = [timed(partial(call, gt, usm), device) for call in calls]
            times += [taken] * (turn > 0)  # the first turn warms up
        *medians, theirs = (statistics.median(column) for column in zip(*times, strict=True))
        for (patch, ours), mine in zip(chosen.items(), medians, strict=True):
            what = f"{size}x{size}" + ("" if patch is None else f" crop {patch}")
            moved = batch * ours.bytes_per_image(size, size, usm)
            rows.append(
                {
                    "case": f"{what} batch {batch} {'USM' if usm else 'no USM'}",
                    "device": str(device),
                    "batch": batch,
                    "size": size,
                    "usm": usm,
                    "ours_ms": mine,
                    "reference_ms": theirs,
                    "ratio": theirs / mine,
                    "patch": patch,
                    "bytes": moved,
                    "floor_ms": moved / bandwidth,
                }
            )
    return rows


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    torch.set_num_threads(arguments.threads)
    rows = measure(
        torch.device(arguments.device),
        arguments.batch,
        arguments.size,
        arguments.patch,
        arguments.repeat,
    )
    print(
        f"{'case':34}{'ours ms':>9}{'reference':>11}{'ratio':>7}{'img/s':>8}"
        f"{'MB':>8}{'floor ms':>10}{'x floor':>9}"
    )
    for row in rows:
        print(
            f"{row['case']:34}{row['ours_ms']:9.1f}{row['reference_ms']:11.1f}{row['ratio']:7.1f}"
            f"{1e3 * row['batch'] / row['ours_ms']:8.1f}{row['bytes'] / 1e6:8.1f}"
            f"{row['floor_ms']:10.2f}{row['ours_ms'] / row['floor_ms']:9.1f}"
        )
    if arguments.device == "cuda":
        peak = torch.cuda.max_memory_allocated() / 2**30
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory of the process or device: {peak:.2f} GiB")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


def main() -> int:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="default: cpu")
    parser.add_argument("--batch", type=int, nargs="+", default=[4], help="default: 4")
    parser.add_argument("--size", type=int, nargs="+", default=[400], help="default: 400")
    parser.add_argument(
        "--patch", type=int, nargs="*", default=[128], help="HR side of patches (default: 128)"
    )
    parser.add_argument("--repeat", type=int, default=9, help="timed calls of each (default: 9)")
    parser.add_argument("--threads", type=int, default=1, help="threads (default: 1)")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    arguments = parser.parse_args()
    return run_command(lambda: run(arguments))


if __name__ == "__main__":
    raise SystemExit(main())
