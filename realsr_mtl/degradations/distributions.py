"""One-dimensional distributions made of uniform pieces, and intervals to restrict them to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Interval:
    """A set of parameter values: ``min <= x``, ``x <= max``, ``x > above``, ``x < below``.

    ``absent`` tells whether samples without the parameter (NaN) belong to it; by default it does
    not bind them.
    """

    min: float | None = None
    max: float | None = None
    above: float | None = None
    below: float | None = None
    absent: bool | None = None

    def __post_init__(self) -> None:
        if self.min is not None and self.above is not None:
            raise ValueError("an interval takes 'min' or 'above', not both")
        if self.max is not None and self.below is not None:
            raise ValueError("an interval takes 'max' or 'below', not both")
        if not isinstance(self.absent, bool | None):
            raise ValueError(f"'absent' is true or false, found {self.absent!r}")
        for name, bound in self._bounds().items():
            if not isinstance(bound, int | float) or math.isnan(bound):
                raise ValueError(f"'{name}' of an interval must be a number, found {bound!r}")

    def contains(self, value: Tensor) -> Tensor:
        """Bool tensor: which values lie in the interval; NaN (no such parameter) as `absent`."""
        outside = value.isnan() & (self.absent is False)
        if self.min is not None:
            outside |= value < self.min
        if self.above is not None:
            outside |= value <= self.above
        if self.max is not None:
            outside |= value > self.max
        if self.below is not None:
            outside |= value >= self.below
        return ~outside

    def complement(self) -> Interval:
        """The other side of a one-sided interval."""
        swapped = {"min": "below", "below": "min", "max": "above", "above": "max"}
        if len(self._bounds()) != 1:
            raise ValueError("only an interval with one bound has one other side")
        absent = None if self.absent is None else not self.absent
        bounds = {swapped[name]: bound for name, bound in self._bounds().items()}
        return Interval(**bounds, absent=absent)

    def to_json(self) -> dict[str, float | bool]:
        """What is set."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def _bounds(self) -> dict[str, float]:
        return {name: value for name, value in self.to_json().items() if name != "absent"}


Region = Mapping[str, Interval]
"""Constraints by parameter name."""


@dataclass(frozen=True)
class Piece:
    """Uniform on [low, high), or the atom ``low`` when both are equal, with a probability."""

    probability: float
    low: float
    high: float


@dataclass(frozen=True)
class Mixture:
    """A distribution made of uniform pieces.

    Attributes:
        pieces: probabilities add up to 1.
        integer: values are rounded down; every integer of a piece [a, b) is equally likely.
    """

    pieces: tuple[Piece, ...]
    integer: bool = False

    def range(self) -> tuple[float, float]:
        """Smallest and largest value (the supremum of a half-open piece)."""
        parts = [p for p in self.pieces if p.probability > 0]
        open_end = [p.high - 1 if self.integer and p.high > p.low else p.high for p in parts]
        return min(p.low for p in parts), max(open_end)

    def holds(self, value: float) -> bool:
        """Whether a value can be drawn (both ends of a piece count)."""
        whole = not self.integer or value == math.floor(value)
        return whole and any(
            p.low <= value <= p.high - (self.integer and p.high > p.low)
            for p in self.pieces
            if p.probability > 0
        )

    def restricted(self, interval: Interval) -> tuple[float, tuple[Piece, ...]]:
        """Mass inside an interval, and the pieces there (probabilities not yet renormalised)."""
        low, high = _half_open(interval, self.integer)
        kept = []
        for piece in self.pieces:
            if piece.low == piece.high:
                if low <= piece.low < high:
                    kept.append(piece)
                continue
            a, b = max(piece.low, low), min(piece.high, high)
            if a < b:
                share = (b - a) / (piece.high - piece.low)
                kept.append(Piece(piece.probability * share, a, b))
        return math.fsum(p.probability for p in kept), tuple(kept)


def uniform(low: float, high: float) -> Mixture:
    """Uniform on [low, high)."""
    if not -math.inf < low <= high < math.inf:
        raise ValueError(f"range [{low}, {high}] runs backwards or has no finite ends")
    return Mixture((Piece(1.0, float(low), float(high)),))


def integers(low: int, high: int) -> Mixture:
    """Uniform on the integers low, ..., high, both included."""
    if not low <= high:
        raise ValueError(f"range [{low}, {high}] runs backwards")
    return Mixture((Piece(1.0, float(low), float(high + 1)),), integer=True)


def choice(values: Sequence[float], probabilities: Sequence[float] | None = None) -> Mixture:
    """One of the given values, equally likely by default."""
    p = normalised(probabilities or [1.0] * len(values))
    return Mixture(tuple(Piece(q, float(v), float(v)) for q, v in zip(p, values, strict=True)))


def constant(value: float) -> Mixture:
    """Always the same value."""
    return choice([value])


def mix(parts: Sequence[tuple[float, Mixture]]) -> Mixture:
    """A mixture of mixtures with the given probabilities."""
    weights = normalised([w for w, _ in parts])
    return Mixture(
        tuple(
            Piece(w * p.probability, p.low, p.high)
            for w, (_, m) in zip(weights, parts, strict=True)
            for p in m.pieces
        ),
        integer=any(m.integer for _, m in parts),
    )


def normalised(probabilities: Sequence[float]) -> list[float]:
    """Probabilities scaled to the sum 1; refuses negative ones and a sum of zero or NaN."""
    total = math.fsum(probabilities)
    if not 0 < total < math.inf or min(probabilities) < 0:
        raise ValueError(f"probabilities {list(probabilities)} must not be negative or all zero")
    return [p / total for p in probabilities]


def _half_open(interval: Interval, integer: bool) -> tuple[float, float]:
    """The interval as [low, high) in floating point."""
    low, high = -math.inf, math.inf
    if interval.min is not None:
        low = math.ceil(interval.min) if integer else interval.min
    if interval.above is not None:
        low = (
            math.floor(interval.above) + 1 if integer else math.nextafter(interval.above, math.inf)
        )
    if interval.max is not None:
        high = math.floor(interval.max) + 1 if integer else math.nextafter(interval.max, math.inf)
    if interval.below is not None:
        high = math.ceil(interval.below) if integer else interval.below
    return float(low), float(high)
