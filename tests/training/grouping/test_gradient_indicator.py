from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.tasks import draw_points
from realsr_mtl.training.grouping.gradient_indicator import GradientIndicator
from realsr_mtl.training.grouping.indicator import PointBatches
from tests.training.grouping._plans import grouping_plan, prepare


def test_the_score_is_the_share_of_the_gradient_that_batches_have_in_common(
    make_images: Callable[..., Path],
):
    prepare(make_images)
    plan, points = grouping_plan(), draw_points(RealESRGAN(4), 3, 0)
    network, device = plan.pretrained(), torch.device("cpu")
    images = plan.images("train")
    own = GradientIndicator(plan, images, points, network, batches=4, device=device)
    batches = PointBatches(plan, images, points, 4, device)
    for task, score in enumerate(own.scores(range(3))):
        rows, losses = [], []
        for step in range(4):
            batch = batches.make(step, [task])
            loss = (network(batch.lq) - batch.gt).abs().mean()
            gradient = torch.autograd.grad(loss, list(network.parameters()))
            rows.append(torch.cat([g.reshape(-1) for g in gradient]).double())
            losses.append(float(loss.detach()))
        pairs = [float(a @ b) for a, b in itertools.combinations(rows, 2)]
        squares = [float(row @ row) for row in rows]
        wanted = 1 - (sum(pairs) / 6) / (sum(squares) / 4)
        assert score.indicator == pytest.approx(wanted, rel=1e-4)
        assert score.before == pytest.approx(sum(losses) / 4, rel=1e-5)
        assert score.after is None
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_network_without_any_gradient_is_satisfied(make_images: Callable[..., Path]):
    prepare(make_images)
    plan, points = grouping_plan(), draw_points(RealESRGAN(4), 1, 0)
    plan = plan.changed(["train:pixel_opt={type: L1Loss, loss_weight: 0}"])
    own = GradientIndicator(
        plan,
        plan.images("train"),
        points,
        plan.pretrained(),
        batches=2,
        device=torch.device("cpu"),
    )
    assert own.scores([0])[0].indicator == 1
