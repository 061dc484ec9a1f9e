from __future__ import annotations

import numpy as np
import pytest
import torch

from realsr_mtl.data import ImageFolder
from realsr_mtl.degradations.operators import imresize
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation import cut_patches
from realsr_mtl.evaluation.landscape import Landscape
from realsr_mtl.processes import Processes


class Bicubic(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return imresize(x, 4)


def landscape(folder, count: int = 40, seed: int = 0, size: int = 32) -> Landscape:
    images = ImageFolder(4, dataroot_gt=str(folder))
    patches = cut_patches(images, 4, count=3, size=size, seed=0, sharpen=False, max_failed=0.1)
    return Landscape(RealESRGAN(4), patches, count, seed, Processes())


def test_every_record_has_a_score_that_follows_its_severity(make_images):
    made = landscape(make_images("p", 3), count=120)
    psnr = made.psnr(Bicubic())
    assert psnr.shape == (120,) and psnr.std() > 0.3
    assert set(made.table) == set(RealESRGAN(4).space.parameters)
    small = made.table["resize_scale2"] < 0.5
    assert psnr[small].mean() < psnr[~small].mean()
    assert np.isnan(made.table["poisson_scale2"]).any()


def test_scores_repeat_themselves_and_do_not_depend_on_how_many_there_are(make_images):
    folder = make_images("p", 3)
    first = landscape(folder).psnr(Bicubic())
    assert np.array_equal(first, landscape(folder).psnr(Bicubic()))
    assert np.array_equal(first[:10], landscape(folder, count=10).psnr(Bicubic()))
    assert not np.array_equal(first, landscape(folder, seed=1).psnr(Bicubic()))


def test_patches_of_several_sizes_are_refused(make_images):
    folder = make_images("p", 1, size=(24, 40))
    make_images("p", 2, size=(64, 80), first=5)
    with pytest.raises(UserError, match=r"2 sizes.*smaller gt_size"):
        landscape(folder)
