"""The acceptance and the excellence line of a set of cases, trained here or imported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from realsr_mtl.errors import UserError
from realsr_mtl.seal.relative import Column
from realsr_mtl.seal.tables import read_table

PREFIXES = {
    "acceptance": ("acceptance", "fsrcnn"),
    "excellence": ("excellence", "srresnet", "msrresnet"),
}
"""Headings ``<prefix>_<metric>`` of line tables: ours, and those of the released ones."""

NO_LINES = {"niqe"}
"""Metrics without reference get no lines: in the released ones the larger network is the worse one
in 83 of 100 cases."""

TAU = {"psnr": 0.1, "ssim": 0.01, "lpips": 0.01}
"""Least gap for a case to count, by metric: 0.1 dB and 0.01 are SEAL's, that of LPIPS is ours."""

_PARTS = ("cases", "images", "metrics", "recipe", "acceptance", "excellence")


@dataclass(frozen=True)
class Lines:
    """Both lines of every case.

    Attributes:
        names: the cases, ``[K]``.
        acceptance, excellence: metric to values ``[K]``.
        decimals: metric to the digits that the values are rounded to; None where they are not.
        about: what they were made of; ``{"file": ...}`` where they were imported.
        inputs: case to the checksum of its LQ images; empty where they were imported.
    """

    names: list[str]
    acceptance: Mapping[str, Column]
    excellence: Mapping[str, Column]
    decimals: Mapping[str, int | None]
    about: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the values by case, in any order."""
        content = {
            name: {
                metric: [float(self.acceptance[metric][i]), float(self.excellence[metric][i])]
                for metric in self.acceptance
            }
            for i, name in enumerate(self.names)
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_lines_file(file: str | Path) -> Lines:
    """Lines from ``lines.json`` of scripts/seal.py lines, or from a CSV file.

    Raises:
        UserError: no such file, or no lines in it.
    """
    path = Path(file)
    return _imported(path) if path.suffix.lower() == ".csv" else _trained(path)


def _imported(path: Path) -> Lines:
    table = read_table(path)
    found: dict[str, dict[str, str]] = {line: {} for line in PREFIXES}
    for heading in table.columns:
        prefix, _, metric = heading.rpartition("_")
        for line, known in PREFIXES.items():
            if prefix.lower() in known and metric.lower() not in NO_LINES:
                found[line][metric.lower()] = heading
    metrics = [metric for metric in found["acceptance"] if metric in found["excellence"]]
    if not metrics:
        raise UserError(
            f"table '{path}' has no pair of lines; columns are acceptance_<metric> and "
            "excellence_<metric>, or fsrcnn_<metric> and srresnet_<metric>"
        )
    columns = {line: {m: table.columns[found[line][m]] for m in metrics} for line in PREFIXES}
    decimals = {m: max(table.decimals[found[line][m]] for line in PREFIXES) for m in metrics}
    about = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return Lines(table.names, columns["acceptance"], columns["excellence"], decimals, about)


def _trained(path: Path) -> Lines:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        values: dict[str, Any] = content["values"]
        about = {part: content["about"][part] for part in _PARTS}
        metrics: Sequence[str] = content["lines_of"]
        columns = {
            line: {m: np.array([v[line][m] for v in values.values()]) for m in metrics}
            for line in PREFIXES
        }
        inputs = {name: str(value["inputs"]) for name, value in values.items()}
    except FileNotFoundError:
        raise UserError(
            f"there are no lines '{path}' (seen from {Path.cwd()}); train them with "
            "python scripts/seal.py lines, or import a table with --lines FILE.csv"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"'{path}' holds no lines of scripts/seal.py: {error}") from None
    decimals = dict.fromkeys(metrics)
    return Lines(
        list(values), columns["acceptance"], columns["excellence"], decimals, about, inputs
    )
