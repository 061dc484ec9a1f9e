from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from realsr_mtl.errors import UserError
from realsr_mtl.metrics import METRICS, AirNetPSNR, AirNetSSIM
from tests._inputs import photograph


@pytest.mark.parametrize("seed", range(3))
def test_the_numbers_are_scikit_images_on_unrounded_rgb(seed: int):
    reference = photograph(48, 56, seed)
    noise = np.random.default_rng(seed).normal(0, 7.3, reference.shape)
    image = (reference + noise).clip(0, 255).astype(np.float32)
    pair = (reference / 255, image.astype(np.float64) / 255)
    psnr, ssim = AirNetPSNR()(image, reference), AirNetSSIM()(image, reference)
    assert psnr == pytest.approx(peak_signal_noise_ratio(*pair, data_range=1), abs=1e-9)
    expected = structural_similarity(*pair, channel_axis=2, data_range=1)
    assert ssim == pytest.approx(expected, abs=1e-9)
    assert AirNetPSNR()(image.round(), reference) != psnr  # rounding would show


def test_equal_images_are_perfect():
    image = photograph(20, 20)
    assert AirNetPSNR()(image.astype(np.float32), image) == float("inf")
    assert AirNetSSIM()(image.astype(np.float32), image) == pytest.approx(1)


def test_images_smaller_than_the_window_are_refused():
    image = photograph(6, 20)
    with pytest.raises(UserError, match="needs 7 pixels a side"):
        AirNetSSIM()(image, image)


def test_the_protocol_does_not_round_and_has_a_name():
    for name in ("AirNetPSNR", "AirNetSSIM"):
        metric = METRICS.build({"type": name})
        assert (metric.protocol, metric.rounds, metric.crop_border) == ("AirNet", False, 0)
