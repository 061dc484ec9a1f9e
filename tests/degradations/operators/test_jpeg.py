from __future__ import annotations

import io

import numpy as np
import pytest
import torch

from realsr_mtl.degradations.operators import jpeg
from tests._asserts import assert_eight_bit
from tests._inputs import photographs

pytestmark = pytest.mark.usefixtures("implementation")


@pytest.mark.parametrize("quality", [1, 30, 50, 75, 95, 100])
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (17, 23), (64, 48)])
def test_equals_pillow_with_half_chroma(size, quality):
    from PIL import Image

    image = photographs(1, *size)
    levels = (image[0].permute(1, 2, 0) * 255).round().byte().numpy()
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=quality, subsampling=2)
    expected = np.asarray(Image.open(file)).astype(float)
    result = (jpeg(image, torch.tensor([quality]))[0] * 255).permute(1, 2, 0).numpy()
    assert np.abs(result - expected).max() < 1.01  # encoders may differ by a grey level


def test_every_sample_has_its_own_quality():
    image = photographs(1, 40, 40).expand(4, -1, -1, -1)
    quality = torch.tensor([95, 30, 60, 30])
    result = jpeg(image, quality)
    assert_eight_bit(result)
    assert result.shape == image.shape and result.is_contiguous()
    for i in range(4):
        assert torch.equal(result[i], jpeg(image[i : i + 1], quality[i : i + 1])[0])
    error = (result - image).flatten(1).square().mean(1)
    assert error[0] < error[2] < error[1] and error[1] == error[3]


def test_quality_and_image_are_left_alone_and_repeated_use_is_exact():
    image, quality = photographs(2, 24, 24), torch.tensor([40.0, 80.0], dtype=torch.float64)
    before = image.clone()
    first = jpeg(image, quality)
    assert torch.equal(jpeg(image, quality), first)
    assert quality.tolist() == [40, 80] and torch.equal(image, before)


def test_values_beyond_the_range_are_clamped_first():
    image, quality = photographs(1, 24, 24) * 1.6 - 0.3, torch.tensor([70])
    rounded = (image.clamp(0, 1) * 255).round() / 255
    assert torch.equal(jpeg(image, quality), jpeg(rounded, quality))
