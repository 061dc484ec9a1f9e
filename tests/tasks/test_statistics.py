from __future__ import annotations

import math

import pytest
import torch

from realsr_mtl.tasks import TaskLosses, TaskMeans, TaskStatistics
from tests._strategies import Rank, f64, step

NAMES = ["a", "b", "c"]


def test_losses_are_added_up_by_task():
    losses = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    found = TaskLosses.of(losses, torch.tensor([2, 0, 2]), 4)
    assert found.sums.tolist() == [2, 0, 5, 0] and found.counts.tolist() == [1, 0, 2, 0]
    assert found.mean.tolist() == [2, 0, 2.5, 0]
    assert found.present.tolist() == [True, False, True, False]
    assert not found.sums.requires_grad
    assert (found + found).mean.tolist() == found.mean.tolist()


def test_means_over_processes_are_those_of_the_whole_batch():
    losses, task = torch.rand(12, dtype=torch.float64), torch.tensor([0, 1, 2] * 4)
    whole = TaskLosses.of(losses, task, 3)
    parts = [TaskLosses.of(losses[i], task[i], 3) for i in (slice(0, 3), slice(3, 12))]
    for rank, own in enumerate(parts):
        other = parts[1 - rank]
        found = own.over(Rank(rank, torch.stack((other.sums, other.counts))))
        assert torch.allclose(found.mean, whole.mean, rtol=1e-15, atol=0)


def test_a_corrected_average_begins_as_the_plain_mean():
    statistics = TaskStatistics(NAMES, 1e-9)
    for number, value in enumerate([1.0, 2.0, 6.0]):
        statistics.update(step([value, None, 5.0 if number == 1 else None]), number)
    assert statistics.average.tolist()[0] == pytest.approx(3.0, abs=1e-6)
    assert math.isnan(statistics.average.tolist()[1])
    assert statistics.average.tolist()[2] == 5
    assert statistics.best.tolist() == [1, math.inf, 5]
    assert statistics.updates.tolist() == [3, 0, 1]
    assert statistics.last_seen.tolist() == [2, -1, 1]


def test_a_corrected_average_has_no_bias():
    """Equals sum a (1-a)^(n-i) x_i / (1 - (1-a)^n)."""
    statistics, a, values = TaskStatistics(["a"], 0.3), 0.3, [0.5, 0.1, 0.9, 0.4]
    for number, value in enumerate(values):
        statistics.update(step([value]), number)
    weights = [a * (1 - a) ** (len(values) - 1 - i) for i in range(len(values))]
    expected = sum(w * v for w, v in zip(weights, values, strict=True)) / (1 - (1 - a) ** 4)
    assert float(statistics.average) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("start", "first", "second"), [("first", 0.5, 0.47), (0.1, 0.14, 0.146)])
def test_other_starts(start, first, second):
    statistics = TaskStatistics(["a"], 0.1, start)
    statistics.update(step([0.5]), 0)
    assert float(statistics.average) == pytest.approx(first)
    statistics.update(step([0.2]), 1)
    assert float(statistics.average) == pytest.approx(second)
    assert float(statistics.best) == (0.1 if start == 0.1 else 0.2)


def test_the_best_may_be_that_of_the_average():
    statistics = TaskStatistics(["a"], 0.5, "first", best_of="average")
    for number, value in enumerate([1.0, 0.0, 1.0]):
        statistics.update(step([value]), number)
    assert float(statistics.best) == 0.5


def test_statistics_are_restored_by_name():
    statistics = TaskStatistics(NAMES, 0.1)
    statistics.update(step([0.3, None, 0.7]), 4)
    other = TaskStatistics(["c", "a", "b"], 0.1)
    other.load_state_dict(statistics.state_dict())
    assert other.average.tolist()[:2] == [0.7, 0.3]
    for own in (statistics, other):
        own.update(step([0.2, 0.2, 0.2]), 5)
    assert torch.equal(other.average[[1, 2, 0]], statistics.average)
    assert other.last_seen.tolist() == [5, 5, 5]


def test_the_rate_is_checked():
    with pytest.raises(ValueError, match=r"\(0, 1\], found 0"):
        TaskStatistics(NAMES, 0)


def test_means_are_those_of_the_steps_with_the_task():
    means = TaskMeans(NAMES, "x")
    means.add(f64([3.0, 0.0, 1.0]), f64([2, 0, 1]))
    means.add(f64([1.0, 0.0, 0.0]), torch.tensor([True, False, False]))
    found = means.mean()
    assert found.tolist()[0] == pytest.approx(4 / 3) and found.tolist()[2] == 1
    assert math.isnan(found.tolist()[1])
    means.reset()
    assert means.mean().isnan().all()
    assert found.tolist()[2] == 1  # what was taken stays


def test_means_are_restored_by_name():
    means = TaskMeans(NAMES, "x")
    means.add(f64([3.0, 0.0, 1.0]), f64([2, 0, 1]))
    other = TaskMeans(["c", "a", "b"], "x")
    other.load_state_dict(means.state_dict())
    assert other.mean().tolist()[:2] == [1.0, 1.5]


def test_many_small_losses_lose_no_precision():
    means = TaskMeans(["a"], "x")
    for _ in range(100):
        step_ = TaskLosses.of(torch.full((1000,), 0.1), torch.zeros(1000, dtype=torch.int64), 1)
        means.add(step_.sums, step_.counts)
    assert float(means.values[1]) == 100_000
    assert abs(float(means.mean()) - float(torch.tensor(0.1))) < 1e-12


def test_step_helper_means():
    assert torch.equal(step([0.5, None]).mean, f64([0.5, 0]))
