"""Degradation spaces: independent draws, each a choice between branches of uniform pieces.

A space is described, not programmed. One *draw* (say, the second noise) chooses one *branch*
(Gaussian or Poisson); a branch gives each of its parameters a *mixture* of uniform pieces, an atom
being a piece of width zero. Every such space can be sampled exactly, restricted exactly to a
region (truncated draws, no rejection), and its region's probability has a closed form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from realsr_mtl.degradations.distributions import Interval, Mixture, Piece, Region, normalised
from realsr_mtl.degradations.streams import RandomStreams


@dataclass(frozen=True)
class Parameter:
    """One number of a degradation record.

    Attributes:
        name: key in records and regions.
        unit: unit or meaning of the value.
        text: one sentence for the documentation.
        integer: the value is a whole number (a size, a quality, a code).

    In the record of a sample whose branch has no such parameter it is NaN (null in JSON).
    """

    name: str
    unit: str
    text: str
    integer: bool = False


@dataclass(frozen=True)
class Branch:
    """One alternative of a draw: its probability and the parameters it sets."""

    probability: float
    parameters: Mapping[str, Mixture]


@dataclass(frozen=True)
class Draw:
    """An independent random choice of the space (one operator, as a rule).

    Attributes:
        name: of the draw and its operator.
        branches: the alternatives.
        others: further operators that are drawn together with it, and their parameters.
    """

    name: str
    branches: tuple[Branch, ...]
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Space:
    """A product of independent draws.

    Args:
        parameters: every parameter, in the order of the record.
        draws: the draws; a parameter belongs to one of them, or to none where
            the options exclude it.
    """

    def __init__(self, parameters: Sequence[Parameter], draws: Sequence[Draw]) -> None:
        self.parameters = {p.name: p for p in parameters}
        self.draws = tuple(draws)
        owner: dict[str, str] = {}
        for draw in self.draws:
            normalised([b.probability for b in draw.branches])
            for name in {n for b in draw.branches for n in b.parameters}:
                if owner.setdefault(name, draw.name) != draw.name:
                    raise ValueError(f"parameter '{name}' belongs to two draws")
        if not owner.keys() <= self.parameters.keys():
            raise ValueError(f"undescribed parameters: {owner.keys() - self.parameters.keys()}")
        self.owner = owner

    def mass(self, region: Region) -> float:
        """Probability of a region in closed form."""
        self._check(region)
        if any(i.absent is False for name, i in region.items() if name not in self.owner):
            return 0.0  # no sample has this parameter
        return math.prod(
            math.fsum(w for w, _ in _restricted_branches(draw, region)) for draw in self.draws
        )

    def operators(self) -> dict[str, list[str]]:
        """The parameters of every operator, as far as samples have them."""
        found: dict[str, list[str]] = {}
        for name in self.parameters:
            draw = next((d for d in self.draws if self.owner.get(name) == d.name), None)
            if draw is not None:
                part = (o for o, names in draw.others.items() if name in names)
                found.setdefault(next(part, draw.name), []).append(name)
        return found

    def ranges(self) -> dict[str, tuple[float, float] | None]:
        """Smallest and largest value of every parameter; None where no sample has it."""
        found: dict[str, tuple[float, float] | None] = dict.fromkeys(self.parameters)
        for draw in self.draws:
            for branch in (b for b in draw.branches if b.probability > 0):
                for name, mixture in branch.parameters.items():
                    low, high = mixture.range()
                    known = found[name] or (low, high)
                    found[name] = (min(low, known[0]), max(high, known[1]))
        return found

    def sampler(self, regions: Sequence[Region]) -> RegionSampler:
        """Tables that draw from any of the given regions, a different one for every sample."""
        for region in regions:
            if self.mass(region) <= 0:
                bounds = {name: interval.to_json() for name, interval in region.items()}
                raise ValueError(f"region {bounds} has no probability in this space")
        return RegionSampler(self, regions)

    def check_point(self, record: Mapping[str, float | None]) -> None:
        """Refuse a record that this space cannot draw.

        Raises:
            ValueError: the sentence names the draw and its values.
        """
        for draw in self.draws:
            names = [name for name in record if self.owner.get(name) == draw.name]
            given = {name: value for name in names if (value := record[name]) is not None}
            fits = (
                branch.parameters.keys() == given.keys()
                and all(m.holds(given[name]) for name, m in branch.parameters.items())
                for branch in draw.branches
                if branch.probability > 0
            )
            if not any(fits):
                raise ValueError(f"'{draw.name}' cannot be drawn from this space: {given}")

    def _check(self, region: Region) -> None:
        for name in region:
            if name not in self.parameters:
                raise ValueError(
                    f"'{name}' is no parameter of this space; it has {', '.join(self.parameters)}"
                )


class RegionSampler:
    """Exact draws from regions of a space, vectorised over samples.

    Every parameter takes one uniform number and every draw one for its branch; both go through
    inverse distribution functions, so a sample depends on its own random numbers only.
    """

    def __init__(self, space: Space, regions: Sequence[Region]) -> None:
        self.space = space
        names = list(space.parameters)
        draws = list(space.draws)
        branches = max(len(d.branches) for d in draws)
        tables = [[_restricted_branches(d, region) for d in draws] for region in regions]
        widest = max(
            (len(p) for t in tables for row in t for _, named in row for p in named.values()),
            default=1,
        )
        shape = (len(regions), len(names), branches, widest)
        self._branch_cdf = np.ones((len(regions), len(draws), branches))
        self._piece_cdf = np.ones(shape)
        self._low = np.full(shape, np.nan)
        self._high = np.full(shape, np.nan)
        order = {draw.name: position for position, draw in enumerate(draws)}
        self._draw_of = np.array([order[space.owner.get(n, draws[0].name)] for n in names])
        self._integer = np.array([space.parameters[n].integer for n in names])
        for r, table in enumerate(tables):
            for d, row in enumerate(table):
                self._branch_cdf[r, d, : len(row)] = _cdf([w for w, _ in row])
                for b, (_, by_name) in enumerate(row):
                    for name, parts in by_name.items():
                        if not parts:
                            continue
                        p, n = names.index(name), len(parts)
                        self._piece_cdf[r, p, b, :n] = _cdf([q.probability for q in parts])
                        self._low[r, p, b, :n] = [q.low for q in parts]
                        self._high[r, p, b, :n] = [q.high for q in parts]

    def sample(self, region: Tensor, index: Tensor, streams: RandomStreams) -> dict[str, Tensor]:
        """Draw one record for each sample.

        Args:
            region: int64 ``[B]``, which region each sample comes from.
            index: int64 ``[B]``, global sample numbers.
            streams: the random streams.

        Returns:
            Parameter name to float64 ``[B]`` on the CPU (whole numbers for integer parameters).
        """
        count = len(self.space.draws) + len(self.space.parameters)
        u = streams.uniform("degradation", index.cpu(), count).numpy()
        r = region.cpu().numpy()
        u_branch, u_piece = u[:, : len(self.space.draws)], u[:, len(self.space.draws) :]
        branch = (u_branch[..., None] >= self._branch_cdf[r]).sum(-1)[:, self._draw_of]
        at = (r[:, None], np.arange(len(self._draw_of)), branch)
        cdf = self._piece_cdf[at]
        piece = (u_piece[..., None] >= cdf).sum(-1)[..., None]
        upper = np.take_along_axis(cdf, piece, -1)[..., 0]
        lower = np.where(piece > 0, np.take_along_axis(cdf, np.maximum(piece - 1, 0), -1), 0)[
            ..., 0
        ]
        low = np.take_along_axis(self._low[at], piece, -1)[..., 0]
        high = np.take_along_axis(self._high[at], piece, -1)[..., 0]
        value = low + (high - low) * ((u_piece - lower) / np.where(upper > lower, upper - lower, 1))
        last = np.nextafter(high, low)  # equal to high for an atom
        value = np.clip(value, low, last)
        value = np.where(self._integer, np.floor(value), value)
        return dict(zip(self.space.parameters, torch.from_numpy(value.T.copy()), strict=True))


def _restricted_branches(
    draw: Draw, region: Region
) -> list[tuple[float, dict[str, tuple[Piece, ...]]]]:
    result = []
    weights = normalised([b.probability for b in draw.branches])
    names = {name for branch in draw.branches for name in branch.parameters}
    for weight, branch in zip(weights, draw.branches, strict=True):
        pieces = {}
        for name, mixture in branch.parameters.items():
            mass, pieces[name] = mixture.restricted(region.get(name, Interval()))
            weight *= mass
        lacking = names - branch.parameters.keys()
        if any(region[name].absent is False for name in lacking if name in region):
            weight = 0.0
        result.append((weight, pieces))
    return result


def _cdf(weights: Sequence[float]) -> list[float]:
    total = math.fsum(weights)
    if total <= 0:
        return [1.0] * len(weights)
    cdf = [math.fsum(weights[: i + 1]) / total for i in range(len(weights))]
    last = max(i for i, w in enumerate(weights) if w > 0)
    return [1.0 if i >= last else c for i, c in enumerate(cdf)]
