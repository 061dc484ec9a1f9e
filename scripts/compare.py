"""Compare runs on the same validation images: differences, intervals, a verdict in words.

    python scripts/compare.py experiments/natural_quickstart experiments/cdr_quickstart
    python scripts/compare.py natural='experiments/comparison_natural_seed*' \
        cdr='experiments/comparison_cdr_seed*' art='experiments/comparison_art_seed*' \
        --baseline natural -o results/comparison

Every argument is a run folder, or NAME=PATTERN[,PATTERN...] for a method with several runs, one for
each seed (manual_seed). Folders of test.py (results/<name>) do too. The last validation counts; the
images are checked by checksum. The output folder receives index.html, comparison.md, comparison.tex
and comparison.csv; the Markdown is printed. docs/reports.md says how the intervals are made.
"""

from __future__ import annotations

import argparse
import glob
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command

if TYPE_CHECKING:
    from realsr_mtl.reporting.comparison_report import Runs
    from realsr_mtl.reporting.run_files import RunFiles
    from realsr_mtl.reporting.scores import ImageRow


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("methods", nargs="+", metavar="FOLDER | NAME=PATTERN", help="runs to compare")
    add("--baseline", help="name of the method to compare with (default: the first one)")
    add("--metric", nargs="+", help="which ones (default: all that every run has)")
    add("--dataset", help="validation set (default: the first one)")
    add("--replicates", type=int, default=10_000, help="of the bootstrap (default: 10000)")
    add("--seed", type=int, default=0, help="of the bootstrap (default: 0)")
    add("-o", "--output", type=Path, default=Path("results/comparison"), help="folder")
    arguments = parser.parse_args(argv)
    return run_command(lambda: compare(arguments))


def compare(arguments: argparse.Namespace) -> int:
    """Read the runs, compare, write."""
    from realsr_mtl.errors import UserError
    from realsr_mtl.reporting.comparison import compare as compare_tables
    from realsr_mtl.reporting.comparison_report import markdown, write_comparison
    from realsr_mtl.reporting.score_table import score_table

    if arguments.replicates < 200:
        raise UserError(f"--replicates must be 200 or more, found {arguments.replicates}")
    runs = _with_baseline_first([_runs(text) for text in arguments.methods], arguments.baseline)
    first = next(iter(runs[0].folders.values()))
    dataset = arguments.dataset or next(iter(first.datasets), "")
    scores, iterations = _scores(runs, dataset)
    masses = _masses(runs, {row.task for row in next(iter(scores[0].values()))})
    found = []
    for metric in _metrics(scores, first, arguments.metric):
        tables = [score_table(r.name, metric, own) for r, own in zip(runs, scores, strict=True)]
        found.append(
            compare_tables(
                tables,
                metric=metric,
                dataset=dataset,
                better=first.better.get(metric, "higher"),
                masses=masses,
                iterations=iterations,
                replicates=arguments.replicates,
                seed=arguments.seed,
            )
        )
    page = write_comparison(found, runs, arguments.output)
    print(markdown(found))
    print(f"wrote {page}")
    return 0


def _runs(text: str) -> Runs:
    """The runs that an argument names, by seed."""
    from realsr_mtl.errors import UserError
    from realsr_mtl.reporting.comparison_report import Runs
    from realsr_mtl.reporting.run_files import RunFiles

    name, equals, patterns = text.partition("=")
    if not equals:
        run = RunFiles(_folder(text))
        return Runs(run.root.resolve().name, {run.seed: run})
    folders = [
        folder for p in patterns.split(",") for folder in sorted(glob.glob(p)) or [str(_folder(p))]
    ]
    found: dict[str, RunFiles] = {}
    for folder in dict.fromkeys(folders):
        run = RunFiles(Path(folder))
        if run.seed in found:
            raise UserError(
                f"two runs of '{name}' have the seed {run.seed}: '{found[run.seed].root}' and "
                f"'{folder}'"
            )
        found[run.seed] = run
    return Runs(name, found)


def _folder(text: str) -> Path:
    """A folder as given, or one of experiments."""
    from realsr_mtl.errors import UserError

    places = [Path(text), Path("experiments", text)]
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        raise UserError(f"'{text}' names no run folder; give a folder, or NAME=PATTERN")
    return folder


def _with_baseline_first(runs: list[Runs], baseline: str | None) -> list[Runs]:
    from realsr_mtl.errors import UserError

    known: dict[str, Runs] = {}
    for own in runs:
        same = known.get(own.name)
        if same and _places(same) == _places(own):  # a run with itself
            own = replace(own, name=f"{own.name} (again)")
        if own.name in known:
            raise UserError(f"two methods are called '{own.name}'; name them: NAME=FOLDER")
        known[own.name] = own
    names = list(known)
    wanted = Path(baseline).name if baseline else names[0]
    if wanted not in names:
        raise UserError(f"the baseline '{baseline}' is none of {', '.join(names)}")
    return sorted(known.values(), key=lambda r: r.name != wanted)


def _places(runs: Runs) -> list[Path]:
    return [run.root.resolve() for run in runs.folders.values()]


def _scores(runs: Sequence[Runs], dataset: str) -> tuple[list[dict[str, list[ImageRow]]], str]:
    """Scores of every method and seed, checked to be of the same images; and the iteration."""
    from realsr_mtl.errors import UserError
    from realsr_mtl.reporting.score_table import check_same_images

    found: list[dict[str, list[ImageRow]]] = []
    lengths: dict[int, Path] = {}
    for method in runs:
        own = {}
        for seed, run in method.folders.items():
            iteration, own[seed] = run.last_scores(dataset)
            if iteration is not None:
                lengths.setdefault(iteration, run.root)
        found.append(own)
    if len(lengths) > 1:
        places = " and ".join(f"{i} ('{folder}')" for i, folder in sorted(lengths.items())[:2])
        raise UserError(f"the runs ended at different iterations, {places}")
    check_same_images(
        {
            str(method.folders[seed].root): rows
            for method, own in zip(runs, found, strict=True)
            for seed, rows in own.items()
        }
    )
    return found, "".join(f"{i:,}" for i in lengths)


def _metrics(
    scores: Sequence[dict[str, list[ImageRow]]], first: RunFiles, wanted: Sequence[str] | None
) -> list[str]:
    from realsr_mtl.errors import UserError

    every = [rows for own in scores for rows in own.values()]
    shared = set.intersection(*({n for row in rows for n in row.values} for rows in every))
    for name in wanted or ():
        if name not in shared:
            raise UserError(f"not every run has '{name}'; all have {', '.join(sorted(shared))}")
    chosen = wanted or [n for n in first.better if n in shared] or sorted(shared)
    if not chosen:
        raise UserError("the runs have no metric in common")
    return list(dict.fromkeys(chosen))


def _masses(runs: Sequence[Runs], tasks: set[str]) -> dict[str, float] | None:
    """Natural masses of the tasks, from the first run that knows them all."""
    for method in runs:
        for run in method.folders.values():
            if tasks <= run.masses.keys() and sum(run.masses[t] for t in tasks) > 0:
                return {task: run.masses[task] for task in tasks}
    return None


if __name__ == "__main__":
    sys.exit(main())
