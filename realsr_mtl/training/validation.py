"""Validation while training: tables per task, best values, figures and images."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path
from typing import Any

from torch import nn

from realsr_mtl.data.reading import Pixels, decode, read_bytes
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation import FrozenImage
from realsr_mtl.evaluation.evaluator import ImageScore, Save, image_rows, task_rows
from realsr_mtl.evaluation.images import write_image
from realsr_mtl.evaluation.strips import Strips
from realsr_mtl.metrics.base import Image
from realsr_mtl.processes import Processes
from realsr_mtl.reporting import (
    Row,
    Tracker,
    format_table,
    metric_names,
    read_lines,
    summarise,
    write_scores,
)
from realsr_mtl.reporting.figures import draw_heat_maps
from realsr_mtl.reporting.report import write_report
from realsr_mtl.reporting.scores import BICUBIC, write_masses
from realsr_mtl.tasks import Targets, TaskSet, by_name
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.run_folder import RunFolder

_logger = logging.getLogger(__name__)


class Validation:
    """Scores the network on every task of every validation set.

    Attributes:
        best: ``{data set: {metric: {"value", "iter"}}}``, means over tasks; part of the state.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        folder: RunFolder,
        processes: Processes,
        tasks: TaskSet,
        targets: Targets,
    ) -> None:
        self._val = plan.options.val
        self._name = plan.options.name
        self._folder = folder
        self._processes = processes
        self._tensorboard = plan.options.logger.use_tb_logger
        self._masses = by_name(tasks.names, tasks.masses)
        self.best: dict[str, dict[str, dict[str, Any]]] = {}
        self._baseline: list[Row] = []
        phases = plan.validation_phases()
        metrics = plan.metrics() if phases else {}
        self._better = {name: metric.better for name, metric in metrics.items()}
        self._evaluator = plan.evaluator(phases, tasks, metrics, processes, targets)

    @property
    def leading_metric(self) -> str:
        """The first metric; the one that decides about ``net_g_best_<metric>.pth``."""
        return next(iter(self._better), "")

    def due(self, iteration: int, last: bool) -> bool:
        """Whether to validate after this iteration."""
        if self._val is None or self._val.val_freq is None or not self._evaluator.sets:
            return False
        return last or iteration % self._val.val_freq == 0

    def start(self, tracker: Tracker | None, iteration: int) -> None:
        """Score the bicubic baseline; shows unusable sets and metrics before any training."""
        if self._val is None or not self._val.baseline or not self._evaluator.sets:
            return
        start = time.perf_counter()
        scores = self._evaluator.score_bicubic()
        self._baseline = task_rows(scores, "bicubic", None)
        if tracker is not None and iteration == 0:
            tracker.validation(None, self._baseline, {})
            tracker.spent(iteration, "validation", time.perf_counter() - start)
            self._keep(scores, BICUBIC)

    def run(self, network: nn.Module, iteration: int, tracker: Tracker | None) -> bool:
        """Validate, print, record, draw and write the small report.

        Returns:
            Whether the leading metric's mean over tasks on the first data set is the best so far.
        """
        assert self._val is not None
        start = time.perf_counter()
        strips = Strips(self._evaluator.sets) if self._tensorboard else None
        save = self._saver(iteration) if self._val.save_img else None
        scores = self._evaluator.score_network(network, _both(save, strips))
        rows = task_rows(scores, "net_g", iteration)
        means: dict[str, dict[str, float]] = {}
        improved = False
        for position, dataset in enumerate(d.name for d in self._evaluator.sets):
            own = [row for row in rows if row["dataset"] == dataset]
            if not own or not metric_names(own):
                continue
            means[dataset] = summarise(own, self._better)["mean"]
            news = self._update_best(dataset, means[dataset], iteration)
            improved |= position == 0 and self.leading_metric in news
            baseline = [row for row in self._baseline if row["dataset"] == dataset]
            _logger.info("%s", self._text(dataset, own, baseline, means[dataset]))
        pictures = strips.gathered(self._processes) if strips else {}
        if tracker is not None:
            self._keep(scores, iteration)
            tracker.validation(iteration, rows, means)
            tracker.images(iteration, {f"images/{k}": p for k, p in pictures.items()})
            seconds = time.perf_counter() - start
            self._draw(iteration, tracker)
            tracker.spent(iteration, "validation", seconds)
            tracker.spent(iteration, "report", time.perf_counter() - start - seconds)
        return improved

    def _keep(self, scores: list[ImageScore], label: int | str) -> None:
        """Write the scores of single images, and the masses of the tasks for later weighting."""
        for dataset, rows in image_rows(scores).items():
            write_scores(self._folder.root, dataset, label, rows)
        write_masses(self._folder.root, self._masses)

    def report(self) -> None:
        """Write the small version of the report; its page is no reason to end a training."""
        if not self._processes.is_main or not self._evaluator.sets:
            return
        try:
            write_report(self._folder.root, small=True)
        except OSError:
            raise
        except UserError as error:
            _logger.warning("the report was not written: %s", error)
        except Exception:
            _logger.warning("the report could not be drawn", exc_info=True)

    def _draw(self, iteration: int, tracker: Tracker) -> None:
        """Heat maps as files and for tensorboard, and the report."""
        maps = draw_heat_maps(read_lines(self._folder.root / "metrics.jsonl"), self._folder.report)
        if tracker.draws:
            pictures = {f"heat_maps/{m.stem}": decode(read_bytes(m), m.name) for m in maps}
            tracker.images(iteration, pictures)  # type: ignore[arg-type]
        self.report()

    def _update_best(self, dataset: str, means: dict[str, float], iteration: int) -> set[str]:
        """Names of the metrics that are at their best now."""
        best = self.best.setdefault(dataset, {})
        improved = set()
        for name, value in means.items():
            if math.isnan(value):
                best.setdefault(name, {"value": value, "iter": iteration})
                continue
            sign = -1 if self._better[name] == "lower" else 1
            if (
                name not in best
                or math.isnan(best[name]["value"])
                or sign * value >= sign * best[name]["value"]
            ):
                best[name] = {"value": value, "iter": iteration}
                improved.add(name)
        return improved

    def _text(
        self, dataset: str, rows: list[Row], baseline: list[Row], means: dict[str, float]
    ) -> str:
        lines = [f"Validation {dataset}"]
        for name, value in means.items():
            best = self.best[dataset][name]
            lines.append(
                f"\t # {name}: {value:.4f}\tBest: {best['value']:.4f} @ {best['iter']} iter"
            )
        title = "(difference to bicubic up-scaling in brackets)" if baseline else ""
        return "\n".join([*lines, title, format_table(rows, self._better, baseline)])

    def _saver(self, iteration: int) -> Any:
        def save(dataset: str, frozen: FrozenImage, output: Image) -> None:
            folder = self._folder.visualization / dataset / frozen.name
            write_image(folder / f"{Path(frozen.name).name}_{frozen.task}_{iteration}.png", output)

        return save


def _both(save: Save | None, strips: Strips | None) -> Save | None:
    if save is None or strips is None:
        return save or strips

    def each(dataset: str, frozen: FrozenImage, output: Pixels) -> None:
        save(dataset, frozen, output)
        strips(dataset, frozen, output)

    return each
