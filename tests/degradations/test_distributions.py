from __future__ import annotations

import math

import pytest
import torch

from realsr_mtl.degradations.distributions import (
    Interval,
    choice,
    constant,
    integers,
    mix,
    normalised,
    uniform,
)

ONE_SIDED = [Interval(min=2.0), Interval(max=2.0), Interval(above=2.0), Interval(below=2.0)]


@pytest.mark.parametrize(
    ("interval", "inside"),
    [
        (Interval(), [True, True, True, True]),
        (Interval(min=2.0), [False, True, True, True]),
        (Interval(above=2.0), [False, False, True, True]),
        (Interval(max=2.0), [True, True, False, True]),
        (Interval(below=2.0), [True, False, False, True]),
        (Interval(min=2.0, max=2.0), [False, True, False, True]),
        (Interval(above=2.0, below=2.0), [False, False, False, True]),
    ],
)
def test_interval_bounds_are_closed_or_open_and_nan_does_not_bind(interval, inside):
    values = torch.tensor([2 - 1e-15, 2.0, 2 + 1e-15, math.nan], dtype=torch.float64)
    assert interval.contains(values).tolist() == inside


@pytest.mark.parametrize("interval", ONE_SIDED)
def test_complement_holds_exactly_the_other_values(interval):
    values = torch.linspace(0, 4, 9, dtype=torch.float64)
    other = interval.complement()
    assert torch.equal(interval.contains(values), ~other.contains(values))
    assert other.complement() == interval


@pytest.mark.parametrize("absent", [True, False])
def test_absent_values_lie_on_one_side(absent):
    values = torch.tensor([1.0, 3.0, math.nan])
    interval = Interval(max=2, absent=absent)
    assert interval.contains(values).tolist() == [True, False, absent]
    other = interval.complement()
    assert other == Interval(above=2, absent=not absent)
    assert other.contains(values).tolist() == [False, True, not absent]
    assert Interval(**interval.to_json()) == interval


def test_ranges_leave_out_what_has_no_probability():
    assert uniform(0.5, 3).range() == (0.5, 3)
    assert integers(30, 95).range() == (30, 95)
    assert mix([(1, choice((7, 9))), (0, uniform(0, 100))]).range() == (7, 9)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"min": 1, "absent": 0.5}, "'absent' is true or false, found 0.5"),
        ({"min": 1, "above": 1}, "'min' or 'above'"),
        ({"max": 1, "below": 1}, "'max' or 'below'"),
        ({"min": "0.4"}, "must be a number, found '0.4'"),
        ({"below": math.nan}, "must be a number, found nan"),
    ],
)
def test_interval_refuses_bounds(bounds, message):
    with pytest.raises(ValueError, match=message):
        Interval(**bounds)


@pytest.mark.parametrize("interval", [Interval(), Interval(min=0, max=1)])
def test_only_one_bound_has_a_complement(interval):
    with pytest.raises(ValueError, match="one bound"):
        interval.complement()


@pytest.mark.parametrize("interval", [*ONE_SIDED, Interval(min=2.5, below=7), Interval(above=2.5)])
def test_integer_mass_counts_the_integers_inside(interval):
    values = torch.arange(1, 9, dtype=torch.float64)
    mass, pieces = integers(1, 8).restricted(interval)
    assert mass == pytest.approx(interval.contains(values).double().mean().item())
    kept = {k for p in pieces for k in range(math.floor(p.low), math.ceil(p.high))}
    assert kept == {int(v) for v in values[interval.contains(values)]}


@pytest.mark.parametrize("interval", ONE_SIDED)
def test_masses_of_a_cut_add_up(interval):
    mixture = mix([(0.3, uniform(0, 4)), (0.5, constant(2)), (0.2, choice((1, 2, 5)))])
    sides = (interval, interval.complement())
    assert sum(mixture.restricted(side)[0] for side in sides) == pytest.approx(1)
    # the atoms at 2 lie on the closed side, 1 below it, 5 above it
    share = mixture.restricted(interval)[0]
    low = 0.15 + 0.2 / 3 + (0.5 + 0.2 / 3 if interval.max or interval.above else 0)
    assert share == pytest.approx(low if interval.max or interval.below else 1 - low)


def test_restriction_cuts_pieces_and_keeps_values_inside():
    mass, (piece,) = uniform(0, 10).restricted(Interval(above=2.5, max=5))
    assert mass == pytest.approx(0.25)
    assert piece.low == math.nextafter(2.5, 3) and piece.high == math.nextafter(5, 6)
    assert uniform(0, 10).restricted(Interval(min=10)) == (0, ())


def test_mixture_weights_are_normalised():
    mixture = mix([(1, constant(1)), (3, choice((2, 3), (1, 4)))])
    assert [p.low for p in mixture.pieces] == [1, 2, 3]
    assert [p.probability for p in mixture.pieces] == pytest.approx([0.25, 0.15, 0.6])


@pytest.mark.parametrize(
    "probabilities", [[], [0, 0], [1.5, -0.5], [math.nan, 1], [math.inf, 1]], ids=str
)
def test_probabilities_are_refused(probabilities):
    with pytest.raises(ValueError, match="must not be negative or all zero"):
        normalised(probabilities)


@pytest.mark.parametrize("make", [uniform, integers])
def test_backward_ranges_are_refused(make):
    with pytest.raises(ValueError, match="runs backwards"):
        make(2, 1)


@pytest.mark.parametrize("bounds", [(0, math.inf), (math.nan, 1), (-math.inf, 0)])
def test_endless_ranges_are_refused(bounds):
    with pytest.raises(ValueError, match="range"):
        uniform(*bounds)
