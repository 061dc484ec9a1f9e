"""Draw a grid of degraded patches: a row a task, several samples, the drawn parameters below each.

    python scripts/preview_degradations.py -opt options/quickstart.yml
    python scripts/preview_degradations.py -opt FILE --samples 6 --size 192 --output preview.png

Every row shows the same HR patches (first row), so rows differ by their task only. LQ images are
enlarged by repeating pixels, to show what the network gets.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-opt", "--opt", required=True, type=Path, help="the option file")
    parser.add_argument("--force_yml", nargs="+", default=[], help="change options, as train.py")
    parser.add_argument("--samples", type=int, default=4, help="patches a row (default: 4)")
    parser.add_argument("--size", type=int, default=128, help="side of the HR patch (default: 128)")
    parser.add_argument("--seed", type=int, default=0, help="which patches and draws (default: 0)")
    parser.add_argument("--output", type=Path, default=Path("preview.png"), help="PNG to write")
    arguments = parser.parse_args(argv)
    return run_command(lambda: preview(arguments))


def preview(arguments: argparse.Namespace) -> int:
    """Draw the grid of an option file."""
    import torch

    from realsr_mtl.config import load_options
    from realsr_mtl.data import TrainingLoader
    from realsr_mtl.data.loader import Patch
    from realsr_mtl.degradations import RandomStreams, degrade
    from realsr_mtl.degradations.operators.quantise import to_float
    from realsr_mtl.errors import UserError
    from realsr_mtl.experiment import Experiment

    experiment = Experiment(load_options(arguments.opt, arguments.force_yml))
    scale = experiment.options.scale
    if arguments.samples < 1 or arguments.size < 8 or arguments.size % scale:
        raise UserError(
            f"--samples must be positive and --size a multiple of scale {scale}, at least 8"
        )
    sampler = experiment.sampler()
    if sampler is None:
        raise UserError(f"{arguments.opt} has no 'degradation' block to preview")
    tasks = experiment.tasks(sampler)
    phase = next(
        (p for p in ("train", *experiment.options.datasets) if p in _hr_phases(experiment)), None
    )
    if phase is None:
        raise UserError(f"{arguments.opt} has no data set of HR images")
    streams = RandomStreams(arguments.seed)
    patch = Patch(arguments.size, arguments.size, scale, hflip=False, rot=False)
    loader = TrainingLoader(
        experiment.images(phase), patch, streams, batch_size=arguments.samples, workers=0
    )
    batch = next(iter(loader))
    hq = to_float(batch.gt)
    rows = [("HR", hq, [""] * len(hq))]
    for number, name in enumerate(tasks.names):
        index = batch.index + number * 1_000_003  # draws of its own for every row
        _, parameters = tasks.sample(index, streams, torch.full_like(index, number))
        lq = degrade(hq, parameters)
        texts = captions(parameters, (arguments.size, arguments.size))
        rows.append((name, lq.repeat_interleave(scale, -1).repeat_interleave(scale, -2), texts))
    draw(rows, arguments.output)
    print(f"wrote {arguments.output}")
    return 0


def _hr_phases(experiment: Any) -> list[str]:
    from realsr_mtl.data import DATASETS

    phases = []
    for phase, block in experiment.options.datasets.items():
        kind: Any = DATASETS.get(block.type)
        if kind.has_gt and not kind.has_lq:
            phases.append(phase)
    return phases


def captions(parameters: Any, size: tuple[int, int]) -> list[str]:
    """What happened to every sample, in a few short lines."""
    from realsr_mtl.degradations.pipelines import PIPELINES

    records = parameters.to_json()
    if parameters.pipeline == "second_order":
        return [_second_order(record) for record in records]
    texts = []
    for program in PIPELINES[parameters.pipeline](parameters, size):
        now, steps = size, []
        for step in (step for step in program if step is not None):
            steps.append(_step(step, now))
            now = step.new_size(now)
        texts.append(textwrap.fill(", ".join(step for step in steps if step), 36))
    return texts


def _step(step: Any, size: tuple[int, int]) -> str:
    from realsr_mtl.degradations.operators import RESIZE_MODES
    from realsr_mtl.degradations.steps import (
        BicubicDownscale,
        Blur,
        Clamp,
        GaussianNoise,
        Jpeg,
        Resize,
        Subsample,
    )

    height, width = step.new_size(size)
    if isinstance(step, Clamp):
        return ""
    if isinstance(step, Blur):
        return f"blur {len(step.kernel)} px"
    if isinstance(step, Resize):
        return f"{RESIZE_MODES[step.mode]} to {height}x{width}"
    if isinstance(step, GaussianNoise):
        kind = "grey " if step.grey else "" if step.mixing is None else "correlated "
        return f"{kind}Gauss {step.sigma:.1f}"
    if isinstance(step, Jpeg):
        return f"JPEG {step.quality}"
    if isinstance(step, Subsample):
        return f"1 pixel in {step.scale}"
    if isinstance(step, BicubicDownscale):
        return f"MATLAB bicubic to {height}x{width}"
    given = (f"{name} {value:.2g}" for name, value in vars(step).items() if name != "seed")
    return " ".join([type(step).__name__.lower(), *given])


def _second_order(record: dict[str, Any]) -> str:
    from realsr_mtl.degradations.operators import KERNEL_TYPES, RESIZE_MODES

    lines = []
    for s in (1, 2):
        kind = KERNEL_TYPES[int(record[f"kernel_type{s}"])]
        short = kind.replace("generalized", "gen").replace("plateau", "plat").replace("_", " ")
        width = {"sinc": "cutoff", "none": ""}.get(kind, "sigma_x")
        blur = f"{short} {record[f'{width}{s}']:.2f}" if width else "no blur"
        poisson = record[f"noise_type{s}"] == 1
        strength = record[f"poisson_scale{s}" if poisson else f"gaussian_sigma{s}"]
        grey = " grey" if record[f"gray_noise{s}"] else ""
        noise = f"{'Poisson' if poisson else 'Gauss'}{grey} {strength:.1f}"
        scale, resize = record[f"resize_scale{s}"], "no resize"
        if scale is not None:
            resize = f"x{scale:.2f} {RESIZE_MODES[int(record[f'resize_mode{s}'])]}"
        lines.append(f"{s}: {blur}, {resize}")
        lines.append(f"   {noise if strength else 'no noise'}, {_quality(record, s)}")
    final = KERNEL_TYPES[int(record["final_kernel_type"])]
    sinc = f"sinc {record['final_cutoff']:.2f}" if final == "sinc" else "no sinc"
    end = [sinc, _quality(record, 2)]
    lines[-1] = lines[-1].rpartition(",")[0]  # the second JPEG belongs to the last line
    return "\n".join([*lines, ", then ".join(end if record["final_order"] == 0 else end[::-1])])


def _quality(record: dict[str, Any], stage: int) -> str:
    quality = record[f"jpeg_quality{stage}"]
    return "no JPEG" if quality is None else f"JPEG {quality:.0f}"


def draw(rows: Sequence[tuple[str, Any, Sequence[str]]], output: Path) -> None:
    """Write the grid as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = len(rows[0][1])
    figure = Figure(figsize=(2.3 * columns + 0.4, 2.9 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, (name, images, texts) in zip(grid, rows, strict=True):
        for axes, image, text in zip(line, images, texts, strict=True):
            axes.imshow(image.permute(1, 2, 0).clamp(0, 1).numpy(), interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_xlabel(text, fontsize=7, family="monospace", loc="left")
        line[0].set_ylabel(name, fontsize=9)
    figure.savefig(output, dpi=110)


if __name__ == "__main__":
    raise SystemExit(main())
