"""Write the report of a run: one page that opens from disk, and the pictures and tables in it.

    python scripts/report.py experiments/quickstart
    python scripts/report.py experiments/quickstart --no-images    # needs no weights, no data

The page is report/index.html in the run folder. train.py writes it too, without the examples, at
every validation. For the examples the network restores the best and the worst image of every task
again; its weights are those of the last validation, or the latest ones if those were not kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="run folder, experiments/<name>")
    parser.add_argument("--no-images", action="store_true", help="leave the examples out")
    parser.add_argument("--dataset", help="set of the examples (default: the first one)")
    parser.add_argument("--metric", help="that chooses the examples (default: the first one)")
    parser.add_argument("--force_yml", nargs="+", default=[], help="change options, as train.py")
    arguments = parser.parse_args(argv)
    return run_command(lambda: report(arguments))


def report(arguments: argparse.Namespace) -> int:
    """Draw the examples, then the page."""
    from realsr_mtl.reporting.report import write_report
    from realsr_mtl.reporting.run_files import RunFiles

    run = RunFiles(arguments.folder)
    if not arguments.no_images and run.datasets:
        draw_examples(run, arguments)
    page = write_report(arguments.folder, examples=not arguments.no_images)
    print(f"wrote {page} ({page.stat().st_size / 1e6:.1f} MB)")
    return 0


def draw_examples(run: object, arguments: argparse.Namespace) -> None:
    """The best and the worst image of every task, in report/images."""
    import shutil

    from realsr_mtl.archs import load_weights
    from realsr_mtl.config import load_options
    from realsr_mtl.errors import UserError
    from realsr_mtl.evaluation import Inference
    from realsr_mtl.evaluation.gallery import choose, draw_gallery
    from realsr_mtl.experiment import Experiment
    from realsr_mtl.processes import start_processes, stop_processes
    from realsr_mtl.reporting import start_logging
    from realsr_mtl.reporting.gallery import FOLDER
    from realsr_mtl.reporting.run_files import RunFiles

    assert isinstance(run, RunFiles)
    start_logging(None, quiet=True)
    dataset = arguments.dataset or run.datasets[0]
    iteration, rows = run.last_scores(dataset)
    metric = arguments.metric or next(iter(run.better), "")
    chosen = choose(rows, metric, run.better.get(metric, "higher"))
    if not chosen:
        raise UserError(f"no image of '{dataset}' has a score called '{metric}'")
    experiment = Experiment(load_options(run.root / "config.yml", arguments.force_yml))
    phases = [
        phase
        for phase, block in experiment.options.datasets.items()
        if (block.name or phase) == dataset
    ]
    if not phases:
        raise UserError(f"'{run.root}' has no data set '{dataset}'")
    weights, notes = _weights(run.root, iteration)
    network = experiment.network()
    path = experiment.options.path
    load_weights(network, weights, path.param_key_g, path.strict_load_g)
    processes = start_processes("none", experiment.options.num_gpu)
    try:
        network.to(processes.device).eval().requires_grad_(False)
        tasks = experiment.tasks(experiment.sampler())
        targets = experiment.targets(network)
        evaluator = experiment.evaluator(phases, tasks, {}, processes, targets)
        shutil.rmtree(run.root / "report" / FOLDER, ignore_errors=True)
        draw_gallery(
            evaluator.sets[0],
            network,
            processes.device,
            Inference(Inference.of(experiment.options.val).tile),
            chosen,
            run.bicubic_scores(dataset),
            run.root / "report",
            metric=metric,
            iteration=iteration,
            notes=notes,
        )
    finally:
        stop_processes()


def _weights(root: Path, iteration: int | None) -> tuple[Path, list[str]]:
    """The weights of the last validation, or the latest ones and a sentence that says so."""
    from realsr_mtl.errors import UserError

    exact, latest = (root / "models" / f"net_g_{x}.pth" for x in (iteration, "latest"))
    if exact.is_file():
        return exact, []
    if not latest.is_file():
        raise UserError(f"'{latest}' does not exist; leave the pictures out (--no-images)")
    sentence = (
        "The weights of this validation were not kept: the pictures are of the latest ones, the "
        "scores beside them of the validation."
    )
    return latest, [sentence]


if __name__ == "__main__":
    sys.exit(main())
