"""What test.py does: load a checkpoint, restore and score every image, write the results."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import nn

from realsr_mtl.archs import TaskHeads, count_parameters, load_weights
from realsr_mtl.config import Arguments, Options, load_options
from realsr_mtl.config.writer import format_yaml
from realsr_mtl.data.reading import Pixels
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation import Evaluator, FrozenImage, ImageScore, Inference
from realsr_mtl.evaluation.evaluator import image_rows, task_rows
from realsr_mtl.evaluation.images import write_image
from realsr_mtl.experiment import Experiment
from realsr_mtl.processes import Processes, start_processes, stop_processes
from realsr_mtl.reporting import (
    Row,
    format_table,
    metric_names,
    start_logging,
    write_csv,
    write_scores,
)
from realsr_mtl.reporting.scores import BICUBIC, TESTED, write_masses
from realsr_mtl.tasks import by_name
from realsr_mtl.writing import archive

_logger = logging.getLogger(__name__)


def test(arguments: Arguments) -> int:
    """Test as the command line says; return the exit status.

    The data sets are those called ``test*``; a file without any (a training file) is tested on its
    ``val*`` sets with the latest weights of its own run (pretrain_network_g in the
    file is where that started; given with ``--force_yml`` it counts).
    """
    loaded = load_options(arguments.option_file, arguments.overrides, arguments.debug)
    experiment = Experiment(loaded)
    options = experiment.options
    phases = [p for p in options.datasets if p.startswith("test")]
    phases = phases or [p for p in options.datasets if p.startswith("val")]
    if not phases:
        raise UserError(f"{arguments.option_file} has no data set called test* or val*")
    weights = weight_file(options, loaded.overrides)
    if arguments.check:
        start_logging(None)
        network = experiment.network()
        sys.stdout.write(
            f"{options.name}: {options.network_g.type} with {count_parameters(network):,} weights "
            f"from {weights}; data: {', '.join(phases)} (not opened)\n"
            "options are valid; nothing was tested\n"
        )
        return 0
    processes = start_processes(arguments.launcher, options.num_gpu)
    try:
        return _test(experiment, phases, weights, processes)
    finally:
        stop_processes()


def weight_file(options: Options, overrides: Sequence[str]) -> Path:
    """The weights that a file is tested with; see `test`.

    Raises:
        UserError: there are none.
    """
    named = any("pretrain_network_g" in text for text in overrides)
    if options.path.pretrain_network_g and (named or options.train is None):
        return Path(options.path.pretrain_network_g)
    latest = Path(options.path.experiments_root) / options.name / "models" / "net_g_latest.pth"
    if not latest.is_file():
        raise UserError(
            f"no weights to test: set path:pretrain_network_g, or train first ('{latest}' does not "
            "exist)"
        )
    return latest


def _test(experiment: Experiment, phases: list[str], weights: Path, processes: Processes) -> int:
    options = experiment.options
    how = Inference.of(options.val)
    how.check(processes.device)
    folder = Path(options.path.results_root) / options.name
    stamp = time.strftime("%Y%m%d_%H%M%S")
    if processes.is_main:
        archive(folder)
        folder.mkdir(parents=True)
    processes.barrier()
    start_logging(folder / f"test_{options.name}_{stamp}.log", quiet=not processes.is_main)
    for warning in experiment.loaded.warnings:
        _logger.warning("%s", warning)
    network = experiment.network()
    path = options.path
    _logger.info("%s", load_weights(network, weights, path.param_key_g, path.strict_load_g))
    network.to(processes.device).eval().requires_grad_(False)
    tasks = experiment.tasks(experiment.sampler())
    metrics = experiment.metrics()
    targets = experiment.targets(network)
    evaluator = experiment.evaluator(phases, tasks, metrics, processes, targets)
    _check_sets(evaluator, network, how)
    better = {name: metric.better for name, metric in metrics.items()}
    baseline: list[Row] = []
    if options.val is None or options.val.baseline:
        plain = evaluator.score_bicubic() if metrics else []
        baseline = task_rows(plain, "bicubic", None)
        _keep(folder, plain, BICUBIC, processes)
    save = _Saver(folder / "visualization", options)
    lq_only = not all(dataset.has_reference for dataset in evaluator.sets)
    wanted = (options.val is not None and options.val.save_img) or lq_only
    scores = evaluator.score_network(network, save if wanted else None, how)
    rows = task_rows(scores, "net_g", None)
    _keep(folder, scores, TESTED, processes)
    if processes.is_main:
        _report(evaluator, rows, baseline, better)
        write_csv(folder / "metrics.csv", [*baseline, *rows])
        write_masses(folder, by_name(tasks.names, tasks.masses))
        (folder / "config.yml").write_text(format_yaml(experiment.resolved()), encoding="utf-8")
        _logger.info("results: %s", folder)
    return 0


def _keep(folder: Path, scores: list[ImageScore], label: str, processes: Processes) -> None:
    if processes.is_main:
        for dataset, rows in image_rows(scores).items():
            write_scores(folder, dataset, label, rows)


def _check_sets(evaluator: Evaluator, network: nn.Module, how: Inference) -> None:
    for dataset in evaluator.sets:
        if how.outscale is not None and dataset.has_reference:
            raise UserError(
                f"val:outscale changes the size of images, but those of data set '{dataset.name}' "
                "are compared with references; remove outscale, or test images without reference"
            )
        heads = network.tasks if isinstance(network, TaskHeads) else dataset.tasks
        unknown = sorted(set(dataset.tasks) - set(heads))
        if unknown:
            raise UserError(
                f"the images of data set '{dataset.name}' belong to task '{unknown[0]}', for which "
                f"the network has no head; there are heads for {', '.join(heads)} (for a folder of "
                "LQ images, 'task' in its block says which to use)"
            )


class _Saver:
    """Writes ``visualization/<data set>/<image>_[<task>_]<suffix>.png``."""

    def __init__(self, folder: Path, options: Options) -> None:
        self._folder = folder
        self._suffix = (options.val.suffix if options.val else None) or options.name

    def __call__(self, dataset: str, frozen: FrozenImage, output: Pixels) -> None:
        task = "" if frozen.parameters is None else f"{frozen.task}_"
        write_image(self._folder / dataset / f"{frozen.name}_{task}{self._suffix}.png", output)


def _report(
    evaluator: Evaluator, rows: list[Row], baseline: list[Row], better: Mapping[str, str]
) -> None:
    for dataset in evaluator.sets:
        own = [row for row in rows if row["dataset"] == dataset.name]
        if metric_names(own):
            base = [r for r in baseline if r["dataset"] == dataset.name and metric_names([r])]
            text = format_table(own, better, base)
            _logger.info("Test %s\n%s", dataset.name, text)
        else:
            _logger.info("Test %s: %d images restored", dataset.name, sum(r["images"] for r in own))
