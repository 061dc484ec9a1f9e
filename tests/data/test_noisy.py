from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from realsr_mtl.data import DATASETS, NoisyImages, TrainingLoader
from realsr_mtl.data.loader import Patch
from realsr_mtl.data.noisy import noisy
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.evaluation import EvaluationSet
from tests._inputs import photograph


@pytest.mark.parametrize("sigma", [15, 25, 50])
def test_noise_is_added_on_8_bits_clipped_and_rounded_down(sigma: int):
    clean = np.full((200, 220, 3), 128, np.uint8)
    difference = noisy(clean, sigma, 3).astype(np.float64) - 128
    assert difference.mean() == pytest.approx(-0.5, abs=6 * sigma / np.sqrt(difference.size))
    assert difference.std() == pytest.approx(sigma, rel=0.01 if sigma < 50 else 0.03)
    assert np.array_equal(noisy(clean, sigma, 3), noisy(clean, sigma, 3))
    assert not np.array_equal(noisy(clean, sigma, 3), noisy(clean, sigma, 4))
    dark = np.zeros((50, 50, 3), np.uint8)
    assert (noisy(dark, sigma, 3) == 0).mean() == pytest.approx(0.5, abs=0.05)


def test_16_bit_files_are_brought_to_8_bits():
    clean = photograph(20, 24)
    assert np.array_equal(noisy(clean.astype(np.uint16) * 257, 20, 1), noisy(clean, 20, 1))


def _loader(images: NoisyImages, seed: int = 0) -> TrainingLoader:
    patch = Patch(16, 16, 1, hflip=True, rot=True)
    return TrainingLoader(images, patch, RandomStreams(seed), batch_size=6, workers=0)


def test_every_sample_has_noise_of_its_own(make_images: Callable[..., Path]):
    make_images("clean", count=1, size=(16, 16))
    images = DATASETS.build({"type": "NoisyImages", "dataroot_gt": "clean", "sigma": 25}, 1)
    assert isinstance(images, NoisyImages) and images.tasks == ["noise25"]
    first = next(iter(_loader(images)))
    assert first.lq is not None and first.lq.dtype == torch.uint8
    error = (first.lq.float() - first.gt.float()).flatten(1)
    assert error.std(1).min() > 15
    assert len({tuple(row.tolist()) for row in error}) == 6
    again = next(iter(_loader(images)))
    assert torch.equal(first.lq, again.lq)
    assert not torch.equal(first.lq, next(iter(_loader(images, 1))).lq)
    assert first.task is not None and first.task.tolist() == [0] * 6


def test_validation_noise_is_frozen_by_name(make_images: Callable[..., Path]):
    make_images("clean", count=2, size=(24, 32))
    images = NoisyImages(1, sigma=15, dataroot_gt="clean", task="night")
    frozen = EvaluationSet("set", images, 1, None, seed=4, crop_multiple=16)
    assert len(frozen) == 2 and frozen.tasks == ["night"]
    item = frozen.load(1)
    assert torch.equal(item.lq, frozen.load(1).lq) and item.gt.shape == (16, 32, 3)
    error = item.lq[0].permute(1, 2, 0) * 255 - torch.from_numpy(item.gt.astype(np.float32))
    assert 10 < float(error.std()) < 17
    other = EvaluationSet("set", images, 1, None, seed=5, crop_multiple=16).load(1)
    assert not torch.equal(item.lq, other.lq)


def test_wrong_options_are_refused(make_images: Callable[..., Path]):
    make_images("clean", count=1, size=(24, 32))
    with pytest.raises(ValueError, match="noise keeps the size"):
        NoisyImages(4, sigma=15, dataroot_gt="clean")
    with pytest.raises(ValueError, match="greater than 0"):
        DATASETS.build({"type": "NoisyImages", "dataroot_gt": "clean", "sigma": 0}, 1)
