from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.reporting.case_lines import draw_case_lines


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_a_figure_is_written(better):
    file = Path("band.png")
    draw_case_lines(
        {"net": [1.5, 2.2, 0.1]}, [1, 2, 0], [1.4, 2.5, 0.2], file, axis="PSNR", better=better
    )
    assert cv2.imread(str(file)).std() > 1
