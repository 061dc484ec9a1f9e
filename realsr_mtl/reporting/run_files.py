"""The plain files of a run folder, read where they are asked for."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from realsr_mtl.errors import UserError
from realsr_mtl.reporting.run_record import read_sessions
from realsr_mtl.reporting.scores import (
    BICUBIC,
    TESTED,
    ImageRow,
    read_masses,
    read_scores,
    score_file,
    scored_iterations,
)
from realsr_mtl.reporting.tables import KEYS, Row
from realsr_mtl.reporting.tracker import read_lines


class RunFiles:
    """``experiments/<name>`` or ``results/<name>``, as train.py and test.py leave them.

    Args:
        root: the folder.

    Raises:
        UserError: it is none (there is no config.yml).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        if not (root / "config.yml").is_file():
            raise UserError(f"'{root}' is no folder of train.py or test.py: it holds no config.yml")

    @cached_property
    def options(self) -> dict[str, Any]:
        """Every option, resolved."""
        text = (self.root / "config.yml").read_text(encoding="utf-8")
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError:
            found = None
        if not isinstance(found, dict):
            raise UserError(f"'{self.root / 'config.yml'}' is damaged")
        return found

    @property
    def name(self) -> str:
        """Of the experiment."""
        return str(self.options.get("name", self.root.name))

    @property
    def seed(self) -> str:
        """Seed of the training."""
        return str(self.options.get("manual_seed", 0))

    @cached_property
    def better(self) -> dict[str, str]:
        """Metric to "higher" or "lower", the leading one first."""
        metrics = (self.options.get("val") or {}).get("metrics") or {}
        return {name: str(m.get("better") or "higher") for name, m in metrics.items()}

    @cached_property
    def differences(self) -> list[str]:
        """One line for each option that is not at its default."""
        file = self.root / "config_diff.txt"
        return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []

    @cached_property
    def tasks(self) -> list[dict[str, Any]]:
        """The tasks trained on: name, natural mass, and what they are."""
        file = self.root / "tasks.json"
        return list(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else []

    @cached_property
    def masses(self) -> dict[str, float]:
        """Natural masses of the tasks, also of those validated only."""
        return read_masses(self.root)

    @cached_property
    def sessions(self) -> list[dict[str, Any]]:
        """What ran, the latest last."""
        return read_sessions(self.root)

    @cached_property
    def validations(self) -> list[Row]:
        """A row for each validation, data set and task; of a test from its metrics.csv."""
        file = self.root / "metrics.csv"
        if not file.is_file():
            return read_lines(self.root / "metrics.jsonl")
        with file.open(newline="", encoding="utf-8") as stream:
            return [_row(cells) for cells in csv.DictReader(stream)]

    @cached_property
    def training(self) -> list[dict[str, Any]]:
        """A record for each log line: losses, learning rate, seconds."""
        return read_lines(self.root / "training.jsonl")

    @cached_property
    def strategy(self) -> list[dict[str, Any]]:
        """A record for each log line and decision: values by task."""
        return read_lines(self.root / "strategy.jsonl")

    @property
    def datasets(self) -> list[str]:
        """Names of the validation sets."""
        return list(dict.fromkeys(row["dataset"] for row in self.validations))

    def last_iteration(self, dataset: str) -> int | None:
        """Of the last validation."""
        own = (r["iter"] for r in self.validations if r["dataset"] == dataset)
        return max((i for i in own if i is not None), default=None)

    def last_scores(self, dataset: str) -> tuple[int | None, list[ImageRow]]:
        """Iteration and scores of single images of the last validation, or of the test.

        Raises:
            UserError: there are none.
        """
        iterations = scored_iterations(self.root, dataset)
        if iterations:
            return iterations[-1], read_scores(score_file(self.root, dataset, iterations[-1]))
        tested = score_file(self.root, dataset, TESTED)
        if tested.is_file():
            return None, read_scores(tested)
        raise UserError(
            f"'{self.root}' holds no scores of single images of '{dataset}'; a run of an earlier "
            f"version gets them by: python realsr_mtl/test.py -opt {self.root / 'config.yml'} "
            "(then give the folder in results)"
        )

    def bicubic_scores(self, dataset: str) -> list[ImageRow]:
        """Scores of bicubic up-scaling; none if it was not scored."""
        file = score_file(self.root, dataset, BICUBIC)
        return read_scores(file) if file.is_file() else []

    def beside(self, path: str) -> Path | None:
        """A file or folder that an option names: as it stands, or as seen from this folder."""
        given = Path(path)
        base = self.root.resolve()
        places = [given, base.parent / given.name, base.parent.parent / given]
        return next((place for place in places if place.exists()), None)


def _row(cells: Mapping[str, str]) -> Row:
    row: Row = {key: cells[key] for key in KEYS}
    row["iter"] = int(cells["iter"]) if cells["iter"] else None
    row["images"] = int(cells["images"])
    for name in cells.keys() - row.keys():
        row[name] = float(cells[name]) if cells[name] else None
    return row
