"""The worked examples are those of the released tables, recomputed."""

from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.seal.relative import Relative, relative

A = np.array([23.2, 24.0, 22.0, 25.0, 22.0])
E = np.array([23.6, 24.4, 22.05, 25.5, 22.3])
Q = np.array([23.0, 24.2, 21.9, 25.6, 22.4])


def rounded(own: Relative) -> dict[str, float]:
    return {name: round(value, 5) for name, value in own.measures().items()}


def test_worked_example_of_five_cases():
    own = relative(Q, A, E, tau=0.1)
    assert own.valid.tolist() == [True, True, False, True, True]
    assert own.ratio.round(5).tolist() == [0.37754, 0.62246, 0.76852, 0.79139]
    assert [round(q, 5) for q in own.quartiles] == [0.56123, 0.77424]
    assert rounded(own) == {
        "AR": 0.75,
        "RPR_I": 0.21301,
        "RPR_A": 0.72746,
        "RPR_U": 0.37754,
        "RPR": 0.63998,
    }


def test_worked_example_without_the_filter():
    own = rounded(relative(Q, A, E, tau=0.01))
    assert own == {
        "AR": 0.6,
        "RPR_I": 0.39098,
        "RPR_A": 0.72746,
        "RPR_U": 0.24837,
        "RPR": 0.53582,
    }


@pytest.mark.parametrize(
    ("score", "lines", "ratio"),
    [
        (25.068, (25.239, 25.344), 0.1640),
        (25.228, (25.239, 25.344), 0.4738),
        (24.877, (25.239, 25.344), 0.0308),
        (25.890, (25.239, 25.344), 0.9980),
        (24.915, (25.239, 25.344), 0.0437),
        (22.586, (25.239, 25.344), 0.0),
        (23.760, (23.455, 23.717), 0.7621),
        (23.451, (23.455, 23.717), 0.4962),
        (23.354, (23.455, 23.717), 0.4048),
    ],
)
def test_worked_examples_of_single_cases(score, lines, ratio):
    own = relative(np.array([score]), np.array([lines[0]]), np.array([lines[1]]), tau=0.1)
    assert round(float(own.ratio[0]), 4) == ratio


@pytest.mark.parametrize(
    ("place", "ratio"),
    zip(
        [-3, -2, -1, -0.5, 0, 0.5, 1, 2, 3],
        [0.0474, 0.1192, 0.2689, 0.3775, 0.5, 0.6225, 0.7311, 0.8808, 0.9526],
        strict=True,
    ),
)
def test_sigmoid(place, ratio):
    own = relative(np.array([20 + 0.4 * place]), np.array([20.0]), np.array([20.4]), tau=0.1)
    assert round(float(own.ratio[0]), 4) == ratio


def test_far_below_the_lines_nothing_overflows():
    with np.errstate(over="raise", invalid="raise"):
        own = relative(np.array([22.586, -1e4]), np.full(2, 25.239), np.full(2, 25.344), tau=0.1)
    assert own.ratio[0] == pytest.approx(1.06e-11, rel=0.1)
    assert own.ratio[1] == 0


def test_the_lines_themselves():
    on_acceptance = relative(A, A, E, tau=0.1)
    assert on_acceptance.ratio.tolist() == [0.5] * 4
    measures = on_acceptance.measures()
    assert (measures["AR"], measures["RPR_I"], measures["RPR_A"]) == (1, 0, 0.5)
    assert np.isnan(measures["RPR_U"])
    on_excellence = relative(E, A, E, tau=0.1)
    assert on_excellence.ratio.round(4).tolist() == [0.7311] * 4
    assert on_excellence.measures()["RPR_I"] == pytest.approx(0)
    assert on_excellence.excellent.all()


def test_smaller_is_better_is_the_same_with_all_signs_turned():
    higher, lower = relative(Q, A, E, tau=0.1), relative(-Q, -A, -E, tau=0.1, better="lower")
    assert higher.measures() == lower.measures()
    assert higher.valid.tolist() == lower.valid.tolist()


def test_order_and_repetition_change_nothing():
    order = np.array([3, 0, 4, 2, 1])
    one, other = relative(Q, A, E, tau=0.1), relative(Q[order], A[order], E[order], tau=0.1)
    assert rounded(one) == rounded(other)
    twice = relative(*(np.tile(column, 2) for column in (Q, A, E)), tau=0.1)
    for name in ("AR", "RPR_A", "RPR_U"):
        assert twice.measures()[name] == pytest.approx(one.measures()[name])


def test_which_cases_count_depends_on_the_lines_only():
    values = [relative(scores, A, E, tau=0.1).valid.tolist() for scores in (Q, A, E - 7)]
    assert values[0] == values[1] == values[2]
    gap = relative(np.array([0.6]), np.array([0.58]), np.array([0.59]), tau=0.01)
    assert gap.valid.tolist() == [True]  # 0.59 - 0.58 is below 0.01 in float64


def test_a_negative_gap_never_counts_and_nothing_is_left_of_it():
    own = relative(np.array([22.654]), np.array([23.053]), np.array([22.672]), tau=0.1)
    assert not own.valid.any()
    assert all(np.isnan(value) for value in own.measures().values())
    assert np.isnan(own.quartiles[0])


def test_the_gap_must_be_positive():
    with pytest.raises(ValueError, match="tau must be positive"):
        relative(Q, A, E, tau=0)


def test_part():
    own = relative(Q, A, E, tau=0.1)
    part = own.part(np.array([True, False, False, True]))
    assert part.valid.tolist() == [True, False, False, False, True]
    assert part.measures()["AR"] == 0.5
