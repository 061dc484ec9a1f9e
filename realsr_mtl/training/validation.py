"""Validation while training: tables per task, best values, figures and images."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

from torch import nn

from realsr_mtl.evaluation import FrozenImage
from realsr_mtl.evaluation.evaluator import task_rows
from realsr_mtl.evaluation.images import write_image
from realsr_mtl.metrics.base import Image
from realsr_mtl.processes import Processes
from realsr_mtl.reporting import Row, Tracker, format_table, metric_names, read_lines, summarise
from realsr_mtl.reporting.figures import draw_heat_maps
from realsr_mtl.tasks import Targets, TaskSet
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
        scores = self._evaluator.score_bicubic()
        self._baseline = task_rows(scores, "bicubic", None)
        if tracker is not None and iteration == 0:
            tracker.validation(None, self._baseline, {})

    def run(self, network: nn.Module, iteration: int, tracker: Tracker | None) -> bool:
        """Validate, print, record and draw.

        Returns:
            Whether the leading metric's mean over tasks on the first data set is the best so far.
        """
        assert self._val is not None
        save = self._saver(iteration) if self._val.save_img else None
        scores = self._evaluator.score_network(network, save)
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
        if tracker is not None:
            tracker.validation(iteration, rows, means)
            draw_heat_maps(read_lines(self._folder.root / "metrics.jsonl"), self._folder.report)
        return improved

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
