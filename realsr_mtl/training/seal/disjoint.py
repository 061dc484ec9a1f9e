"""Networks apart from what they are reported on."""

from __future__ import annotations

import logging

from realsr_mtl.errors import OptionError, UserError
from realsr_mtl.experiment import Experiment
from realsr_mtl.tasks import GroupTasks, PointTasks, TaskSet, check_points_apart
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.seal.scorer import CaseScorer

_logger = logging.getLogger(__name__)


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
