"""TGSR's indicator: what it costs, and how much cheaper ones agree with it.

    python scripts/benchmark_indicator.py -opt options/train/tgsr/bsds.yml

Two tables. The first: short trainings one after the other and side by side on stacked weights, in
turns, a few steps each. The second: cheaper indicators on the tasks of a finished search
(scripts/task_grouping.py with indicator: fine_tune), their Spearman correlation with it, and how
many of its unsatisfactory tasks they find.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("-opt", "--opt", required=True, type=Path, help="the option file of the search")
    add("--force_yml", nargs="+", default=[], help="change options, as train.py")
    add("--together", nargs="+", type=int, default=[1, 2, 4, 8], help="tasks side by side")
    add("--steps", type=int, default=5, help="steps of a timed training (default: 5)")
    add("--repeat", type=int, default=5, help="timed trainings of each kind (default: 5)")
    add("--tasks", type=int, default=100, help="tasks of the second table (default: 100)")
    add("--batches", nargs="*", type=int, default=[2, 4, 8], help="of the gradient indicator")
    add("--short", nargs="*", type=int, default=[5, 10], help="steps of shorter fine-tunes")
    add("--threads", type=int, default=1, help="threads (default: 1)")
    arguments = parser.parse_args(argv)
    return run_command(lambda: measure(arguments))


def measure(arguments: argparse.Namespace) -> int:
    """Both tables."""
    import torch

    from realsr_mtl.config import load_options
    from realsr_mtl.processes import start_processes
    from realsr_mtl.training import TrainingPlan
    from realsr_mtl.training.grouping import GroupSearch

    torch.set_num_threads(arguments.threads)
    plan = TrainingPlan(load_options(arguments.opt, arguments.force_yml))
    search = GroupSearch(plan, start_processes("none", plan.options.num_gpu))
    reference = _reference(search, arguments.tasks)
    _costs(search, arguments)
    _agreement(search, reference, arguments)
    return 0


def _costs(search: Any, arguments: argparse.Namespace) -> None:
    own = search.options
    points = search.points()
    kinds = {}
    for count in arguments.together:
        own.side_by_side, own.indicator_iter, own.window = count, arguments.steps, 1
        kinds[count] = search.indicator(points)
    times: dict[int, list[float]] = {count: [] for count in kinds}
    for number in range(arguments.repeat + 1):
        for count, indicator in kinds.items():
            seconds = _seconds(indicator, [i % len(points) for i in range(count)], search)
            if number:  # the first is a warm-up
                times[count].append(seconds / count)
    first = statistics.median(times[arguments.together[0]])
    print(f"{'side by side':14}{'ms per task and step':>22}{'speed':>8}")
    for count, values in times.items():
        each = statistics.median(values)
        print(f"{count:<14}{1000 * each / arguments.steps:22.1f}{first / each:8.2f}")


def _reference(search: Any, count: int) -> dict[str, float]:
    """The full indicators of the first tasks."""
    from realsr_mtl.errors import UserError

    names = search.points().names[:count]
    known = search.known_scores()
    if search.options.indicator != "fine_tune" or not set(names) <= known.keys():
        raise UserError(
            f"'{search.folder.root}' lacks the full indicator of some of the first "
            f"{len(names)} tasks; run scripts/task_grouping.py on this file first"
        )
    return {name: known[name].indicator for name in names}


def _agreement(search: Any, reference: dict[str, float], arguments: argparse.Namespace) -> None:
    import torch

    from realsr_mtl.strategies.grouping import unsatisfactory

    names, full = list(reference), torch.tensor(list(reference.values()), dtype=torch.float64)
    fraction = search.options.fraction
    low = set(unsatisfactory(full, fraction, None))
    given, points = search.plan.grouping(), search.points()
    print(f"\n{len(names)} tasks; fine_tune with {given.indicator_iter} steps is the reference")
    print(f"{'indicator':24}{'s per task':>12}{'Spearman':>10}{'same unsatisfactory':>21}")
    kinds = [("gradient", count) for count in arguments.batches]
    for kind, count in [*kinds, *(("fine_tune", steps) for steps in arguments.short)]:
        own = search.options
        own.indicator, own.side_by_side = kind, 1
        if kind == "gradient":
            own.gradient_batches = count
        else:
            own.indicator_iter, own.window = count, min(count, given.window)
        indicator, scores, begin = search.indicator(points), [], time.perf_counter()
        for task in range(len(names)):
            scores += [score.indicator for score in indicator.scores([task])]
        seconds = (time.perf_counter() - begin) / len(names)
        found = torch.tensor(scores, dtype=torch.float64)
        common = len(low & set(unsatisfactory(found, fraction, None))) / len(low)
        agreement = f"{spearman(found, full):10.3f}{common:21.0%}"
        print(f"{f'{kind} {count}':24}{seconds:12.2f}{agreement}")


def spearman(first: Any, second: Any) -> float:
    """Rank correlation of two vectors without ties."""
    import torch

    ranks = torch.stack([values.argsort().argsort().double() for values in (first, second)])
    return float(torch.corrcoef(ranks)[0, 1])


def _seconds(indicator: Any, tasks: Sequence[int], search: Any) -> float:
    import torch

    def now() -> float:
        if search.processes.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    begin = now()
    indicator.scores(tasks)
    return now() - begin


if __name__ == "__main__":
    sys.exit(main())
