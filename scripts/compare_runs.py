"""Compare finished runs of several methods and seeds, task by task, as a Markdown table.

    python scripts/compare_runs.py natural='experiments/comparison_natural_seed*' \
        cdr='experiments/comparison_cdr_seed*' --metric psnr

Every argument is a name and a pattern of run folders; the first one is the baseline. Runs are
paired by their manual_seed. The last validation of each run counts.
"""

from __future__ import annotations

import argparse
import glob
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="+", metavar="NAME=PATTERN", help="run folders")
    parser.add_argument("--metric", default="psnr", help="column to compare (default: psnr)")
    parser.add_argument("--dataset", help="validation set (default: the first one)")
    arguments = parser.parse_args(argv)
    return run_command(lambda: compare(arguments))


def compare(arguments: argparse.Namespace) -> int:
    """Read the runs and print the table."""
    from realsr_mtl.config.reader import read_yaml
    from realsr_mtl.errors import UserError
    from realsr_mtl.reporting.comparison import Arm, comparison_table

    arms: list[Arm] = []
    lengths: dict[int, Path] = {}
    for text in arguments.methods:
        name, equals, pattern = text.partition("=")
        folders = [Path(folder) for folder in sorted(glob.glob(pattern))]
        if not equals or not folders:
            raise UserError(f"'{text}' names no run folder; write NAME=PATTERN")
        runs: dict[str, Any] = {}
        better = "higher"
        for folder in folders:
            options = read_yaml(folder / "config.yml")[0]
            seed = str(options.get("manual_seed", 0))
            if seed in runs:
                raise UserError(f"two runs of '{name}' have the seed {seed}, e.g. '{folder}'")
            iteration, runs[seed] = _scores(folder, arguments.dataset, arguments.metric)
            lengths.setdefault(iteration, folder)
            metrics = (options.get("val") or {}).get("metrics") or {}
            better = metrics.get(arguments.metric, {}).get("better", "higher")
        arms.append(Arm(name, runs, better))
    if len(lengths) > 1:
        places = " and ".join(f"{i} ('{folder}')" for i, folder in sorted(lengths.items())[:2])
        raise UserError(f"the runs ended at different iterations, {places}")
    print(comparison_table(arms, arms[0].name))
    return 0


def _scores(folder: Path, dataset: str | None, metric: str) -> tuple[int, dict[str, float]]:
    from realsr_mtl.errors import UserError
    from realsr_mtl.reporting import read_lines
    from realsr_mtl.reporting.comparison import final_scores

    rows = read_lines(folder / "metrics.jsonl")
    if not rows:
        raise UserError(f"'{folder}' holds no validation (metrics.jsonl)")
    try:
        return final_scores(rows, dataset or rows[0]["dataset"], metric)
    except UserError as error:
        raise UserError(f"'{folder}': {error}") from None


if __name__ == "__main__":
    sys.exit(main())
