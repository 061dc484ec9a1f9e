"""How often do the 95 % intervals of scripts/compare.py hold the truth? On synthetic scores.

    python scripts/benchmark_intervals.py
    python scripts/benchmark_intervals.py --images 10 100 --seeds 3 --trials 200

The methods do not differ; differences of single images are normal, skewed (exponential) or have
heavy tails (Student's t with 3 degrees of freedom), and half of them all tasks share. Printed are
the coverage of the intervals of tasks and of the mean over tasks, nominally 0.95, and the share of
trials in which any task differs after Holm's adjustment, nominally below 0.05.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command

if TYPE_CHECKING:
    from realsr_mtl.reporting.score_table import ScoreTable, Values

KINDS = ("normal", "skewed", "heavy")
SEED_EFFECTS = (0.02, 0.1, 0.5)
"""Standard deviation of the effect of a seed, where that of an image is 0.3."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--images", nargs="+", type=int, default=[2, 3, 5, 10, 30, 100], help="numbers of images")
    add("--seeds", nargs="+", type=int, default=[2, 3, 5], help="numbers of seeds, with 30 images")
    add("--tasks", type=int, default=4, help="number of tasks (default: 4)")
    add("--trials", type=int, default=1000, help="per line (default: 1000)")
    add("--replicates", type=int, default=1000, help="of the bootstrap (default: 1000)")
    arguments = parser.parse_args(argv)
    return run_command(lambda: benchmark(arguments))


def benchmark(arguments: argparse.Namespace) -> int:
    """Print a line for each setting."""
    print(
        f"{'differences':12}{'images':>8}{'seeds':>7}{'effect':>8}{'tasks':>8}{'mean':>8}{'any':>8}"
    )
    settings = [(kind, images, 1, 0.0) for kind in KINDS for images in arguments.images]
    settings += [("normal", 30, seeds, e) for e in SEED_EFFECTS for seeds in arguments.seeds]
    for kind, images, seeds, effect in settings:
        found = coverage(arguments, kind, images, seeds, effect)
        values = "".join(f"{value:8.3f}" for value in found)
        print(f"{kind:12}{images:8}{seeds:7}{effect:8.2f}{values}", flush=True)
    return 0


def coverage(
    arguments: argparse.Namespace, kind: str, images: int, seeds: int, effect: float
) -> tuple[float, float, float]:
    """Coverage of tasks and of the mean; share of trials with a false finding."""
    from realsr_mtl.reporting.comparison import compare

    draws = np.random.default_rng([images, seeds, KINDS.index(kind)])
    tasks = mean = wrong = 0
    for trial in range(arguments.trials):
        base, own = _scores(draws, kind, (seeds, images, arguments.tasks), effect)
        (found,) = compare(
            [_table("base", base), _table("own", own)],
            metric="psnr",
            dataset="synthetic",
            better="higher",
            masses=None,
            replicates=arguments.replicates,
            seed=trial,
        ).differences
        tasks += sum(interval.low <= 0 <= interval.high for interval in found.tasks.values())
        mean += found.mean.low <= 0 <= found.mean.high
        wrong += min(found.adjusted.values()) < 0.05
    trials = arguments.trials
    return tasks / trials / arguments.tasks, mean / trials, wrong / trials


def _scores(
    draws: np.random.Generator, kind: str, shape: tuple[int, int, int], effect: float
) -> tuple[Values, Values]:
    """Scores of the baseline and of a method that differs by chance only."""
    seeds, images, tasks = shape
    errors: dict[str, Any] = {
        "normal": partial(draws.normal, 0, 1),
        "skewed": lambda size: draws.exponential(1, size) - 1,
        "heavy": partial(draws.standard_t, 3),
    }
    error = errors[kind]
    base = draws.normal(25, 3, (1, images, 1)) + draws.normal(0, 1, (1, 1, tasks))
    base = base + np.zeros(shape)
    change = 0.3 * error(size=(1, images, 1)) + 0.3 * error(size=(1, images, tasks))
    change = change + effect * draws.normal(0, 1, (seeds, 1, 1))
    change = change + effect / 2 * draws.normal(0, 1, (seeds, 1, tasks))
    return base, base + change + draws.normal(0, 0.1, shape)


def _table(name: str, values: Values) -> ScoreTable:
    from realsr_mtl.reporting.score_table import ScoreTable

    seeds, images, tasks = (tuple(map(str, range(size))) for size in values.shape)
    return ScoreTable(name, seeds, images, tasks, values)


if __name__ == "__main__":
    sys.exit(main())
