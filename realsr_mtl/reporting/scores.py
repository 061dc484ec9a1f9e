"""Scores of single images: one CSV file for each data set and validation."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from realsr_mtl.errors import UserError
from realsr_mtl.writing import write_atomically

BICUBIC = "bicubic"
"""Label of the scores of bicubic up-scaling, in place of an iteration."""

TESTED = "test"
"""Label of the scores that test.py writes."""

_MASSES = "masses.json"
_KEYS = ("image", "task", "checksum")


@dataclass(frozen=True)
class ImageRow:
    """Metrics of one restored image.

    Attributes:
        image, task: what it is.
        checksum: of the pixels that were restored and compared with.
        values: metric to value.
    """

    image: str
    task: str
    checksum: str
    values: Mapping[str, float] = field(default_factory=dict)


def score_file(folder: Path, dataset: str, label: int | str) -> Path:
    """``scores/<dataset>_<label>.csv`` of a run folder; the label is an iteration, mostly."""
    return folder / "scores" / f"{dataset}_{label}.csv"


def write_scores(
    folder: Path, dataset: str, label: int | str, rows: Sequence[ImageRow]
) -> Path | None:
    """Write the scores of a data set, whole or not at all; None where there are no metrics.

    Values are written so that reading gives the same bits.
    """
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    if not names:
        return None
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*_KEYS, *names])
    for row in rows:
        values = ["" if (v := row.values.get(name)) is None else repr(float(v)) for name in names]
        writer.writerow([row.image, row.task, row.checksum, *values])
    file = score_file(folder, dataset, label)
    write_atomically(text.getvalue().encode(), file)
    return file


def read_scores(file: Path) -> list[ImageRow]:
    """The rows of a file.

    Raises:
        UserError: the file is none of `write_scores`.
    """
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            names = [n for n in reader.fieldnames or () if n not in _KEYS]
            return [
                ImageRow(
                    row["image"],
                    row["task"],
                    row["checksum"],
                    {name: float(row[name]) for name in names if row[name]},
                )
                for row in reader
            ]
    except (KeyError, TypeError, ValueError):
        raise UserError(f"'{file}' is no table of scores of images") from None


def scored_iterations(folder: Path, dataset: str) -> list[int]:
    """Iterations whose scores are kept, in order."""
    parts = (f.stem.rpartition("_") for f in (folder / "scores").glob("*.csv"))
    return sorted(int(label) for name, _, label in parts if name == dataset and label.isdigit())


def write_masses(folder: Path, masses: Mapping[str, float]) -> None:
    """Write the natural masses of the validated tasks; those trained on may be others (TGSR)."""
    text = json.dumps(masses, indent=2) + "\n"
    write_atomically(text.encode(), folder / "scores" / _MASSES)


def read_masses(folder: Path) -> dict[str, float]:
    """Task to natural mass: of the validated tasks and of those in tasks.json."""
    found: dict[str, float] = {}
    tasks, own = folder / "tasks.json", folder / "scores" / _MASSES
    if tasks.is_file():
        for entry in json.loads(tasks.read_text(encoding="utf-8")):
            if entry.get("mass") is not None:
                found[str(entry["name"])] = float(entry["mass"])
    if own.is_file():
        found |= json.loads(own.read_text(encoding="utf-8"))
    return found


def forget_scores_after(folder: Path, iteration: int) -> None:
    """Remove the scores of later iterations, which a resumed run writes again."""
    for file in (folder / "scores").glob("*_*.csv"):
        label = file.stem.rpartition("_")[2]
        if label.isdigit() and int(label) > iteration:
            file.unlink()
