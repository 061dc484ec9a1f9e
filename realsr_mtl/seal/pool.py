"""A pool of records of one or several degradation spaces, and what they do to a reference image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from realsr_mtl.degradations import (
    SAMPLERS,
    DegradationParameters,
    RandomStreams,
    degrade,
    stable_index,
)
from realsr_mtl.errors import UserError, suggest
from realsr_mtl.seal.histograms import Histograms, histogram
from realsr_mtl.seal.published_real_esrgan import FLAT

PRESETS: Mapping[str, Mapping[str, Any]] = {"flat": FLAT}
"""Families beside the registered degradations: ``flat``, like the space of the published cases."""


@dataclass(frozen=True)
class Family:
    """A degradation space and its part of the pool."""

    name: str
    space: Mapping[str, Any]
    share: float


@dataclass(frozen=True)
class Pool:
    """Records in the order they were drawn.

    Attributes:
        families: name of each record's family, ``[N]``.
        spaces: the block of each family.
        records: one batch of a single record for each, with seeds of their noise.
        seed: of the draws.
    """

    families: list[str]
    spaces: Mapping[str, Mapping[str, Any]]
    records: list[DegradationParameters]
    seed: int

    def __len__(self) -> int:
        return len(self.records)

    def json(self, place: int) -> dict[str, Any]:
        """A record as JSON."""
        return self.records[place].to_json()[0]


def parse_families(texts: Sequence[str], known: Mapping[str, Family]) -> list[Family]:
    """Families from ``NAME=SHARE`` texts.

    Args:
        texts: NAME is one of ``known``, of the registered degradations (with their default
            options), or of `PRESETS`.
        known: the families of an option file.

    Raises:
        UserError: no such degradation, or no positive share.
    """
    found = []
    for text in texts:
        name, _, number = text.partition("=")
        try:
            share = float(number)
        except ValueError:
            share = 0.0
        if not 0 < share < float("inf"):
            raise UserError(f"--family '{text}' is not of the form NAME=SHARE, e.g. BSRGAN=0.5")
        if name in known:
            space = known[name].space
        elif name in PRESETS:
            space = PRESETS[name]
        elif name in SAMPLERS:
            space = SAMPLERS.check({"type": name})
        else:
            names = [*known, *PRESETS, *SAMPLERS]
            raise UserError(f"--family: there is no degradation '{name}'{suggest(name, names)}")
        found.append(Family(name, space, share))
    if len({family.name for family in found}) < len(found):
        raise UserError("--family names a degradation twice")
    return found


def draw_pool(families: Sequence[Family], count: int, scale: int, seed: int) -> Pool:
    """Records of independently drawn families.

    More records leave the first ones as they are. Nothing here is drawn by the same numbers as the
    points of a task grouping, also with an equal seed.

    Args:
        families: with shares, scaled to the sum 1.
        count: number of records, N.
        scale: HR over LQ side.
        seed: of everything.
    """
    streams = RandomStreams(seed)
    index = torch.tensor([stable_index("case pool", str(i)) for i in range(count)])
    shares = torch.tensor([family.share for family in families], dtype=torch.float64)
    limits = (shares / shares.sum()).cumsum(0)[:-1]
    uniform = streams.uniform("family", index, 1)[:, 0]
    family = torch.searchsorted(limits, uniform, right=True)
    records: list[DegradationParameters] = [None] * count  # type: ignore[list-item]
    for number, own in enumerate(families):
        places = (family == number).nonzero()[:, 0]
        drawn = SAMPLERS.build(own.space, scale).sample(index[places], streams)
        for row, place in enumerate(places.tolist()):
            records[place] = drawn.select([row])
    names = [families[number].name for number in family.tolist()]
    return Pool(names, {own.name: own.space for own in families}, records, seed)


def degraded_histograms(pool: Pool, references: Sequence[Tensor]) -> Histograms:
    """What every record makes of the references, as histograms ``[N, 768 n]``.

    Args:
        pool: N records; each has one field of noise for all references.
        references: ``[3, H, W]`` float32 in [0, 1], n images.
    """

    def one(place: int) -> Any:
        made = [degrade(image[None], pool.records[place])[0] for image in references]
        return histogram([(image * 255).round().byte().numpy() for image in made])

    # one image a thread: their results do not depend on the number of threads
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        made = threads.map(one, range(len(pool)))
        rows = list(tqdm(made, "pool", len(pool), leave=False, disable=None))
    return np.stack(rows)
