from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.metrics import SSIM
from tests._inputs import photograph
from tests.metrics._basicsr import basicsr_metric


@pytest.mark.parametrize("y", [False, True])
def test_equal_images_score_one(y):
    image = photograph(16, 20)
    assert SSIM(test_y_channel=y)(image, image.copy()) == pytest.approx(1, abs=1e-12)
    assert SSIM(test_y_channel=y)(image, 255 - image) < 0


@pytest.mark.parametrize("y", [False, True])
@pytest.mark.parametrize("crop", [0, 4])
@pytest.mark.parametrize("size", [(32, 40), (33, 47), (19, 101)])
def test_agrees_with_basicsr(size, crop, y):
    reference = photograph(*size)
    noise = np.random.default_rng(0).integers(-9, 10, reference.shape)
    for image in (photograph(*size, seed=1), (reference + noise).clip(0, 255).astype(np.uint8)):
        theirs = basicsr_metric("psnr_ssim", "calculate_ssim")(
            image[..., ::-1], reference[..., ::-1], crop, test_y_channel=y
        )
        ours = SSIM(crop_border=crop, test_y_channel=y)(image, reference)
        assert ours == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize(("side", "crop"), [(10, 0), (18, 4)])
def test_needs_a_whole_window(side, crop):
    with pytest.raises(UserError, match="SSIM needs 11 pixels"):
        SSIM(crop_border=crop)(photograph(side, 40), photograph(side, 40))
    larger = photograph(side + 1, 40)
    assert SSIM(crop_border=crop)(larger, larger) == pytest.approx(1)
