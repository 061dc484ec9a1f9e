"""What holds for every registered gradient combination, and for the base class."""

from __future__ import annotations

import logging

import pytest
import torch

from realsr_mtl.errors import UnavailableError, UserError
from realsr_mtl.strategies import GRADIENTS, GradientCombination
from realsr_mtl.strategies.gradients.base import SolverError
from tests._asserts import global_randomness_untouched
from tests._strategies import f64, setting


def build(name: str, made=None, **options) -> GradientCombination:
    try:
        return GRADIENTS.build({"type": name, **options}, made or setting(6))
    except UnavailableError as error:
        pytest.skip(str(error))


def gram(count: int = 4, seed: int = 0, conflict: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, 50, generator=generator, dtype=torch.float64)
    rows = rows + conflict * torch.randn(50, generator=generator, dtype=torch.float64)
    return rows @ rows.T


TASKS = torch.tensor([0, 2, 3, 5])


class Given(GradientCombination):
    """Answers with what it is told."""

    answer: torch.Tensor | Exception = f64([1, 1, 1, 1])

    def solve(self, gram, number):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("name", GRADIENTS)
def test_equal_gradients_that_do_not_conflict_weigh_equally(name):
    weights = build(name).combine(torch.eye(4, dtype=torch.float64), TASKS, 0)
    assert weights.tolist() == pytest.approx([1, 0, 1, 1, 0, 1], abs=1e-4)


@pytest.mark.parametrize("name", GRADIENTS)
def test_weights_have_the_mean_one_and_absent_tasks_none(name):
    weights = build(name).combine(gram(), TASKS, 0)
    assert float(weights.sum()) == pytest.approx(4)
    assert weights[1] == weights[4] == 0


@pytest.mark.parametrize("name", [n for n in GRADIENTS if n != "PCGrad"])
def test_the_order_of_the_tasks_does_not_matter(name):
    order = torch.tensor([2, 0, 3, 1])
    matrix = gram(seed=4)
    plain = build(name).combine(matrix, TASKS, 0)[TASKS]
    turned = build(name).combine(matrix[order][:, order], TASKS, 0)[TASKS]
    assert torch.allclose(turned, plain[order], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_few_of_thousands_of_tasks(name):
    combination = build(name, setting(4000, batch=16))
    for number in range(3):
        tasks = torch.randperm(4000, generator=torch.Generator().manual_seed(number))[:16]
        weights = combination.combine(gram(16, seed=number), tasks, number)
        assert weights.count_nonzero() <= 16 and bool(weights.isfinite().all())
        assert float(weights.sum()) == pytest.approx(16)


@pytest.mark.parametrize("name", GRADIENTS)
def test_the_scale_of_the_gradients_does_not_matter(name):
    one = build(name).combine(gram(), TASKS, 0)
    other = build(name).combine(1e-9 * gram(), TASKS, 0)
    assert torch.allclose(one, other, rtol=1e-3)


@pytest.mark.parametrize("name", GRADIENTS)
def test_one_task_and_no_gradient(name):
    combination = build(name)
    assert combination.combine(f64([4.0]).view(1, 1), TASKS[:1], 0)[0] == 1
    weights = combination.combine(torch.zeros(4, 4, dtype=torch.float64), TASKS, 1)
    assert weights[TASKS].tolist() == [1, 1, 1, 1]
    assert combination.failures == 0


@pytest.mark.parametrize("name", GRADIENTS)
def test_draws_repeat_themselves_and_leave_the_global_state_alone(name):
    matrix = gram(seed=2, conflict=-0.3)
    with global_randomness_untouched():
        one = build(name).combine(matrix, TASKS, 7)
    assert torch.equal(one, build(name).combine(matrix, TASKS, 7))


@pytest.mark.parametrize("name", GRADIENTS)
def test_saving_in_the_middle_changes_nothing(name):
    whole, first, second = (build(name, smoothing=0.5, every=2) for _ in range(3))
    expected = [whole.combine(gram(seed=n), TASKS, n) for n in range(4)]
    for n in range(2):
        first.combine(gram(seed=n), TASKS, n)
    second.load_state_dict(first.state_dict())
    for n in range(2, 4):
        assert torch.equal(second.combine(gram(seed=n), TASKS, n), expected[n])
    found, wanted = second.columns(), whole.columns()
    assert sum(key.startswith("cosine_with/") for key in wanted) == 6
    assert found.keys() == wanted.keys()
    for key in wanted:
        assert torch.equal(found[key].nan_to_num(-9), wanted[key].nan_to_num(-9)), key


@pytest.mark.parametrize("name", GRADIENTS)
def test_unknown_state_is_refused(name):
    combination = build(name)
    with pytest.raises(ValueError, match="does not keep surprise"):
        combination.load_state_dict({**combination.state_dict(), "surprise": 1})


def test_held_weights_are_those_of_the_last_renewal():
    combination = Given(setting(6))
    combination.answer = f64([4.0, 2.0, 1.0, 1.0])
    combination.combine(gram(), TASKS, 0)
    some = torch.tensor([True, True, True, False, False, False])
    held = combination.held(some)  # task 1 was never seen: it counts 1
    assert torch.allclose(held[:3], f64([2, 1, 1]))  # of 4 2 1 1 with the mean 1
    assert held[3:].tolist() == [0, 0, 0]
    assert [i for i in range(7) if Given(setting(6), every=3).renews(i)] == [0, 3, 6]


def test_smoothing_mixes_with_the_previous_weights():
    combination = Given(setting(6), smoothing=0.75)
    combination.answer = f64([4.0, 0.0, 0.0, 0.0])
    weights = combination.combine(gram(), TASKS, 0)
    assert torch.allclose(weights[TASKS], 0.75 + 0.25 * f64([4, 0, 0, 0]))


def test_unnormalised_weights_keep_the_methods_scale():
    combination = Given(setting(6), normalize=False)
    combination.answer = f64([0.1, 0.2, 0.1, 0.1])  # a mean: lambda is K times as much
    assert torch.allclose(combination.combine(gram(), TASKS, 0)[TASKS], 4 * combination.answer)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (SolverError("no solution"), "no solution"),
        (f64([1.0, float("nan"), 1.0, 1.0]), "not finite"),
        (f64([1.0, -1.0, 1.0, -1.0]), "nearly cancel"),
        (f64([1.0, -1.0, 1.01, -1.0]), "nearly cancel"),
    ],
)
def test_a_failure_is_counted_logged_and_keeps_the_previous_weights(
    answer, reason, caplog, monkeypatch
):
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    combination = Given(setting(6))
    combination.answer = f64([4.0, 2.0, 1.0, 1.0])
    before = combination.combine(gram(), TASKS, 0)
    combination.answer = answer
    assert torch.equal(combination.combine(gram(), TASKS, 1), before)
    assert combination.failures == 1 and combination.counts() == {"solver_failures": 1}
    assert reason in caplog.text and "failure 1" in caplog.text
    strict = Given(setting(6), on_failure="error")
    strict.answer = answer
    with pytest.raises(UserError, match=f"Given found no weights: .*{reason}"):
        strict.combine(gram(), TASKS, 0)


def test_gradients_that_are_not_finite_leave_everything_as_it_is():
    combination = Given(setting(6))
    combination.combine(gram(), TASKS, 0)
    before = combination.state_dict()
    first = combination.held(torch.ones(6, dtype=torch.bool))
    weights = combination.combine(gram() * float("nan"), TASKS, 1)
    assert combination.state_dict() == before and combination.failures == 0
    assert weights[TASKS].tolist() == first[TASKS].tolist()


def test_the_cosine_of_a_task_is_the_smallest_with_another():
    combination = Given(setting(6))
    rows = f64([1, 0, 2, 0, -1, 1]).view(3, 2)
    combination.answer = f64([1, 1, 1])
    combination.combine(rows @ rows.T, torch.tensor([0, 1, 4]), 0)
    cosines = combination.columns()["conflict_cosine"].tolist()
    expected = -(0.5**0.5)
    assert [cosines[t] for t in (0, 1, 4)] == pytest.approx([expected] * 3)
    assert cosines[2] != cosines[2]  # never seen


def test_the_cosines_of_all_pairs_are_means_of_few_tasks():
    combination = Given(setting(6))
    combination.answer = f64([1, 1])
    for second in ([0.0, 1.0], [-1.0, 0.0]):
        rows = f64([1, 0, *second]).view(2, 2)
        combination.combine(rows @ rows.T, torch.tensor([0, 4]), 0)
    columns = combination.columns()
    names = combination.setting.names
    row = columns[f"cosine_with/{names[0]}"].tolist()
    assert (row[0], row[4]) == (1.0, -0.5) and row[1] != row[1]
    assert columns[f"cosine_with/{names[4]}"].tolist()[0] == -0.5
    empty = combination.columns()[f"cosine_with/{names[0]}"]
    assert bool(empty.isnan().all())
    many = Given(setting(17, batch=16))
    assert not any(key.startswith("cosine_with/") for key in many.columns())


def test_a_state_of_an_earlier_version_has_no_pairs():
    combination = Given(setting(6))
    state = combination.state_dict()
    del state["pairs"]
    combination.load_state_dict(state)


def test_held_weights_of_few_tasks_are_not_blown_up():
    """Signed weights of a part of the tasks may add up to nothing."""
    combination = Given(setting(6))
    combination.answer = f64([2.0, -1.5, 1.5, 2.0])
    largest = combination.combine(gram(), TASKS, 0).abs().max()
    for first in range(6):
        some = torch.zeros(6, dtype=torch.bool)
        some[[first, (first + 2) % 6]] = True
        assert combination.held(some).abs().max() <= largest


def test_too_many_tasks_are_an_error():
    Given(setting(70)).check_count(64)
    with pytest.raises(UserError, match="65 tasks in one batch are too many"):
        Given(setting(70)).check_count(65)


@pytest.mark.parametrize("options", [{"every": 0}, {"sketch_size": 0}, {"smoothing": 1.0}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Given(setting(), **options)
