from __future__ import annotations

import pytest

from realsr_mtl.seal.tags import tags


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"gaussian_sigma1": 5.0, "gaussian_sigma2": 20.0}, {"noise": "above 20"}),
        ({"gaussian_sigma": 9.9, "poisson_scale1": None}, {"noise": "below 10"}),
        ({"gaussian_sigma1": None, "poisson_scale1": 1.0}, {"noise": "10 to 20"}),
        ({"jpeg_quality1": 80, "jpeg_quality2": 49}, {"jpeg": "below 50"}),
        ({"jpeg_quality1": None, "jpeg_quality2": 75}, {"jpeg": "above 75"}),
        ({"kernel_type1": 0, "cutoff1": None, "final_cutoff": 2.0}, {"blur": "sinc"}),
        ({"kernel_type1": 0, "cutoff1": None}, {"blur": "no sinc"}),
        ({"pipeline": "rain"}, {}),
    ],
)
def test_bands(record, found):
    assert tags(record) == found
