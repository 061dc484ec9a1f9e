"""Art: the worked examples of its specification, to the printed digits."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch

from realsr_mtl.strategies import Strategy
from realsr_mtl.strategies.sampling import Natural
from realsr_mtl.strategies.weighting import ActiveReweighting
from realsr_mtl.tasks import TaskLosses
from tests._strategies import f64, setting, step

L, E, M = [0.040, 0.030, 0.020], [0.042, 0.031, 0.021], [0.025, 0.015, 0.010]


def art(average: Sequence[float], best: Sequence[float], **options) -> ActiveReweighting:
    weighting = ActiveReweighting(setting(len(average)), **options)
    weighting.statistics.average = f64(average)
    weighting.statistics.best = f64(best)
    weighting.statistics.updates += 1
    return weighting


def shares(weighting: ActiveReweighting, given: TaskLosses) -> torch.Tensor:
    """Weights with sum 1, as Art writes them."""
    weights = weighting.weigh(given, 0)
    return weights / given.present.sum()


def test_the_worked_example():
    weighting = art(E, M)
    z = weighting.scores(step(L)).tolist()
    assert z == pytest.approx([10.91443, 11.59037, 11.21127], abs=5e-6)
    w = shares(weighting, step(L))
    assert w.tolist() == pytest.approx([0.231938, 0.455964, 0.312098], abs=5e-7)
    assert float((w * f64(L)).sum()) == pytest.approx(0.0291984, abs=5e-8)


def test_an_absent_task():
    weighting = art(E, M)
    given = step([0.040, 0.030, None])
    w = shares(weighting, given)
    assert w.tolist() == pytest.approx([0.337167, 0.662833, 0], abs=5e-7)
    assert float((w * given.mean).sum()) == pytest.approx(0.0333717, abs=5e-8)
    assert weighting.statistics.average[2] == 0.021 and weighting.statistics.best[2] == 0.010


@pytest.mark.parametrize(
    ("tau", "expected"),
    [(1.0, [0.32257, 0.34513, 0.33229]), (10.0, [0.33225, 0.33451, 0.33324])],
)
def test_other_temperatures(tau, expected):
    assert shares(art(E, M, tau=tau), step(L)).tolist() == pytest.approx(expected, abs=5e-6)


def test_the_released_start():
    weighting = ActiveReweighting(setting(3), mode="reference")
    given = step([0.12, 0.08, 0.10])
    assert weighting.scores(given).tolist() == pytest.approx([13.032, 7.293, 10.000], abs=5e-4)
    w = shares(weighting, given).tolist()
    assert w == pytest.approx([0.95107, 0.00306, 0.04587], abs=5e-6)


def test_five_tasks():
    weighting = art(
        [0.0160, 0.0220, 0.0310, 0.0130, 0.0220], [0.0090, 0.0130, 0.0190, 0.0050, 0.0080]
    )
    given = step([0.0165, 0.0215, 0.0305, 0.0120, 0.0240])
    expected = [11.8354, 11.0532, 11.1730, 11.0579, 14.1224]
    assert weighting.scores(given).tolist() == pytest.approx(expected, abs=5e-5)
    w = shares(weighting, given).tolist()
    assert w == pytest.approx([0.0814, 0.0373, 0.0420, 0.0374, 0.8019], abs=5e-5)


def test_the_state_moves_after_it_was_used():
    weighting = art(E, M)
    shares(weighting, step(L))
    known = weighting.statistics
    assert known.average.tolist() == pytest.approx([0.04198, 0.03099, 0.02099], abs=5e-9)
    assert known.best.tolist() == M
    shares(weighting, step([0.02, 0.03, 0.005]))
    assert known.best.tolist() == [0.02, 0.015, 0.005]


def test_the_gradient_of_a_sample_is_the_weight_of_its_task():
    made = setting(3)
    weighting = art(E, M)
    output = torch.zeros(3, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    target = f64(L)[:, None, None, None].expand_as(output)
    losses = (output - target).abs().mean((1, 2, 3))
    Strategy(made, Natural(made), weighting).loss(losses, torch.arange(3), 0).backward()
    found = output.grad.abs().sum((1, 2, 3))
    assert found.tolist() == pytest.approx([0.231938, 0.455964, 0.312098], abs=5e-7)


def test_doubling_the_samples_of_a_task_changes_nothing():
    one = shares(art(E, M), step(L, [1, 1, 1]))
    two = shares(art(E, M), step(L, [1, 2, 1]))
    assert torch.equal(one, two)


def test_equal_tasks_have_exactly_equal_weights():
    w = shares(art([0.03] * 3, [0.02] * 3), step([0.031] * 3))
    assert w.tolist() == [1 / 3] * 3


def test_the_defect_of_the_released_code_would_be_seen():
    """An average that stays at its start takes all weight from its task."""
    w = shares(art([0.03, 0.03, 0.1], [0.02] * 3), step([0.03] * 3))
    assert float(w[2]) == pytest.approx(2.0e-4, abs=5e-6)
    weighting = ActiveReweighting(setting(3), mode="reference")
    for number in range(600):
        weighting.weigh(step([0.03] * 3), number)
    assert weighting.statistics.average.tolist() == pytest.approx([0.03] * 3, rel=0.01)


def test_the_stabilised_start_is_even():
    weighting = ActiveReweighting(setting(3))
    assert shares(weighting, step([0.3, 0.1, 0.05])).tolist() == pytest.approx([1 / 3] * 3)
    assert weighting.statistics.average.tolist() == [0.3, 0.1, 0.05]
    assert weighting.statistics.best.tolist() == [0.3, 0.1, 0.05]
    weighting.weigh(step([0.2, 0.2, 0.05]), 1)
    assert weighting.statistics.average.tolist() == pytest.approx([0.299, 0.101, 0.05])


def test_a_new_task_has_a_neutral_score():
    weighting = ActiveReweighting(setting(3), tau=0.1)
    weighting.weigh(step([0.3, 0.1, None]), 0)
    assert weighting.scores(step([0.2, 0.1, 0.7])).tolist()[2] == pytest.approx(10)


def test_equal_weights_during_the_warm_up():
    weighting = ActiveReweighting(setting(3), mode="reference", warmup=5)
    for number in range(5):
        assert weighting.weigh(step([0.12, 0.08, 0.10]), number).tolist() == [1, 1, 1]
    assert float(weighting.weigh(step([0.12, 0.08, 0.10]), 5).max()) > 1.5


@pytest.mark.parametrize("mode", ["stabilised", "reference"])
@pytest.mark.parametrize("values", [[0.0, 0.1, 0.1], [1.0, 0.1, 0.1], [5.0, 2.0, 255.0], [0.0] * 3])
def test_losses_outside_the_unit_interval(mode, values):
    """Finite weights, no task is lost for ever, and the true loss is used outside the score."""
    weighting = ActiveReweighting(setting(3), mode=mode)
    for number in range(3):
        weights = weighting.weigh(step(values), number)
        assert bool(weights.isfinite().all()) and float(weights.sum()) == pytest.approx(3)
    for number in range(3, 2500):
        weights = weighting.weigh(step([0.03, 0.03, 0.03]), number)
    assert bool((weights > 1e-6).all())


def test_noise_widens_the_weights_less_at_a_higher_temperature():
    """Three equal tasks with log-normal batch noise of 0.2: about 0.37 at tau 0.1, 0.09 at 1."""
    for tau, expected in ((0.1, 0.37), (1.0, 0.09)):
        weighting = ActiveReweighting(setting(3), tau=tau)
        generator = torch.Generator().manual_seed(1)
        found = []
        for _ in range(4000):
            noise = torch.randn(3, generator=generator, dtype=torch.float64)
            found.append(shares(weighting, step((0.03 * torch.exp(0.2 * noise)).tolist())))
        late = torch.stack(found[1000:])
        assert float(late.std()) == pytest.approx(expected, abs=0.03)
        assert late.mean(0).tolist() == pytest.approx([1 / 3] * 3, abs=0.09)


def test_the_best_may_be_the_smallest_average():
    weighting = ActiveReweighting(setting(1), best="average", rate=0.5)
    for number, value in enumerate([0.4, 0.1, 0.4]):
        weighting.weigh(step([value]), number)
    assert float(weighting.statistics.best) == pytest.approx(0.25)


def test_a_task_may_stay_away_for_long():
    weighting = ActiveReweighting(setting(2))
    weighting.weigh(step([0.3, 0.3]), 0)
    for number in range(1, 500):
        weighting.weigh(step([0.1, None]), number)
    w = shares(weighting, step([0.1, 0.3]))
    assert bool(w.isfinite().all()) and math.isclose(float(w.sum()), 1)
    assert weighting.statistics.updates.tolist() == [501, 2]


@pytest.mark.parametrize("options", [{"tau": 0.0}, {"warmup": -1}, {"rate": 0.0}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ValueError, match=r"rate|tau"):
        ActiveReweighting(setting(), **options)
