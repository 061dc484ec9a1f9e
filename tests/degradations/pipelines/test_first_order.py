from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from realsr_mtl.degradations import RandomStreams, degrade
from realsr_mtl.degradations.operators import blur_kernels, imresize
from realsr_mtl.degradations.samplers import FirstOrder
from tests._inputs import photographs

NAMES = ("kernel_type1", "kernel_size1", "sigma_x1", "sigma_y1", "rotation1", "beta1", "cutoff1")


@pytest.mark.parametrize("downscale", ["bicubic", "s-fold"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_noise_free_images_equal_the_formula_in_double_precision(downscale, scale):
    images = photographs(6, 60, 48)
    sampler = FirstOrder(scale, downscale=downscale, noise_range=(0, 0))
    records = sampler.sample(torch.arange(6), RandomStreams(0))
    kernels = blur_kernels(*(records[name] for name in NAMES)).double()
    padded = F.pad(images.double(), (10,) * 4, mode="reflect")
    blurred = F.conv2d(
        padded.reshape(1, 18, 80, 68), kernels.repeat_interleave(3, 0)[:, None], groups=18
    ).view(6, 3, 60, 48)
    if downscale == "bicubic":
        small = imresize(blurred, 1 / scale).double()
    else:
        small = blurred[..., ::scale, ::scale]
    expected = (small.clamp(0, 1) * 255).round()
    difference = (degrade(images, records).double() * 255 - expected).abs()
    assert difference.max() < 1.01 and (difference > 0.5).double().mean() < 1e-3
