from __future__ import annotations

import numpy as np
import pytest
import torch

from realsr_mtl.errors import OptionError, UserError
from realsr_mtl.metrics import METRICS, PSNR, SSIM
from realsr_mtl.metrics.base import Metric, luma, to_uint8
from tests._inputs import photograph


class Recorder(Metric):
    def score(self, image, reference):
        return float(image.size + (0 if reference is None else reference.size))


def test_border_is_cut_off_both_images():
    image = photograph(10, 12)
    assert Recorder(0, "higher")(image, image) == 2 * 10 * 12 * 3
    assert Recorder(3, "higher")(image, image) == 2 * 4 * 6 * 3
    assert Recorder(3, "higher")(image, None) == 4 * 6 * 3


@pytest.mark.parametrize(("side", "crop", "fits"), [(9, 4, True), (8, 4, False), (3, 4, False)])
def test_a_crop_must_leave_something(side, crop, fits):
    image = photograph(side, 20)
    if fits:
        assert PSNR(crop_border=crop)(image, image) == float("inf")
    else:
        with pytest.raises(UserError, match=f"nothing inside crop {crop}"):
            PSNR(crop_border=crop)(image, image)


@pytest.mark.parametrize("metric", [PSNR(), SSIM()])
def test_sizes_must_agree(metric):
    with pytest.raises(UserError, match=r"\(32, 40\) and reference \(32, 44\) differ.*scale"):
        metric(photograph(32, 40), photograph(32, 44))


def test_basicsr_names_build_and_mistakes_are_explained():
    block = {"type": "calculate_psnr", "crop_border": 4, "test_y_channel": True}
    metric = METRICS.build(block)
    assert isinstance(metric, PSNR)
    assert (metric.crop_border, metric.test_y_channel, metric.better) == (4, True, "higher")
    with pytest.raises(OptionError, match=r"val:metrics:psnr:.*did you mean 'calculate_psnr'"):
        METRICS.build({"type": "calculate_pnsr"}, path=("val", "metrics", "psnr"))
    with pytest.raises(OptionError, match="must not be negative, found -1"):
        METRICS.build({"type": "PSNR", "crop_border": -1})
    with pytest.raises(OptionError, match="did you mean 'crop_border'"):
        METRICS.build({"type": "PSNR", "crop_bordr": 4})


def test_to_uint8_clamps_and_rounds():
    levels = torch.tensor([-0.5, 0.4 / 255, 0.6 / 255, 254.6 / 255, 1.5]).reshape(1, 1, 5)
    image = to_uint8(levels.repeat(3, 1, 1).requires_grad_())
    assert image.shape == (1, 5, 3)
    assert image.dtype == np.uint8
    assert image[0, :, 1].tolist() == [0, 0, 1, 255, 255]


def test_luma_is_studio_range_of_rgb():
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 0, 255]]], np.uint8)
    np.testing.assert_allclose(luma(colours), [[16, 235, 81.481, 40.966]])
