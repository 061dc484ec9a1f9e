"""What holds for every registered task weighting."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from realsr_mtl.strategies import WEIGHTINGS, Setting, Strategy, TaskWeighting
from realsr_mtl.strategies.sampling import Natural
from realsr_mtl.tasks import TaskLosses
from tests._asserts import global_randomness_untouched
from tests._strategies import Rank, f64, setting, step

MASSES = [0.4, 0.3, 0.2, 0.1]

QUICK: dict[str, dict[str, Any]] = {
    "DynamicWeightAverage": {"window": 3},
    "SmoothTchebycheff": {"warmup": 2, "mu": 0.5},
    "GroupDRO": {"step": 2.0},
    "FocalWeighting": {"every": 4, "warmup": 0},
    "DynamicTaskPrioritization": {"every": 4},
    "GeometricLoss": {"rate": 0.5},
}
"""Options under which a few steps show what a method does."""

NEUTRAL: dict[str, dict[str, Any]] = {
    "Equal": {},
    "Natural": {},
    "RandomWeighting": {"sigma": 0.0},
    "UncertaintyWeighting": {"lr": 0.0},
    "ImpartialLoss": {"lr": 0.0},
    "DynamicWeightAverage": {"temperature": 1e12},
    "GroupDRO": {"step": 0.0},
    "ActiveReweighting": {"tau": 1e12},
    "FocalWeighting": {"lower": 1.0, "upper": 1.0},
    "DynamicTaskPrioritization": {"gamma": 0.0, "absolute": 1e6},
    "GeometricLoss": {},
    "SmoothTchebycheff": {},
    "FastAdaptiveWeighting": {"lr": 0.0},
}
"""Options that switch the adaptation off; the last three are neutral where losses are equal."""

EQUAL_LOSSES = {"GeometricLoss", "SmoothTchebycheff", "FastAdaptiveWeighting"}


def build(name: str, made: Setting | None = None, **options: Any) -> TaskWeighting:
    block = {"type": name, **(options or QUICK.get(name, {}))}
    return WEIGHTINGS.build(block, made or setting(masses=MASSES))


def losses(number: int, tasks: int = 4) -> TaskLosses:
    """Steps in which tasks fall at their own pace, with noise, and one is often absent."""
    generator = torch.Generator().manual_seed(number)
    pace = torch.arange(1, tasks + 1, dtype=torch.float64)
    mean = 0.05 * pace * torch.exp(-0.05 * number / pace)
    mean = mean * torch.exp(0.1 * torch.randn(tasks, generator=generator, dtype=torch.float64))
    counts = torch.randint(1, 4, (tasks,), generator=generator).double()
    counts[number % tasks] = 0
    return TaskLosses(mean * counts, counts)


def psnr(tasks: int = 4) -> Tensor:
    return torch.linspace(25, 20, tasks, dtype=torch.float64)


def advance(weighting: TaskWeighting, number: int, given: TaskLosses) -> Tensor:
    """One step as the trainer makes it."""
    if weighting.due(number):
        weighting.update(number, psnr(len(given.sums)) if weighting.needs_probes else None)
    weights = weighting.weigh(given, number)
    if weighting.needs_second_look:
        after = TaskLosses(given.sums * torch.linspace(0.9, 0.99, len(given.sums)), given.counts)
        weighting.look_again(given, after)
    return weights


def adapted(name: str, steps: int = 9, **options: Any) -> TaskWeighting:
    weighting = build(name, **options)
    for number in range(steps):
        advance(weighting, number, losses(number))
    return weighting


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_the_neutral_setting_is_equal_weighting(name):
    weighting = build(name, **NEUTRAL[name])
    for number in range(9):
        given = losses(number)
        if name in EQUAL_LOSSES:
            given = TaskLosses(0.07 * given.counts, given.counts)
        if weighting.due(number):
            weighting.update(number, psnr() if weighting.needs_probes else None)
        weights = weighting.weigh(given, number)
        assert weights[given.present].tolist() == pytest.approx([1.0] * 3, abs=1e-4)
        assert weights[~given.present].tolist() == [0.0]


@pytest.mark.parametrize("name", sorted(set(WEIGHTINGS) - {"Equal", "Natural"}))
def test_every_method_does_move_away_from_equal_weights(name):
    weights = advance(adapted(name), 9, step([0.05, 0.1, 0.2, 0.4]))
    assert float((weights - 1).abs().max()) > 1e-3


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_weights_have_the_mean_one(name):
    weighting = adapted(name)
    if name == "FocalWeighting":  # over the space, so that the expected gradient stays
        assert float((weighting.raw(losses(9), 9) * f64(MASSES)).sum()) == pytest.approx(1)
        return
    given = losses(9)
    weights = weighting.weigh(given, 9)
    assert float((weighting.parts(given) * weights).sum()) == pytest.approx(1, abs=1e-12)
    assert bool((weights >= 0).all())


@pytest.mark.parametrize("name", sorted(set(WEIGHTINGS) - {"RandomWeighting"}))
def test_the_order_of_the_tasks_does_not_matter(name):
    order = torch.tensor([2, 0, 3, 1])
    plain = build(name, **QUICK.get(name, {}))
    turned = build(name, setting(masses=f64(MASSES)[order].tolist()), **QUICK.get(name, {}))
    for number in range(9):
        given = losses(number)
        if plain.due(number):
            scores = psnr() if plain.needs_probes else None
            plain.update(number, scores)
            turned.update(number, None if scores is None else scores[order])
        weights = plain.weigh(given, number)
        other = turned.weigh(TaskLosses(given.sums[order], given.counts[order]), number)
        assert torch.allclose(other, weights[order], rtol=1e-12)
        if plain.needs_second_look:
            after = TaskLosses(0.9 * given.sums, given.counts)
            plain.look_again(given, after)
            turned.look_again(
                TaskLosses(given.sums[order], given.counts[order]),
                TaskLosses(after.sums[order], after.counts[order]),
            )


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_absent_tasks_are_left_alone(name):
    """Their weight is 0, their state stays, and they do not change the others' weights."""
    weighting = adapted(name)
    before = copy.deepcopy(weighting.state_dict())
    given = step([0.05, None, 0.2, None])
    weights = advance(weighting, 9, given)
    assert weights[1] == weights[3] == 0
    after = weighting.state_dict()
    for key, value in _leaves(before):
        if key[-1] in ("t1", "t3") and key[0] not in ("limited", "held", "indicators"):
            found = after
            for part in key:
                found = found[part]
            if name == "GroupDRO":
                continue  # its weights are shares of one whole
            assert found == value or (found != found and value != value), key


def _leaves(tree: Any, path: tuple[str, ...] = ()):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, (*path, key))
    else:
        yield path, tree


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_a_batch_of_one_task_gives_it_all_the_weight(name):
    weights = advance(adapted(name), 9, step([None, None, 0.3, None]))
    if name != "FocalWeighting":
        assert weights.tolist() == pytest.approx([0, 0, 1, 0])
    else:
        assert weights[2] > 0 and weights.count_nonzero() == 1


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_thousands_of_tasks_and_a_small_batch(name):
    weighting = build(name, setting(4000, batch=16))
    for number in range(5):
        task = torch.randint(4000, (16,), generator=torch.Generator().manual_seed(number))
        given = TaskLosses.of(0.1 + torch.rand(16), task, 4000)
        weights = advance(weighting, number, given)
        assert bool(weights.isfinite().all())
        assert torch.equal(weights > 0, given.present) or name == "FastAdaptiveWeighting"
        total = float((weighting.parts(given) * weights).sum())
        assert total == pytest.approx(1, abs=1e-9) or name == "FocalWeighting"


@pytest.mark.parametrize("name", WEIGHTINGS)
@pytest.mark.parametrize("value", [0.0, 1.0, 37.5, 1e-30])
def test_extreme_losses_give_finite_weights(name, value):
    weighting = build(name)
    for number, given in enumerate([step([value] * 4), step([value, 0.1, 0.2, None])] * 5):
        weights = advance(weighting, number, given)
        assert bool(weights.isfinite().all())
        assert float(weights.sum()) > 0
    weights = advance(weighting, 10, step([0.1, 0.1, 0.1, 0.1]))
    assert bool((weights > 0).all()) or name == "ActiveReweighting"


@pytest.mark.parametrize("name", WEIGHTINGS)
@pytest.mark.parametrize("stop", [2, 5])
def test_saving_in_the_middle_changes_nothing(name, stop):
    whole, first, second = (build(name) for _ in range(3))
    expected = [advance(whole, n, losses(n)) for n in range(9)]
    for n in range(stop):
        advance(first, n, losses(n))
    state = first.state_dict()
    torch.save(state, "state.pth")
    second.load_state_dict(torch.load("state.pth", weights_only=True))
    for n in range(stop, 9):
        assert torch.equal(advance(second, n, losses(n)), expected[n])
    assert torch.equal(second.columns()["weight"], whole.columns()["weight"])


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_unknown_state_is_refused(name):
    weighting = build(name)
    with pytest.raises(ValueError, match=f"{type(weighting).__name__} does not keep surprise"):
        weighting.load_state_dict({**weighting.state_dict(), "surprise": 1})


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_two_processes_weigh_like_one(name):
    """Gradients averaged over the processes are those of the whole batch on one."""
    torch.manual_seed(0)
    base, task = 0.1 + torch.rand(10, dtype=torch.float64), torch.tensor([0, 0, 1, 3] + [2] * 6)
    halves = [torch.arange(0, 4), torch.arange(4, 10)]

    def gradient(made: Setting, part: Tensor) -> Tensor:
        weighting = build(name, made)
        values = base[part].clone().requires_grad_()
        strategy = Strategy(made, Natural(made), weighting)
        for number in range(2):
            (found,) = torch.autograd.grad(strategy.loss(values, task[part], number), values)
        return found

    whole = gradient(setting(masses=MASSES), torch.arange(10))
    sums = [TaskLosses.of(base[half], task[half], 4) for half in halves]
    for rank, half in enumerate(halves):
        other = sums[1 - rank]
        process = Rank(rank, torch.stack((other.sums, other.counts)))
        found = gradient(setting(masses=MASSES, processes=process), half)
        assert torch.allclose(found / 2, whole[half], rtol=1e-12)


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_weights_carry_no_gradient_and_draw_from_no_global_state(name):
    weighting = adapted(name)
    with global_randomness_untouched():
        weights = weighting.weigh(losses(9), 9)
    assert not weights.requires_grad and weights.dtype == torch.float64


SCALE_OF_ITS_OWN = {"UncertaintyWeighting", "ImpartialLoss", "GeometricLoss", "SmoothTchebycheff"}
"""Methods whose published weights have another mean than 1 over the tasks present."""


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_unnormalised_weights_have_the_published_scale(name):
    options = {**QUICK.get(name, {})}
    scaled, raw = (
        adapted(name, **{**options, "normalize": normalize}) for normalize in (True, False)
    )
    given = losses(9)
    one, other = scaled.weigh(given, 9), raw.weigh(given, 9)
    ratio = (other / one)[given.present]
    assert float(ratio.max() / ratio.min()) == pytest.approx(1, abs=1e-9)
    if name not in SCALE_OF_ITS_OWN | {"FocalWeighting", "GroupDRO", "DynamicTaskPrioritization"}:
        assert float(ratio[0]) == pytest.approx(1, abs=1e-9)  # the others are means over all tasks


def test_logged_weights_are_means_over_the_steps_with_the_task():
    weighting = build("Equal")
    weighting.weigh(step([0.1, 0.1, None, None]), 0)
    weighting.weigh(step([0.1, None, None, None]), 1)
    found = weighting.columns()["weight"].tolist()
    assert found[:2] == [1, 1] and found[2] != found[2]
    assert all(v != v for v in weighting.columns()["weight"].tolist())  # a new line


def test_the_priors():
    given = step([0.1, 0.2, None, 0.3], [6, 3, 0, 1])
    assert build("Equal").parts(given).tolist() == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3])
    assert build("Natural").parts(given).tolist() == pytest.approx([0.6, 0.3, 0, 0.1])


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_a_step_of_which_no_loss_was_finite_is_not_remembered(name: str) -> None:
    weighting, start = build(name), build(name)
    for number in range(6):
        weighting.weigh(losses(number), number)
    start.load_state_dict(weighting.state_dict())
    weighting.weigh(step([None] * 4), 6)
    weights = [made.weigh(losses(7), 7) for made in (weighting, start)]
    assert bool(weights[0].isfinite().all())
    if name not in ("DynamicWeightAverage", "SmoothTchebycheff"):  # which count steps
        torch.testing.assert_close(*weights)
