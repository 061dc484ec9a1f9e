from __future__ import annotations

import numpy as np

from realsr_mtl.seal.line_summary import line_summary
from realsr_mtl.seal.lines import Lines

NAMES = ["a", "b", "c"]


def summary(high: list[float], bicubic: list[float]) -> str:
    low, high_line = np.array([20.0, 21, 22]), np.array(high)
    lines = Lines(NAMES, {"psnr": low}, {"psnr": high_line}, {"psnr": None})
    return line_summary(lines, {"psnr": bicubic}, {"psnr": "higher"}, {"psnr": 0.1})


def test_good_lines():
    text = summary([20.5, 21.2, 22.3], [19, 20, 21])
    assert "psnr: 3 of 3 cases have a gap of 0.1 or more" in text
    assert "acceptance 20.000, 21.000, 22.000, excellence 20.500, 21.200, 22.300" in text
    assert "gap 0.200, 0.300, 0.500; acceptance above bicubic in 3 of 3" in text
    assert "longer" not in text
    assert "warning" not in text


def test_lines_that_ask_for_more_training():
    text = summary([20.5, 20.9, 22.05], [21, 20, 21])
    assert "1 of 3 cases" in text
    assert "excellence below acceptance, train longer: b" in text
    assert "above bicubic in 2 of 3" in text
    assert "has not been learnt" in text


def test_smaller_may_be_better():
    low = np.array([0.5, 0.6])
    lines = Lines(["a", "b"], {"lpips": low}, {"lpips": low - 0.02}, {"lpips": None})
    text = line_summary(lines, {"lpips": [0.7, 0.7]}, {"lpips": "lower"}, {"lpips": 0.01})
    assert "2 of 2 cases have a gap" in text
    assert "above bicubic in 2 of 2" in text
