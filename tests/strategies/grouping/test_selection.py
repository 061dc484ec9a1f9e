from __future__ import annotations

import pytest
import torch
from torch import Tensor

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.strategies.grouping import group_in_rounds, random_groups, unsatisfactory
from tests._strategies import f64


@pytest.mark.parametrize(
    ("count", "fraction", "kept"), [(4000, 0.4, 1600), (30, 0.1, 3), (7, 0.5, 4)]
)
def test_exactly_the_lowest_part_is_unsatisfactory(count: int, fraction: float, kept: int):
    """Point 10: ceil(fraction N) tasks."""
    scores = torch.rand(count, generator=torch.Generator().manual_seed(0)).double()
    chosen = unsatisfactory(scores, fraction, None)
    assert len(chosen) == kept and chosen == sorted(chosen)
    assert scores[chosen].max() < min(scores[i] for i in set(range(count)) - set(chosen))


def test_of_equal_scores_the_first_tasks_count():
    assert unsatisfactory(f64([0.9, 0.5, 0.9, 0.9, 0.9]), 0.6, None) == [0, 1, 2]
    assert unsatisfactory(torch.ones(5).double(), 0.4, None) == [0, 1]


def test_an_absolute_threshold_replaces_the_fraction():
    assert unsatisfactory(f64([0.97, 0.99, 0.5, 0.98]), 0.01, 0.98) == [0, 2]
    assert unsatisfactory(f64([0.97, 0.99]), 0.5, 0.5) == []


GAINS = {3: 0.9, 4: 0.1, 6: 0.7, 7: 0.3, 9: -0.2}


def improve(number: int, left: list[int]) -> Tensor:
    """Every task gains 0.05 dB more in each round, when others have left."""
    return f64([GAINS[task] + 0.05 * number for task in left])


def test_tasks_above_the_threshold_of_a_round_form_its_group():
    """Points 12 and 14: rounds on what is left, disjoint groups, empty ones in their place."""
    rounds = group_in_rounds(list(GAINS), (0.8, 0.76, 0.35, 0.3), "dB", improve)
    assert [found.group for found in rounds] == [[3], [], [6, 7], []]
    assert [found.tasks for found in rounds] == [
        [3, 4, 6, 7, 9],
        [4, 6, 7, 9],
        [4, 6, 7, 9],
        [4, 9],
    ]
    assert rounds[2].improvement.tolist() == pytest.approx([0.2, 0.8, 0.4, -0.1])
    assert [found.limit for found in rounds] == [0.8, 0.76, 0.35, 0.3]


def test_a_single_pass_cuts_the_scores_of_the_first_round():
    calls = []

    def once(number: int, left: list[int]) -> Tensor:
        calls.append((number, left))
        return improve(number, left)

    rounds = group_in_rounds(list(GAINS), (0.8, 0.35, 0.2), "dB", once, single=True)
    assert [found.group for found in rounds] == [[3], [6], [7]]
    assert calls == [(0, list(GAINS))]


def test_quantiles_take_the_best_of_each_round():
    rounds = group_in_rounds(list(GAINS), (0.8, 0.5), "quantile", improve)
    assert [found.group for found in rounds] == [[3], [6, 7]]  # 1 of 5, then 2 of 4
    assert [found.limit for found in rounds] == pytest.approx([0.9, 0.35])
    single = group_in_rounds(list(GAINS), (0.8, 0.5), "quantile", improve, single=True)
    assert [found.group for found in single] == [[3], [6, 7]]  # 1 and then 3 of the same 5
    assert [found.limit for found in single] == pytest.approx([0.9, 0.3])


def test_the_rounds_end_when_no_task_is_left():
    rounds = group_in_rounds([3, 6], (0.5, 0.4), "dB", improve)
    assert [found.group for found in rounds] == [[3, 6]]


def test_a_group_is_not_what_equals_the_threshold():
    assert group_in_rounds([0], (0.5,), "dB", lambda _, left: f64([0.5]))[0].group == []


def test_random_groups_are_disjoint_and_of_the_given_sizes():
    groups = random_groups([2, 0, 5], 12, RandomStreams(0))
    assert [len(group) for group in groups] == [2, 0, 5]
    assert len({task for group in groups for task in group}) == 7
    assert all(group == sorted(group) for group in groups)
    assert groups != random_groups([2, 0, 5], 12, RandomStreams(1))
    seen = [task for seed in range(300) for task in random_groups([3], 12, RandomStreams(seed))[0]]
    counts = torch.bincount(torch.tensor(seen), minlength=12)
    assert counts.min() > 45 and counts.max() < 110  # 75 each on average
