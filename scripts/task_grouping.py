"""Find the groups of tasks that a network falls short on (TGSR), ready to be trained on.

    python scripts/task_grouping.py -opt options/train/tgsr/quickstart.yml
    torchrun --nproc_per_node=2 scripts/task_grouping.py -opt FILE     # tasks shared out
    python realsr_mtl/train.py -opt options/train/tgsr/quickstart.yml  # then train on the groups

The option file is that of the training; its strategy:grouping block (type: TaskGrouping) holds the
options of this search, and path:pretrain_network_g the network that is judged. The stages:

    1  point tasks are drawn from the degradation space                       points.jsonl
    2  the indicator of every task: loss after a short training on it alone,
       over the loss before; the lowest are unsatisfactory                    indicator.jsonl
    3  joint trainings on the unsatisfactory tasks: those that improve most
       form a group and leave; again with the rest                            round_1.json, ...
    4  groups, random groups of the same sizes as control, one table of all
       tasks, figures                            groups.json, random_groups.json, tasks.csv, *.png

Started again, the command goes on where it stopped; after a change of options it refuses to mix
results, unless --overwrite discards the stages that depend on them.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and search."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-opt", "--opt", required=True, type=Path, help="the option file")
    parser.add_argument("--force_yml", nargs="+", default=[], help="change options, as train.py")
    parser.add_argument(
        "--launcher", choices=["none", "pytorch", "slurm"], default="none", help="as train.py"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="discard results that other options made"
    )
    arguments = parser.parse_args(argv)
    return run_command(lambda: search(arguments))


def search(arguments: argparse.Namespace) -> int:
    """Search, draw and print."""
    from realsr_mtl.config import load_options
    from realsr_mtl.processes import start_processes, stop_processes
    from realsr_mtl.reporting import start_logging
    from realsr_mtl.reporting.grouping import draw_grouping, format_groups
    from realsr_mtl.training import TrainingPlan
    from realsr_mtl.training.grouping import GroupSearch

    plan = TrainingPlan(load_options(arguments.opt, arguments.force_yml))
    processes = start_processes(arguments.launcher, plan.options.num_gpu)
    start_logging(None, quiet=not processes.is_main)
    for warning in plan.loaded.warnings:
        logging.getLogger(__name__).warning("%s", warning)
    try:
        found = GroupSearch(plan, processes, arguments.overwrite)
        found.run()
        if processes.is_main:
            draw_grouping(found.folder.root)
            sys.stdout.write(format_groups(found.folder.root))
            changed = ["--force_yml", *arguments.force_yml] if arguments.force_yml else []
            command = shlex.join(["-opt", str(arguments.opt), *changed])
            sys.stdout.write(
                f"\nwrote {found.folder.root}; train on the groups with\n"
                f"  python realsr_mtl/train.py {command}\n"
            )
        processes.barrier()  # all leave together
    finally:
        stop_processes()
    return 0


if __name__ == "__main__":
    sys.exit(main())
