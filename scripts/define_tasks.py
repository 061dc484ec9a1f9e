"""Define tasks by measurement: which degradation operators decide about a network's quality?

    python scripts/define_tasks.py -opt options/train/comparison/cdr.yml
    python scripts/define_tasks.py -opt FILE --force_yml \
        path:pretrain_network_g=experiments/NAME/models/net_g_latest.pth

The network of path:pretrain_network_g restores the same patches (datasets: probe) under thousands
of records of the degradation space. The task-defining capacity of an operator is the share of the
variation of PSNR that its parameters explain, by themselves or beside all others (cross-validated
regression forests). The operators above a threshold are cut where PSNR differs most between the two
sides; neighbouring cells are merged where that loses nothing. A folder receives

    measurements.csv   every record with its PSNR
    capacities.json    capacities, boundaries, explained variance, acceptance rules
    capacities.png     the capacities as bars
    tasks.json         the tasks; use them with  tasks: {type: Regions, file: .../tasks.json}

The exit status is 1 if the tasks fail an acceptance rule. CDR-style: a reconstruction, the paper's
own capacity and boundaries are not public.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command

LEAST_EXPLAINED, RAREST, MOST, MERGE = 0.4, 0.01, 16, 0.005
"""Acceptance rules: explained variance, mass of a task, number of tasks, loss by merging."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and define."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("-opt", "--opt", required=True, type=Path, help="the option file")
    add("--force_yml", nargs="+", default=[], help="change options, as train.py")
    add("--records", type=int, default=3000, help="records of the space (default: 3000)")
    add("--patches", type=int, default=16, help="patches per record (default: 16)")
    add("--size", type=int, default=128, help="HR side of a patch (default: 128)")
    add("--threshold", type=float, default=0.05, help="least capacity (default: 0.05)")
    add("--most_operators", type=int, default=4, help="operators to cut at most (default: 4)")
    add("--operators", nargs="+", help="cut these instead of those with the largest capacity")
    add("--seed", type=int, default=0, help="of records, patches and forests (default: 0)")
    add("--output", type=Path, help="folder (default: experiments/<name>_tasks)")
    arguments = parser.parse_args(argv)
    return run_command(lambda: define_tasks(arguments))


def define_tasks(arguments: argparse.Namespace) -> int:
    """Measure, define and write."""
    from realsr_mtl.config import load_options
    from realsr_mtl.errors import UserError
    from realsr_mtl.processes import start_processes, stop_processes
    from realsr_mtl.reporting import start_logging
    from realsr_mtl.training import TrainingPlan

    start_logging(None, quiet=True)
    plan = TrainingPlan(load_options(arguments.opt, arguments.force_yml))
    scale = plan.options.scale
    if plan.options.degradation is None:
        raise UserError(f"{arguments.opt} has no 'degradation' block whose space could be divided")
    if not plan.options.path.pretrain_network_g:
        raise UserError(f"{arguments.opt} has no path:pretrain_network_g; give a trained network")
    if arguments.records < 50 or arguments.patches < 1 or arguments.size % scale:
        raise UserError(
            f"--records must be 50 or more, --patches positive, --size a multiple of scale {scale}"
        )
    folder = arguments.output or Path(
        plan.options.path.experiments_root, f"{plan.options.name}_tasks"
    )
    processes = start_processes("none", plan.options.num_gpu)
    try:
        return _define(plan, arguments, folder, processes)
    finally:
        stop_processes()


def _define(plan: Any, arguments: argparse.Namespace, folder: Path, processes: Any) -> int:
    from realsr_mtl.errors import UserError
    from realsr_mtl.evaluation.landscape import Landscape
    from realsr_mtl.evaluation.probes import cut_patches
    from realsr_mtl.tasks import RegionTasks, by_name
    from realsr_mtl.tasks.definition import capacities, define
    from realsr_mtl.training.probing import probe_images

    sampler = plan.sampler()
    space = sampler.space
    unknown = sorted(set(arguments.operators or ()) - space.operators().keys())
    if unknown:
        raise UserError(
            f"no operator is called '{unknown[0]}'; there are {', '.join(space.operators())}"
        )
    patches = cut_patches(
        probe_images(plan),
        plan.options.scale,
        count=arguments.patches,
        size=arguments.size,
        seed=arguments.seed,
        sharpen=plan.options.gt_usm,
        max_failed=plan.options.datasets["probe"].max_failed,
    )
    landscape = Landscape(sampler, patches, arguments.records, arguments.seed, processes)
    psnr = landscape.psnr(plan.pretrained().to(processes.device))
    if not processes.is_main:
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    _write_measurements(folder / "measurements.csv", landscape.table, psnr)
    found = capacities(space, landscape.table, psnr, arguments.seed)
    chosen = arguments.operators or [
        c.operator for c in found if max(c.first_order, c.drop_one) > arguments.threshold
    ]
    chosen = chosen if arguments.operators else chosen[: arguments.most_operators]
    _print_capacities(found, chosen)
    _draw(found, arguments.threshold, folder / "capacities.png")
    try:
        definition = define(
            space, landscape.table, psnr, chosen, most=MOST, rarest=RAREST, merge_below=MERGE
        )
    except ValueError as error:
        raise UserError(f"no tasks: {error}; try --operators or a lower --threshold") from None
    tasks = RegionTasks(sampler, definition.regions())
    masses = by_name(tasks.names, tasks.masses)
    rarest = min(masses.values())
    rules = {
        f"explained variance {definition.explained:.3f}, at least {LEAST_EXPLAINED}": (
            definition.explained >= LEAST_EXPLAINED
        ),
        f"rarest task {rarest:.4f}, at least {RAREST}": rarest >= RAREST,
        f"{len(tasks)} tasks, 2 to {MOST}": 2 <= len(tasks) <= MOST,
        f"merging two neighbours loses {definition.least_loss:.3f}, at least {MERGE}": (
            definition.least_loss >= MERGE
        ),
    }
    _write_json(folder / "tasks.json", tasks.to_json())
    content = {
        "weights": plan.options.path.pretrain_network_g,
        "records": arguments.records,
        "patches": arguments.patches,
        "size": arguments.size,
        "seed": arguments.seed,
        "psnr": {"mean": psnr.mean(), "standard_deviation": psnr.std()},
        "capacities": [vars(c) for c in found],
        "boundaries": [
            {"operator": b.operator, "thresholds": {s.parameter: s.thresholds for s in b.scales}}
            for b in definition.boundaries
        ],
        "explained": definition.explained,
        "rules": rules,
    }
    _write_json(folder / "capacities.json", content)
    print(f"\n{'task':40}{'mass':>8}")
    for name, mass in masses.items():
        print(f"{name:40}{mass:8.4f}")
    print()
    for rule, kept in rules.items():
        print(f"{'ok    ' if kept else 'FAILED'}  {rule}")
    print(f"wrote {folder}")
    return 0 if all(rules.values()) else 1


def _write_measurements(file: Path, table: Any, psnr: Any) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*table, "psnr"])
        for row in zip(*table.values(), psnr, strict=True):
            writer.writerow(["" if value != value else f"{value:.6g}" for value in row])


def _write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _print_capacities(found: Sequence[Any], chosen: Sequence[str]) -> None:
    print(f"{'operator':16}{'alone':>8}{'drop one':>10}")
    for capacity in found:
        mark = "  cut" if capacity.operator in chosen else ""
        values = f"{capacity.first_order:8.3f}{capacity.drop_one:10.3f}"
        print(f"{capacity.operator:16}{values}{mark}")


def _draw(found: Sequence[Any], threshold: float, file: Path) -> None:
    from realsr_mtl.reporting.figures import draw_bars

    draw_bars(
        {c.operator: {"alone": c.first_order, "drop one": c.drop_one} for c in found},
        file,
        title="Task-defining capacity of the degradation operators",
        axis="share of the variance of PSNR explained",
        mark=threshold,
    )


if __name__ == "__main__":
    sys.exit(main())
