from __future__ import annotations

import pytest

from realsr_mtl.metrics import METRICS, PSNR, SSIM
from tests._inputs import photograph


@pytest.mark.parametrize(("name", "plain"), [("AllWeatherPSNR", PSNR), ("AllWeatherSSIM", SSIM)])
def test_the_numbers_are_those_of_y_without_a_border(name: str, plain: type):
    image, reference = photograph(40, 36, 1), photograph(40, 36, 2)
    metric = METRICS.build({"type": name})
    assert metric(image, reference) == plain(test_y_channel=True)(image, reference)
    assert (metric.protocol, metric.rounds) == ("AllWeather", True)
