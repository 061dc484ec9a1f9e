from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.metrics import PSNR
from tests._inputs import photograph
from tests.metrics._basicsr import basicsr_metric


def test_known_value():
    image = np.zeros((4, 4, 3), np.uint8)
    assert PSNR()(image, image + np.uint8(1)) == pytest.approx(20 * np.log10(255))


@pytest.mark.parametrize("y", [False, True])
def test_equal_images_are_infinite_and_order_does_not_matter(y):
    a, b = photograph(16, 20), photograph(16, 20, seed=1)
    assert PSNR(test_y_channel=y)(a, a.copy()) == float("inf")
    assert PSNR(test_y_channel=y)(a, b) == pytest.approx(PSNR(test_y_channel=y)(b, a))


@pytest.mark.parametrize("y", [False, True])
@pytest.mark.parametrize("crop", [0, 4])
@pytest.mark.parametrize("size", [(32, 40), (33, 47), (9, 101)])
def test_agrees_with_basicsr(size, crop, y):
    reference = photograph(*size)
    noise = np.random.default_rng(0).integers(-9, 10, reference.shape)
    for image in (photograph(*size, seed=1), (reference + noise).clip(0, 255).astype(np.uint8)):
        theirs = basicsr_metric("psnr_ssim", "calculate_psnr")(
            image[..., ::-1], reference[..., ::-1], crop, test_y_channel=y
        )
        ours = PSNR(crop_border=crop, test_y_channel=y)(image, reference)
        assert ours == pytest.approx(theirs, abs=1e-4)


def test_the_largest_error_does_not_overflow():
    black, white = np.zeros((300, 301, 3), np.uint8), np.full((300, 301, 3), 255, np.uint8)
    assert PSNR()(black, white) == pytest.approx(0)
    assert PSNR(test_y_channel=True)(black, white) == pytest.approx(20 * np.log10(255 / 219))
