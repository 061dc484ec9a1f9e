"""The scores of one network on all cases."""

from __future__ import annotations

import hashlib
import logging

import numpy as np
from torch import nn
from tqdm import tqdm

from realsr_mtl.errors import OptionError, UserError
from realsr_mtl.experiment import Experiment
from realsr_mtl.seal.report import CaseScores
from realsr_mtl.tasks import GroupTasks, PointTasks, TaskSet, check_points_apart
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.seal.scorer import CaseScorer

_logger = logging.getLogger(__name__)


def score_network(
    scorer: CaseScorer, network: nn.Module | None, name: str, weights: str = ""
) -> CaseScores:
    """Score a network, or bicubic up-scaling, on every case.

    Args:
        scorer: of the cases.
        network: on the device of the scorer's process; None for bicubic up-scaling.
        name: in reports.
        weights: where its weights come from, for the report.
    """
    names = scorer.cases.names
    rows, inputs = [], {}
    for case in tqdm(names, name, unit="case", leave=False, disable=None):
        rows.append(scorer.score(network, case))
        inputs[case] = scorer.inputs(case)
        scorer.forget(case)
    values = {metric: np.array([row[metric] for row in rows]) for metric in scorer.metrics}
    for metric, column in values.items():
        if not np.isfinite(column).all():
            case = names[int(np.flatnonzero(~np.isfinite(column))[0])]
            raise UserError(f"'{name}' has no finite {metric} on case '{case}'")
    better = {metric: own.better for metric, own in scorer.metrics.items()}
    lines = "\n".join(f"{case} {own}" for case, own in sorted(inputs.items()))
    about = {
        **scorer.about(),
        "inputs": hashlib.sha256(lines.encode()).hexdigest(),
        "inputs_of_cases": inputs,
        "weights": weights,
    }
    return CaseScores(name, names, values, better, about)


def check_network_apart(scorer: CaseScorer, experiment: Experiment) -> None:
    """Refuse to report on images or cases that the network was trained, or its groups chosen, on.

    Images are compared by their files. What is not on this machine cannot be compared: a warning
    says so.

    Raises:
        UserError: something is in both.
    """
    options, benchmark = experiment.options, scorer.benchmark
    report = benchmark.plan.images(benchmark.phase).gt_sources()
    for phase in ("train", "probe"):
        if phase not in options.datasets:
            continue
        try:
            shared = report & experiment.images(phase).gt_sources()
        except UserError as error:
            _logger.warning(
                "whether '%s' holds images of the report is not known: %s", phase, error
            )
            continue
        if shared:
            with experiment.loaded.located():
                raise OptionError(
                    f"{len(shared)} images of the report are in this set, e.g. '{min(shared)}'; "
                    "report on images that no decision about the network was made on",
                    ("datasets", phase),
                )
    if points := _points(experiment):
        check_points_apart(scorer.cases, points, f"the points that '{options.name}' trains on")


def _points(experiment: Experiment) -> PointTasks | None:
    """The points that a network was trained or grouped on, if there are any."""
    sampler = experiment.sampler()
    if sampler is None or not isinstance(experiment, TrainingPlan):
        return None
    tasks: TaskSet = experiment.tasks(sampler)
    grouping = experiment.grouping()
    if grouping is not None:
        try:
            tasks = grouping.tasks(sampler, 1)
        except ValueError as error:
            _logger.warning("whether the groups hold cases of the report is not known: %s", error)
    found = tasks.points if isinstance(tasks, GroupTasks) else tasks
    return found if isinstance(found, PointTasks) else None


def check_lines_apply(scores: CaseScores, about: object, lines_inputs: object) -> None:
    """Refuse lines of other cases, images or metrics; warn of LQ images that differ in last bits.

    Args:
        scores: of a network.
        about: what the lines were made of.
        lines_inputs: case to checksum of the LQ images of the lines.

    Raises:
        UserError: says what differs.
    """
    assert isinstance(about, dict)
    assert isinstance(lines_inputs, dict)
    if "cases" not in about:
        return  # imported: only their names are known
    for key, words in (("cases", "cases"), ("images", "images or seeds")):
        if about[key] != scores.about.get(key):
            raise UserError(
                f"the lines were trained for other {words} (checksum {about[key][:12]}, now "
                f"{str(scores.about.get(key))[:12]}); train them again, python scripts/seal.py "
                "lines, or choose the seal:folder that belongs to them"
            )
    for name, definition in about["metrics"].items():
        own = scores.about["metrics"].get(name)
        if own is not None and own != definition:
            raise UserError(
                f"the lines were scored with another definition of '{name}' ({definition}, now "
                f"{own}); a line and a score must be the same metric"
            )
    other = [c for c, own in scores.about["inputs_of_cases"].items() if lines_inputs.get(c) != own]
    if other:
        _logger.warning(
            "the LQ images of %d cases differ from those of the lines, e.g. '%s'; another kind of "
            "machine gives other last bits, another version of this package other images",
            len(other),
            other[0],
        )
