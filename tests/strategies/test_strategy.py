from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies import GRADIENTS, SAMPLINGS, WEIGHTINGS, Setting, Strategy
from realsr_mtl.strategies.sampling import Natural
from tests._strategies import Rank, f64, setting

MASSES = [0.4, 0.3, 0.2, 0.1]


def build(made: Setting | None = None, **blocks) -> Strategy:
    made = made or setting(masses=MASSES)
    registries = {"sampling": SAMPLINGS, "weighting": WEIGHTINGS, "gradients": GRADIENTS}
    parts = {name: registries[name].build(block, made) for name, block in blocks.items()}
    return Strategy(made, parts.pop("sampling", None) or Natural(made), **parts)


def test_without_parts_the_loss_is_the_plain_mean_to_the_last_bit():
    losses, task = torch.rand(7, requires_grad=True), torch.tensor([0, 0, 1, 2, 2, 2, 3])
    loss = build().loss(losses, task, 0)
    assert torch.equal(loss, losses.mean())
    assert loss.grad_fn is not None


def test_a_deck_never_weights_a_sample():
    """The gradient with rebalancing on is that of the plain mean loss."""
    strategy = build(sampling={"type": "CDR", "warmup": 0})
    strategy.update(0, lambda: f64([25, 24, 23, 20]))
    losses, task = torch.rand(7, requires_grad=True), torch.tensor([0, 0, 1, 2, 2, 2, 3])
    strategy.loss(losses, task, 0).backward()
    assert torch.equal(losses.grad, torch.full((7,), 1 / 7))


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_a_weighting_applied_to_sampling_leaves_the_loss_alone(name):
    strategy = build(weighting={"type": name, "apply": "sampling"}, sampling={"type": "Weighted"})
    if strategy.due(0):
        strategy.update(0, lambda: f64([25, 24, 23, 20]))
    losses, task = torch.rand(7, requires_grad=True), torch.tensor([0, 0, 1, 2, 2, 2, 3])
    strategy.loss(losses, task, 0).backward()
    assert torch.allclose(losses.grad, torch.full((7,), 1 / 7), rtol=1e-6)


@pytest.mark.parametrize("name", sorted(set(WEIGHTINGS) - {"Equal", "Natural"}))
def test_a_weighting_applied_to_sampling_moves_the_shares(name):
    options = {"DynamicWeightAverage": {"window": 2}, "SmoothTchebycheff": {"warmup": 1}}
    options |= {
        "FocalWeighting": {"every": 4, "warmup": 0},
        "DynamicTaskPrioritization": {"every": 4},
    }
    options["GroupDRO"] = {"step": 3.0}
    weighting = {"type": name, "apply": "sampling", **options.get(name, {})}
    strategy = build(weighting=weighting, sampling={"type": "Weighted", "every": 4})
    for number in range(9):
        if strategy.due(number):
            strategy.update(number, lambda: f64([25, 24, 23, 20]))
        task = strategy.choose(torch.arange(8 * number, 8 * number + 8))
        noise = torch.rand(8, generator=torch.Generator().manual_seed(number))
        losses = f64([0.05, 0.1, 0.2, 0.4])[task] * (0.9 + noise)
        strategy.loss(losses, task, number)
        if strategy.needs_second_look:
            strategy.look_again(losses * 0.9 ** (task + 1), task)
        strategy.end_step()
    uniform = strategy.weighting.prior == "uniform"
    prior = f64([0.25] * 4) if uniform else f64(MASSES)
    assert float((strategy.sampling.shares() - prior).abs().max()) > 1e-3


def test_focal_weights_on_sampling_are_data_rebalancing():
    options = {"every": 4, "warmup": 0, "gamma": 2.0}
    one = build(
        weighting={"type": "Focal", "apply": "sampling", **options},
        sampling={"type": "Weighted", "every": 4, "step": 1e9, "lower": 0.0, "upper": 1e9},
    )
    other = build(sampling={"type": "CDR", **options})
    before = f64(MASSES)
    for number in range(9):
        scores = f64([25.0, 24.0, 23.0, 20.0 + number])
        for strategy in (one, other):
            if strategy.due(number):
                strategy.update(number, lambda scores=scores: scores)
        if number % 4 == 0 and number:  # the loss weighting shows up one interval later
            assert torch.allclose(one.sampling.shares(), before, rtol=1e-12)
        before = other.sampling.shares()
        task = torch.tensor([0, 1, 2, 3])
        one.loss(torch.rand(4), task, number)


@pytest.mark.parametrize(
    ("blocks", "sentence"),
    [
        (
            {"weighting": {"type": "Art", "apply": "sampling"}, "sampling": {"type": "Uniform"}},
            "applied to the sampling, but that is Uniform",
        ),
        ({"sampling": {"type": "Weighted"}}, "needs a weighting with 'apply: sampling'"),
        (
            {"weighting": {"type": "Art"}, "sampling": {"type": "Weighted"}},
            "needs a weighting with 'apply: sampling'",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(blocks, sentence):
    with pytest.raises(ValueError, match=sentence):
        build(**blocks)


def test_probes_are_scored_once_for_all_parts_and_only_when_due():
    calls = []

    def probe():
        calls.append(1)
        return f64([25, 24, 23, 20])

    strategy = build(
        sampling={"type": "CDR", "warmup": 0, "every": 4}, weighting={"type": "DTP", "every": 2}
    )
    assert strategy.needs_probes
    for number in range(6):
        if strategy.due(number):
            strategy.update(number, probe)
    assert len(calls) == 3  # 0, 2 and 4
    other = build(
        sampling={"type": "Weighted", "every": 2}, weighting={"type": "Art", "apply": "sampling"}
    )
    assert not other.needs_probes
    other.update(0, probe)
    assert len(calls) == 3


def test_factors_of_a_weighting_and_of_held_gradient_weights_multiply():
    strategy = build(weighting={"type": "Equal"}, gradients={"type": "NashMTL", "every": 5})
    strategy.gradients.combine(f64([1, 0, 0, 4]).view(2, 2), torch.tensor([0, 2]), 0)
    losses, task = (
        torch.rand(6, dtype=torch.float64, requires_grad=True),
        torch.tensor([0, 0, 0, 2, 2, 1]),
    )
    strategy.loss(losses, task, 1).backward()
    held = strategy.gradients.held(torch.tensor([True, True, True, False]))
    expected = held[task] / 3 / torch.tensor([3, 3, 3, 2, 2, 1])
    assert torch.allclose(losses.grad, expected)


def test_the_state_belongs_to_one_strategy():
    strategy = build(weighting={"type": "Art"})
    state = strategy.state_dict()
    build(weighting={"type": "Art"}).load_state_dict(state)
    with pytest.raises(ValueError, match="saved strategy is sampling Natural, weighting Active"):
        build(weighting={"type": "RLW"}).load_state_dict(state)


def test_columns_hold_shares_and_the_parts_values():
    strategy = build(weighting={"type": "Equal"}, gradients={"type": "NashMTL"})
    strategy.loss(torch.rand(4), torch.arange(4), 0)
    cosines = {f"cosine_with/{name}" for name in strategy.setting.names}
    own = {"share", "weight", "gradient_weight", "conflict_cosine"}
    assert set(strategy.columns()) == own | cosines
    assert strategy.counts() == {"solver_failures": 0}


def test_measured_losses_of_a_step_are_those_of_all_its_micro_batches_and_processes():
    other = torch.tensor([[1.0, 0, 0, 0], [1.0, 0, 0, 0]], dtype=torch.float64)
    made = setting(masses=MASSES, processes=Rank(0, other))
    strategy = build(made, weighting={"type": "FAMO"})
    for number in range(2):
        strategy.loss(torch.tensor([0.5, 0.25]), torch.tensor([0, 1]), number)
    seen = []
    strategy.weighting.look_again = lambda before, after: seen.append((before, after))
    strategy.look_again(torch.tensor([0.5, 0.25]), torch.tensor([0, 1]))
    before, after = seen[0]
    assert before.counts.tolist() == [4, 2, 0, 0] and before.sums.tolist() == [3, 0.5, 0, 0]
    assert after.counts.tolist() == [2, 1, 0, 0]
    strategy.end_step()
    strategy.loss(torch.tensor([0.5]), torch.tensor([0]), 2)
    strategy.look_again(torch.tensor([0.5]), torch.tensor([0]))
    assert seen[1][0].counts.tolist() == [2, 0, 0, 0]
