from __future__ import annotations

import dataclasses
import json
import math
import zlib

import pytest
import torch

from realsr_mtl.degradations import DegradationParameters, RandomStreams, degrade, degrade_patches
from realsr_mtl.degradations.operators import imresize, quantise
from realsr_mtl.degradations.pipelines.all_in_one import KINDS
from realsr_mtl.degradations.samplers import AllInOne
from tests._inputs import photographs

CASES = [(kind, scale) for scale in (1, 2, 4) for kind in KINDS if scale > 1 or kind != "resize"]
EVERY_CASE = pytest.mark.parametrize(("kind", "scale"), CASES)

AT_SCALE_1 = {
    "noise": (3023401083, 684180980),
    "rain": (131793473, 721040340),
    "haze": (592158099, 852863741),
    "snow": (4144612192, 725879249),
    "raindrop": (1377048152, 689954628),
    "low_light": (4212559681, 274892732),
    "blur": (1905626605, 693664616),
}
"""Checksums of records and LQ images, made by the code of commit 0190778, which knew no scales."""


def _records(kind: str, count: int = 4, scale: int = 1, **options: object):
    sampler = AllInOne(scale, kinds=(kind,), **options)
    return sampler.sample(torch.arange(count), RandomStreams(2))


def _at(scale: int, records: DegradationParameters) -> DegradationParameters:
    return dataclasses.replace(records, scale=scale)


@EVERY_CASE
def test_every_kind_changes_the_image_in_its_own_way(kind: str, scale: int):
    images, records = photographs(4, 96, 80), _records(kind, scale=scale)
    lq = degrade(images, records)
    assert lq.shape == (4, 3, 96 // scale, 80 // scale) and lq.min() >= 0 and lq.max() <= 1
    torch.testing.assert_close(lq * 255, (lq * 255).round(), rtol=0, atol=1e-4)
    assert torch.equal(lq, degrade(images, records))
    small = quantise(imresize(images, 1 / scale))
    change = (lq - small).double()
    if kind == "resize":
        assert change.abs().max() < 1.01 / 255 and (change.abs() > 1e-3).double().mean() < 1e-3
        return
    assert change.abs().mean() > 0.002
    brighter = {"rain": 1, "haze": None, "snow": None, "low_light": -1}.get(kind)
    if brighter:
        assert (change * brighter).mean() > 0.005
        assert (change * brighter > -0.2).all()


@pytest.mark.parametrize("kind", AT_SCALE_1)
def test_images_of_full_size_are_those_they_always_were(kind: str):
    records = _records(kind)
    rows = [{k: v for k, v in row.items() if v is not None} for row in records.to_json()]
    levels = (degrade(photographs(4, 96, 80), records) * 255).round().long().flatten()
    total = int((levels * (torch.arange(len(levels)) % 97)).sum())
    checksum, before = AT_SCALE_1[kind]
    assert zlib.crc32(json.dumps(rows).encode()) == checksum
    assert total == pytest.approx(before, rel=1e-6)  # other machines may round a pixel otherwise


@EVERY_CASE
def test_patches_are_parts_of_the_whole(kind: str, scale: int):
    images, records = photographs(4, 96 * scale, 80 * scale), _records(kind, scale=scale)
    corners = torch.tensor([[0, 0], [10, 33], [64, 48], [31, 7]])
    whole = degrade(images, records)
    lq, gt = degrade_patches(images, records, corners, 32)
    for i, (y, x) in enumerate(corners.tolist()):
        rows, columns = (slice(at * scale, (at + 32) * scale) for at in (y, x))
        assert torch.equal(gt[i], images[i, :, rows, columns])
        difference = (lq[i] - whole[i, :, y : y + 32, x : x + 32]).abs() * 255
        assert difference.max() < 1.01 and (difference > 0.5).double().mean() < 2e-3


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("noise", "low_light", "resize")])
def test_the_image_is_degraded_at_full_size_and_then_made_smaller(kind: str, scale: int):
    images, records = photographs(4, 96, 80), _records(kind, scale=scale)
    full = degrade(images, _at(1, records))
    expected = imresize(full, 1 / scale).clamp(0, 1)
    # the image of full size is rounded to 8 bits here, but not on the way to the small one
    assert ((degrade(images, records) - expected) * 255).abs().max() < 1.5


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("level", [15, 25, 50])
def test_noise_is_that_of_the_field_clipped_and_truncated(level: int, scale: int):
    """art.md section 4.1: n ~ N(0, sigma^2) on 8 bits, clipped, rounded down."""
    grey = torch.full((8, 3, 128 * scale, 128 * scale), 128 / 255)
    lq = degrade(grey, _records(f"noise{level}", 8, scale)) * 255 - 128
    assert float(lq.mean()) == pytest.approx(-0.5, abs=6 * level / math.sqrt(lq.numel()))
    spread = float(lq.std())
    assert spread == pytest.approx(level, rel=0.01 if level < 50 else 0.03)  # 50 is clipped a bit
    assert len({tuple(sample.flatten()[:8].tolist()) for sample in lq}) == 8


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_the_noise_in_the_dark_is_not_averaged_away(scale: int):
    options = {"light_gain": (0.5, 0.5), "light_gamma": (1, 1), "light_noise": (8, 8)}
    white = torch.ones(2, 3, 128 * scale, 128 * scale)
    lq = degrade(white, _records("low_light", 2, scale, **options)) * 255
    assert float(lq.mean()) == pytest.approx(127.5, abs=0.2)
    assert float(lq.std()) == pytest.approx(8, rel=0.02)


def test_the_noise_of_a_scale_is_that_of_an_image_of_the_small_size():
    records, grey = _records("noise25", scale=2), torch.full((4, 3, 64, 48), 0.5)
    assert torch.equal(degrade(grey, records), degrade(grey[..., :32, :24], _at(1, records)))


def test_codes_stand_for_the_kinds_in_the_order_in_which_they_came():
    assert KINDS[:7] == tuple(AT_SCALE_1)
    sampler = AllInOne(2, kinds=KINDS)
    records = sampler.sample(torch.arange(700), RandomStreams(0))
    assert records["kind"].unique().tolist() == list(range(len(KINDS)))
    rain = records["kind"] == KINDS.index("rain")
    assert torch.equal(records["rain_length"].isnan(), ~rain)
