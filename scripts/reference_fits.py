"""Reference PSNR of every task: how good the network becomes when it is fine-tuned on it alone.

    python scripts/reference_fits.py -opt options/train/comparison/references.yml
    python scripts/reference_fits.py -opt FILE --output r.json --force_yml train:total_iter=500

For each task the network of path:pretrain_network_g is trained for train:total_iter steps on that
task only, and scored on the task's probe images (datasets: probe). The reference is the larger of
the PSNR before and after. DataRebalancing and FocalWeighting read the file (reference: ...). It is
written after every task; started again, the command goes on where it stopped.

Part of the CDR-style reconstruction: the CDR paper's own reference, if it has one, is not public.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and fit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-opt", "--opt", required=True, type=Path, help="the option file")
    parser.add_argument("--force_yml", nargs="+", default=[], help="change options, as train.py")
    parser.add_argument("--overwrite", action="store_true", help="replace a file of other fits")
    parser.add_argument("--output", type=Path, help="JSON file (default: experiments/<name>.json)")
    arguments = parser.parse_args(argv)
    return run_command(lambda: fit(arguments))


def fit(arguments: argparse.Namespace) -> int:
    """Fine-tune on every task and write the references."""
    from realsr_mtl.config import load_options
    from realsr_mtl.errors import UserError
    from realsr_mtl.processes import start_processes, stop_processes
    from realsr_mtl.reporting import start_logging
    from realsr_mtl.training import TrainingPlan

    start_logging(None, quiet=True)
    plan = TrainingPlan(load_options(arguments.opt, arguments.force_yml))
    if not plan.options.path.pretrain_network_g:
        raise UserError(
            f"{arguments.opt} has no path:pretrain_network_g; references are fine-tuned from the "
            "weights of a trained network"
        )
    folder, name = plan.options.path.experiments_root, plan.options.name
    output = arguments.output or Path(folder, f"{name}.json")
    processes = start_processes("none", plan.options.num_gpu)
    try:
        return _fit(plan, output, arguments.overwrite, processes)
    finally:
        stop_processes()


def _fit(plan: Any, output: Path, overwrite: bool, processes: Any) -> int:
    from realsr_mtl.errors import UserError
    from realsr_mtl.training.fine_tune import fine_tune
    from realsr_mtl.training.probing import build_probes
    from realsr_mtl.writing import write_atomically

    tasks, images = plan.tasks(plan.sampler()), plan.images("train")
    plan.check_source(images, tasks)
    probes = build_probes(plan, tasks, plan.targets(plan.network()), processes)
    network = plan.pretrained().to(processes.device)
    baseline = dict(zip(tasks.names, probes.psnr(network).tolist(), strict=True))
    record = {"options": _options(plan), "baseline": baseline, "fine_tuned": {}, "psnr": {}}
    known = _read(output)
    if known and (known["options"], known["baseline"]) == (record["options"], baseline):
        record = known
    elif output.exists() and not overwrite:
        raise UserError(
            f"'{output}' holds something else, e.g. references of another network or other "
            "options; choose another --output, or --overwrite it"
        )
    width = max(map(len, tasks.names))
    for position, name in enumerate(tasks.names):
        if name not in record["psnr"]:
            sampling = {"type": "Fixed", "shares": {name: 1.0}}
            learner = fine_tune(plan, images, tasks, sampling, processes, name)
            after = float(probes.psnr(learner.evaluated)[position])
            record["fine_tuned"][name] = after
            record["psnr"][name] = max(after, baseline[name])
            if processes.is_main:
                text = json.dumps(record, indent=2) + "\n"
                write_atomically(text.encode(), output)
        if processes.is_main:
            before, after = baseline[name], record["fine_tuned"][name]
            change = f"{before:7.3f} -> {after:7.3f} dB ({after - before:+.3f})"
            print(f"{name:{width}}  {change}", flush=True)
    if processes.is_main:
        print(f"wrote {output}")
    return 0


def _options(plan: Any) -> dict[str, Any]:
    """What the references depend on, besides the baseline's own scores."""
    resolved = plan.resolved()
    keys = ("scale", "manual_seed", "gt_usm", "degradation", "tasks", "network_g", "train")
    return {
        **{key: resolved[key] for key in keys},
        **{phase: resolved["datasets"][phase] for phase in ("train", "probe")},
        "pretrain_network_g": plan.options.path.pretrain_network_g,
    }


def _read(output: Path) -> dict[str, Any] | None:
    """An earlier, perhaps unfinished file; None if there is none or it is something else."""
    try:
        found = json.loads(output.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    wanted = {"options", "baseline", "fine_tuned", "psnr"}
    return found if isinstance(found, dict) and found.keys() == wanted else None


if __name__ == "__main__":
    sys.exit(main())
