"""Examples on disk: pictures, and a list that says what they show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from realsr_mtl.errors import UserError
from realsr_mtl.writing import write_atomically

FOLDER = "images"
_FILE = "gallery.json"


@dataclass(frozen=True)
class Tile:
    """A picture: its file in the gallery's folder, and its name."""

    file: str
    name: str


@dataclass(frozen=True)
class Example:
    """A restored image beside its input and its reference.

    Attributes:
        task, image: what it is.
        kind: "best" or "worst" of its task.
        values: metric to score of the restored image.
        bicubic: the same of bicubic up-scaling.
        tiles: the pictures.
        record: the degradation record; empty for given pairs.
    """

    task: str
    image: str
    kind: str
    values: Mapping[str, float]
    bicubic: Mapping[str, float]
    tiles: Sequence[Tile]
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Gallery:
    """Examples and what is to be said about all of them.

    Attributes:
        dataset, metric: of which, by which they were chosen.
        iteration: of the validation.
        notes: sentences.
        examples: in the order of the tasks.
    """

    dataset: str
    metric: str
    iteration: int | None
    notes: Sequence[str]
    examples: Sequence[Example]


def write_gallery(gallery: Gallery, report: Path) -> None:
    """Write the list beside its pictures, in ``images`` of the report's folder."""
    text = json.dumps(asdict(gallery), indent=1) + "\n"
    write_atomically(text.encode(), report / FOLDER / _FILE)


def read_gallery(report: Path) -> Gallery | None:
    """The gallery of a report, or None where there is none."""
    file = report / FOLDER / _FILE
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        examples = [
            Example(**{**e, "tiles": [Tile(**t) for t in e["tiles"]]}) for e in content["examples"]
        ]
        return Gallery(**{**content, "examples": examples})
    except (ValueError, KeyError, TypeError):
        raise UserError(
            f"'{file}' is damaged; remove its folder and draw the report again"
        ) from None
