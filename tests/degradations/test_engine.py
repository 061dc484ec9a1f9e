from __future__ import annotations

import json

import pytest
import torch

from realsr_mtl.degradations import (
    SAMPLERS,
    DegradationParameters,
    RandomStreams,
    degrade,
    degrade_patches,
)
from realsr_mtl.degradations.boxes import Box
from realsr_mtl.degradations.engine import Plan, _float32
from realsr_mtl.degradations.operators import usm_sharpen
from realsr_mtl.degradations.pipelines import PIPELINES
from realsr_mtl.degradations.pipelines.all_in_one import KINDS
from tests._inputs import photographs
from tests.degradations._records import changed

SAMPLER_NAMES = ["RealESRGAN", "Gated", "BSRGAN", "FirstOrder", "Classical", "AllInOne"]
EVERY_SAMPLER = pytest.mark.parametrize("name", SAMPLER_NAMES)


def _records(name: str, count: int, scale: int = 4):
    options = {"kinds": [k for k in KINDS if scale > 1 or k != "resize"]}
    block = {"type": name, **(options if name == "AllInOne" else {})}
    return SAMPLERS.build(block, scale).sample(torch.arange(count), RandomStreams(0))


@EVERY_SAMPLER
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_batch_equals_the_samples_one_by_one(name, scale, implementation):
    images, records = photographs(20, 48, 32), _records(name, 20, scale)
    lq = degrade(images, records)
    assert lq.shape == (20, 3, 48 // scale, 32 // scale)
    for i in range(20):
        assert torch.equal(degrade(images[i : i + 1], records.select([i]))[0], lq[i])


@EVERY_SAMPLER
def test_records_read_back_from_json_give_the_same_images(name, implementation):
    images, records = photographs(12, 48, 32), _records(name, 12)
    again = DegradationParameters.from_json(json.loads(json.dumps(records.to_json())))
    assert again.to_json() == records.to_json()
    assert torch.equal(degrade(images, again), degrade(images, records))


@EVERY_SAMPLER
def test_both_implementations_agree(name, monkeypatch):
    images, records = photographs(40, 64, 48), _records(name, 40)
    arrays = degrade(images, records)
    monkeypatch.setattr("realsr_mtl.degradations.operators.canvas.by_arrays", lambda image: False)
    difference = (degrade(images, records) - arrays).abs() * 255
    # float32 sums in another order: now and then a JPEG coefficient or a photon flips
    assert (difference > 0.5).double().mean() < 0.03 and difference.mean() < 0.06


@EVERY_SAMPLER
def test_a_patch_is_that_of_the_whole_image(name):
    count, side = 48, 6
    images, records = photographs(count, 120, 96), _records(name, count)
    if records.pipeline == "second_order":  # Poisson noise counts the grey levels of the part
        gaussian = {"noise_type": 0, "gaussian_sigma": 4}
        records = changed(records, **{f"{n}{s}": v for n, v in gaussian.items() for s in (1, 2)})
    generator = torch.Generator().manual_seed(0)
    corners = torch.stack([torch.randint(0, n, (count,), generator=generator) for n in (25, 19)], 1)
    corners[:4] = torch.tensor([[0, 0], [24, 18], [0, 18], [24, 0]])
    whole = degrade(images, records)
    lq, gt = degrade_patches(images, records, corners, side)
    wrong = torch.zeros(count)
    for i, (y, x) in enumerate(corners.tolist()):
        expected = whole[i, :, y : y + side, x : x + side]
        wrong[i] = ((lq[i] - expected).abs() > 0.5 / 255).double().mean()
        hr = images[i, :, 4 * y : 4 * (y + side), 4 * x : 4 * (x + side)]
        assert torch.equal(gt[i], hr)
    # Fourier transforms of another size round differently, and a JPEG may magnify that
    assert (wrong == 0).double().mean() >= 0.85 and wrong.max() < 0.2 and wrong.mean() < 0.01


def test_a_patch_needs_less_than_the_image_and_never_more():
    records = _records("RealESRGAN", 100)
    programs = PIPELINES["second_order"](records, (400, 400))
    areas = []
    for program in programs:
        plan = Plan(program, (400, 400), Box(30, 30, 62, 62))
        for box, size in zip(plan.boxes, plan._sizes, strict=True):
            assert 0 <= box.top < box.bottom <= size[0] and 0 <= box.left < box.right <= size[1]
        first = plan.boxes[0]
        assert first.union(Box(120, 120, 248, 248)) == first
        areas.append(first.size[0] * first.size[1])
    assert 200**2 < sum(areas) / len(areas) < 350**2


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_sharpened_patches_are_those_of_the_sharpened_image(dtype, implementation):
    levels = (photographs(6, 160, 128) * 255).round()
    images = levels.to(torch.uint8) if dtype == torch.uint8 else levels / 255
    records = _records("Classical", 6)
    corners = torch.tensor([[0, 0], [32, 24], [16, 12], [32, 0], [0, 24], [5, 7]])
    lq, gt = degrade_patches(images, records, corners, 8, sharpen=True)
    sharp = usm_sharpen(levels / 255)
    whole = degrade(sharp, records)
    for i, (y, x) in enumerate(corners.tolist()):
        expected = sharp[i, :, 4 * y : 4 * y + 32, 4 * x : 4 * x + 32]
        assert torch.allclose(gt[i], expected, atol=1e-6)
        difference = (lq[i] - whole[i, :, y : y + 8, x : x + 8]).abs() * 255
        assert difference.max() < 1.1 and (difference > 0.5).double().mean() < 0.02


@pytest.mark.parametrize("corner", [(-1, 0), (0, 23), (25, 0)])
def test_patches_beyond_the_image_are_refused(corner):
    with pytest.raises(ValueError, match="a patch of 8 LQ pixels reaches beyond"):
        degrade_patches(
            photographs(1, 128, 120), _records("Classical", 1), torch.tensor([corner]), 8
        )


def test_bytes_are_levels_and_other_channels_are_refused():
    images, records = photographs(2, 32, 32), _records("RealESRGAN", 2)
    levels = (images * 255).round().to(torch.uint8)
    assert torch.equal(degrade(levels, records), degrade(images, records))
    with pytest.raises(ValueError, match="3 channels"):
        degrade(images[:, :1], records)
    with pytest.raises(ValueError, match="2 images but 1 patches"):
        degrade_patches(images, records, torch.zeros(1, 2, dtype=torch.int64), 4)


def test_degradations_are_float32_whatever_the_network_uses():
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    try:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
        with _float32():
            assert not torch.backends.cudnn.allow_tf32
            assert not torch.backends.cuda.matmul.allow_tf32
        assert torch.backends.cudnn.allow_tf32 and torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@EVERY_SAMPLER
def test_on_a_gpu_samples_do_not_depend_on_their_batch_and_agree_with_the_cpu(name):
    images, records = photographs(24, 64, 48), _records(name, 24)
    device = torch.device("cuda")
    lq = degrade(images.to(device), records)
    assert lq.device.type == "cuda"
    for i in range(24):
        alone = degrade(images[i : i + 1].to(device), records.select([i]))[0]
        assert (alone - lq[i]).abs().max() <= 1e-5
    difference = (lq.cpu() - degrade(images, records)).abs() * 255
    assert (difference > 0.5).double().mean() < 0.03 and difference.mean() < 0.06
