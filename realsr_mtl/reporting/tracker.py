"""Numbers of a run: JSON lines for machines, tensorboard for people."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realsr_mtl.reporting.scores import forget_scores_after
from realsr_mtl.reporting.tables import Row, metric_names
from realsr_mtl.writing import write_atomically

COSINES = "cosine_with/"
"""Beginning of the columns that are rows of a matrix, tasks x tasks."""

_CURVES = 64
"""Tasks beyond which tensorboard would be slow and unreadable."""

_FILES = ("metrics.jsonl", "strategy.jsonl", "training.jsonl", "nonfinite.jsonl")


class Tracker:
    """Writes the JSON-lines files of a run folder and tensorboard event files.

    Args:
        folder: the run folder.
        tensorboard: folder of the event files, or None for none.
        resumed: the iteration a resumed run goes on from; what was written for later iterations
            is dropped, because it will be written again.
    """

    def __init__(self, folder: Path, tensorboard: Path | None, resumed: int = 0) -> None:
        self._folder = folder
        if resumed:
            for name in _FILES:
                _forget_after(folder / name, resumed)
            forget_scores_after(folder, resumed)
        self._writer: Any = None
        if tensorboard is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(
                str(tensorboard), purge_step=resumed + 1 if resumed else None
            )  # type: ignore[no-untyped-call]

    @property
    def draws(self) -> bool:
        """Whether there is a tensorboard that `images` would reach."""
        return self._writer is not None

    def step(
        self, iteration: int, values: Mapping[str, float], seconds: Mapping[str, float]
    ) -> None:
        """Values of a log line; those starting with ``l_`` go under ``losses/``.

        Args:
            iteration: steps made so far.
            values: name to value.
            seconds: spent on the parts of the steps since the last log line.
        """
        self._append("training.jsonl", {"iter": iteration, **values, "seconds": seconds})
        for name, value in values.items():
            self._scalar(f"losses/{name}" if name.startswith("l_") else name, value, iteration)

    def tasks(
        self,
        iteration: int,
        columns: Mapping[str, Mapping[str, float]],
        counts: Mapping[str, float] | None = None,
    ) -> None:
        """Per-task values of a log line, e.g. ``{"loss": {task: value}}``.

        Tensorboard gets every task of up to 64, and quartiles of more.

        Args:
            iteration: steps made so far.
            columns: quantity to task to value.
            counts: quantities that are no task's own.
        """
        self._append("strategy.jsonl", {"iter": iteration, **columns, **(counts or {})})
        for name, value in (counts or {}).items():
            self._scalar(f"tasks/{name}", value, iteration)
        self._curves(iteration, columns)

    def decision(self, iteration: int, columns: Mapping[str, Mapping[str, float]]) -> None:
        """What a strategy decided before the step after ``iteration`` steps, by quantity and task.

        A line of its own in strategy.jsonl: ``{"iter": ..., "decision": {quantity: {task: ...}}}``.
        """
        self._append("strategy.jsonl", {"iter": iteration, "decision": columns})
        self._curves(iteration, columns)

    def validation(
        self,
        iteration: int | None,
        rows: Sequence[Row],
        means: Mapping[str, Mapping[str, float]],
    ) -> None:
        """Per-task rows and, for tensorboard, the means over tasks by data set and metric."""
        for row in rows:
            self._append("metrics.jsonl", row)
        if iteration is None:
            return
        for row in rows:
            for name in metric_names([row]):
                self._scalar(f"metrics/{row['dataset']}/{name}/{row['task']}", row[name], iteration)
        for dataset, values in means.items():
            for name, value in values.items():
                self._scalar(f"metrics/{dataset}/{name}", value, iteration)

    def skipped(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Samples because of which a step was skipped."""
        for fault in faults:
            self._append("nonfinite.jsonl", fault)

    def spent(self, iteration: int, part: str, seconds: float) -> None:
        """Seconds spent on something beside the steps."""
        self._append("training.jsonl", {"iter": iteration, "seconds": {part: seconds}})

    def images(self, iteration: int, pictures: Mapping[str, npt.NDArray[np.uint8]]) -> None:
        """Pictures ``[H, W, C]`` for tensorboard, by tag."""
        if self._writer is not None:
            for tag, picture in pictures.items():
                self._writer.add_image(tag, picture, iteration, dataformats="HWC")

    def close(self) -> None:
        """Finish the event file."""
        if self._writer is not None:
            self._writer.close()

    def _append(self, name: str, record: Mapping[str, Any]) -> None:
        with (self._folder / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(_finite(record), allow_nan=False) + "\n")

    def _curves(self, iteration: int, columns: Mapping[str, Mapping[str, float]]) -> None:
        if self._writer is None:
            return
        for column, by_task in columns.items():
            if column.startswith(COSINES):
                continue  # tasks x tasks curves show nothing; the report has the matrix
            finite = {task: value for task, value in by_task.items() if math.isfinite(value)}
            if len(by_task) > _CURVES:
                finite = _quartiles(list(finite.values()))
            for task, value in finite.items():
                self._scalar(f"tasks/{column}/{task}", value, iteration)

    def _scalar(self, name: str, value: float, iteration: int) -> None:
        if self._writer is not None:
            self._writer.add_scalar(name, value, iteration)


def _quartiles(values: Sequence[float]) -> dict[str, float]:
    """Smallest value, quartiles and largest value; nothing of nothing."""
    if not values:
        return {}
    cuts = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
    return {f"quartile_{i}": cut for i, cut in enumerate(cuts)}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The records of a JSON-lines file; none if there is no such file.

    A last line without its end was cut short when a run was killed, and is left out.
    """
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines() if line]


def _forget_after(path: Path, iteration: int) -> None:
    """Keep the whole lines of a JSON-lines file up to an iteration.

    Decisions are made before the next step, so those of the iteration itself will be made again.
    """
    if not path.is_file():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue  # cut short when the earlier run was killed
        at = record["iter"] or 0
        if at < iteration or (at == iteration and "decision" not in record):
            kept.append(line if line.endswith("\n") else f"{line}\n")
    write_atomically("".join(kept).encode(), path)


def _finite(value: Any) -> Any:
    """JSON has no infinity and no NaN; both become null."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
