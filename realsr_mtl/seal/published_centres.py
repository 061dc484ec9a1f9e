"""SEAL's released file of 100 centres, read into records of this package.

One case a line, ``c s s/STRING``: number of the cluster, number of the sample in the pool, twice,
and the parameters in the words of the generator that made them. Nothing of that file is part of
this package: it has no licence, so users point to their own copy.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realsr_mtl.degradations import SAMPLERS
from realsr_mtl.errors import UserError
from realsr_mtl.seal.published_bsrgan import bsrgan_record
from realsr_mtl.seal.published_real_esrgan import FLAT, real_esrgan_record
from realsr_mtl.seal.tags import tags
from realsr_mtl.tasks import Case

SPACES: Mapping[str, Mapping[str, Any]] = {
    "RealESRGAN": {**FLAT, "resize_range": (0.1, 2), "resize_range2": (0.05, 20)},
    "BSRGAN": {"type": "BSRGAN"},
}
"""Spaces that the centres are points of; factors of the second resize are of another size here."""

_FAMILIES: Mapping[str, tuple[str, Callable[[str], tuple[dict[str, Any], list[str]]]]] = {
    "FisrtOrder": ("RealESRGAN", real_esrgan_record),  # as it is spelt there
    "shuffleorder": ("BSRGAN", bsrgan_record),
}
_LINE = re.compile(r"(\d+)\s+(\d+)\s+(\d+)/(.+)")


@dataclass(frozen=True)
class Centres:
    """What a file of centres holds.

    Attributes:
        cases: named by their row in the released tables, from 0; of equal weights.
        records: one for each of them.
        families: name of every line to family, also of those that cannot be expressed.
        left_out: name to the reason why this package has no such record.
        notes: what is other than there, and in how many lines.
    """

    cases: list[Case] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    families: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)


def read_centres(file: str | Path) -> Centres:
    """Read a file of centres.

    Raises:
        UserError: no such file, a line of another form or of an unknown generator.
    """
    try:
        lines = Path(file).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise UserError(f"file of centres '{file}' does not exist") from None
    lines = [line.strip() for line in lines if line.strip()]
    found = Centres()
    for row, line in enumerate(lines):
        try:
            _add(found, str(row), line, 1 / len(lines))
        except (ValueError, IndexError, KeyError) as error:
            raise UserError(f"line {row + 1} of '{file}' is no centre of SEAL: {error}") from None
    if not found.cases:
        raise UserError(f"'{file}' holds no centre that this package can express")
    return found


def _add(found: Centres, name: str, line: str, weight: float) -> None:
    parts = _LINE.fullmatch(line)
    if parts is None:
        raise ValueError("it is not of the form 'cluster sample sample/parameters'")
    text = parts[4]
    kind = text.partition("_")[0]
    if kind not in _FAMILIES:
        raise ValueError(f"'{kind}' is no generator; there are {', '.join(_FAMILIES)}")
    family, parse = _FAMILIES[kind]
    found.families[name] = family
    sampler = SAMPLERS.build(SPACES[family], 4)
    empty = dict.fromkeys(sampler.space.parameters)
    try:
        values, notes = parse(text)
        record = {"pipeline": sampler.pipeline, "scale": 4, **empty, **values}
        sampler.space.check_point(record)
    except NotImplementedError as error:
        found.left_out[name] = str(error)
        return
    found.notes.update(set(notes))
    found.cases.append(Case(name, family, weight, SPACES[family], tags(record)))
    found.records.append(record)
