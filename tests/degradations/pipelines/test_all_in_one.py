from __future__ import annotations

import math

import pytest
import torch

from realsr_mtl.degradations import RandomStreams, degrade, degrade_patches
from realsr_mtl.degradations.pipelines.all_in_one import KINDS
from realsr_mtl.degradations.samplers import AllInOne
from tests._inputs import photographs

EVERY = ("noise", "rain", "haze", "snow", "raindrop", "low_light", "blur")


def _records(kind: str, count: int = 4, **options: object):
    sampler = AllInOne(1, kinds=(kind,), **options)
    return sampler.sample(torch.arange(count), RandomStreams(2))


@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_changes_the_image_in_its_own_way(kind: str):
    images = photographs(4, 96, 80)
    lq = degrade(images, _records(kind))
    assert lq.shape == images.shape and lq.min() >= 0 and lq.max() <= 1
    torch.testing.assert_close(lq * 255, (lq * 255).round(), rtol=0, atol=1e-4)
    assert torch.equal(lq, degrade(images, _records(kind)))
    change = (lq - images).double()
    assert change.abs().mean() > 0.002
    brighter = {"rain": 1, "haze": None, "snow": None, "low_light": -1}.get(kind)
    if brighter:
        assert (change * brighter).mean() > 0.005
        assert (change * brighter > -0.2).all()


@pytest.mark.parametrize("kind", EVERY)
def test_patches_are_parts_of_the_whole(kind: str):
    images, records = photographs(4, 96, 80), _records(kind)
    corners = torch.tensor([[0, 0], [10, 33], [64, 48], [31, 7]])
    whole = degrade(images, records)
    lq, gt = degrade_patches(images, records, corners, 32)
    for i, (y, x) in enumerate(corners.tolist()):
        assert torch.equal(gt[i], images[i, :, y : y + 32, x : x + 32])
        difference = (lq[i] - whole[i, :, y : y + 32, x : x + 32]).abs() * 255
        assert difference.max() < 1.01 and (difference > 0.5).double().mean() < 2e-3


@pytest.mark.parametrize("level", [15, 25, 50])
def test_noise_is_that_of_the_field_clipped_and_truncated(level: int):
    """art.md section 4.1: n ~ N(0, sigma^2) on 8 bits, clipped, rounded down."""
    grey = torch.full((8, 3, 128, 128), 128 / 255)
    lq = degrade(grey, _records(f"noise{level}", 8)) * 255 - 128
    assert float(lq.mean()) == pytest.approx(-0.5, abs=6 * level / math.sqrt(lq.numel()))
    spread = float(lq.std())
    assert spread == pytest.approx(level, rel=0.01 if level < 50 else 0.03)  # 50 is clipped a bit
    assert len({tuple(sample.flatten()[:8].tolist()) for sample in lq}) == 8


def test_codes_stand_for_the_kinds():
    sampler = AllInOne(1, kinds=EVERY)
    records = sampler.sample(torch.arange(700), RandomStreams(0))
    assert records["kind"].unique().tolist() == list(range(len(KINDS)))
    rain = records["kind"] == KINDS.index("rain")
    assert torch.equal(records["rain_length"].isnan(), ~rain)
