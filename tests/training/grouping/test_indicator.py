from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from realsr_mtl.degradations import DegradationParameters
from realsr_mtl.degradations.operators import usm_sharpen
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.errors import UserError
from realsr_mtl.tasks import PointTasks, draw_points
from realsr_mtl.training import TrainingPlan
from realsr_mtl.training.grouping.indicator import (
    FineTuneIndicator,
    PointBatches,
    Score,
    check_scores,
    chunks,
)
from tests.training.grouping._plans import grouping_plan, prepare

CPU = torch.device("cpu")


@pytest.fixture
def plan(make_images: Callable[..., Path]) -> TrainingPlan:
    prepare(make_images)
    return grouping_plan("train:optim_g:lr=1e-3")


def points(count: int = 4) -> PointTasks:
    return draw_points(RealESRGAN(4), count, 0)


def indicator(plan: TrainingPlan, steps: int = 4, window: int = 2, side_by_side: int = 1):
    network = plan.pretrained()
    return network, FineTuneIndicator(
        plan,
        plan.images("train"),
        points(),
        network,
        steps=steps,
        window=window,
        side_by_side=side_by_side,
        device=CPU,
    )


def test_all_tasks_see_the_same_crops_and_noise(plan: TrainingPlan):
    """Point 9, second half; the LQ images differ, the HR patches and noise seeds do not."""
    batches = PointBatches(plan, plan.images("train"), points(), 3, CPU)
    for step in range(3):
        both = batches.make(step, [1, 3])
        alone = batches.make(step, [3])
        assert torch.equal(both.task, torch.tensor([1] * 4 + [3] * 4))
        assert torch.equal(both.gt[:4], both.gt[4:]) and torch.equal(both.gt[4:], alone.gt)
        assert torch.equal(both.lq[4:], alone.lq) and not torch.equal(both.lq[:4], both.lq[4:])
        seeds = both.parameters["noise_seed1"]
        assert torch.equal(seeds[:4], seeds[4:])
    assert not torch.equal(batches.make(0, [1]).gt, batches.make(1, [1]).gt)


def test_the_target_is_that_of_the_option_file(plan: TrainingPlan):
    """Point 8: sharpened if training sharpens; the loss of the file is used everywhere."""
    images = plan.images("train")
    sharp = plan.changed(["gt_usm=true"])
    plain, target = (
        PointBatches(own, images, points(), 1, CPU).make(0, [1]).gt for own in (plan, sharp)
    )
    torch.testing.assert_close(target, usm_sharpen(plain), rtol=0, atol=1e-5)
    assert (target - plain).abs().max() > 0.01
    squared = plan.changed(["train:pixel_opt={type: MSELoss}"])
    batch = PointBatches(plan, images, points(), 5, CPU).make(4, [1])
    network, own = indicator(squared, window=1)
    error = (network(batch.lq) - batch.gt).detach()
    assert own.scores([1])[0].before == pytest.approx(float(error.square().mean()), rel=1e-5)


def test_the_score_is_that_of_a_plain_training_loop(plan: TrainingPlan):
    """Points 6, 7, 9 and 10 by hand: raw weights, fresh Adam, ratio on the same unseen batch."""
    network, own = indicator(plan)
    batches = PointBatches(plan, plan.images("train"), points(), 5, CPU)
    for task in (2, 0):  # in any order: nothing leaks from task to task
        trained = copy.deepcopy(network)
        optimizer = torch.optim.Adam(trained.parameters(), lr=1e-3, betas=(0.9, 0.99))
        ratios = []
        for step in range(5):
            batch = batches.make(step, [task])
            loss = (trained(batch.lq) - batch.gt).abs().mean()
            before = (network(batch.lq) - batch.gt).abs().mean()
            if step > 2:
                ratios.append(float((loss / before).detach()))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        (score,) = own.scores([task])
        assert score.indicator == pytest.approx(sum(ratios) / 2, rel=1e-5)
        assert score.after is not None
        assert score.after / score.before == pytest.approx(score.indicator, rel=1e-2)


def test_the_starting_weights_stay_as_they_are(plan: TrainingPlan):
    """Point 6."""
    network, own = indicator(plan)
    before = copy.deepcopy(network.state_dict())
    first = own.scores([1])
    own.scores([0])
    assert own.scores([1]) == first
    assert all(torch.equal(before[name], w) for name, w in network.state_dict().items())


def test_tasks_side_by_side_score_as_one_after_the_other(plan: TrainingPlan):
    plan = plan.changed(["train:optim_g={type: SGD, lr: 0.1}"])
    _, alone = indicator(plan)
    _, together = indicator(plan, side_by_side=3)
    assert alone.side_by_side == 1 and together.side_by_side == 3
    for first, second in zip(
        [own for task in range(3) for own in alone.scores([task])],
        together.scores(range(3)),
        strict=True,
    ):
        assert second.indicator == pytest.approx(first.indicator, rel=1e-4)


def test_a_learnt_task_scores_near_one_and_a_hard_corner_lower(make_images: Callable[..., Path]):
    """Point 11: a network trained on one task has little to gain there, and more elsewhere."""
    prepare(make_images)
    learnt = points(1).records
    corner = {name: values.clone() for name, values in learnt.values.items()}
    corner["noise_type2"], corner["poisson_scale2"] = torch.zeros(1), torch.tensor([math.nan])
    corner["gaussian_sigma2"] = torch.tensor([80.0])
    values = {n: torch.cat((learnt[n].double(), corner[n].double())) for n in corner}
    both = PointTasks(
        RealESRGAN(4), ["learnt", "corner"], DegradationParameters("second_order", 4, values)
    )
    plan = grouping_plan("train:optim_g:lr=2e-3")
    network, images = plan.pretrained(), plan.images("train")
    batches = PointBatches(plan, images, both, 200, CPU)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for step in range(200):
        batch = batches.make(step, [0])
        optimizer.zero_grad()
        (network(batch.lq) - batch.gt).abs().mean().backward()
        optimizer.step()
    own = FineTuneIndicator(
        plan, images, both, network, steps=40, window=10, side_by_side=1, device=CPU
    )
    easy, hard = (own.scores([task])[0].indicator for task in (0, 1))
    assert easy == pytest.approx(1, abs=0.03)
    assert hard < easy - 0.05


def test_indicators_that_are_not_finite_are_refused():
    with pytest.raises(UserError, match="task 'b' is not finite; lower"):
        check_scores({"a": Score(1, 1, 1), "b": Score(math.nan, 1, 1)})


def test_batch_normalisation_is_refused(plan: TrainingPlan):
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), torch.nn.BatchNorm2d(3))
    with pytest.raises(UserError, match="without batch normalisation"):
        FineTuneIndicator(
            plan,
            plan.images("train"),
            points(),
            network,
            steps=1,
            window=1,
            side_by_side=1,
            device=CPU,
        )


def test_chunks_lose_nothing():
    assert list(chunks([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
    assert list(chunks([], 2)) == []
