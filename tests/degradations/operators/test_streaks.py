from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.degradations.operators.streaks import line_kernel, streak_kernel


@pytest.mark.parametrize("angle", [0, 0.4, -0.4, 1.2])
@pytest.mark.parametrize("length", [1, 7.5, 20])
def test_a_line_lies_along_its_angle(angle: float, length: float):
    kernel = line_kernel(length, angle).astype(np.float64)
    assert kernel.shape[0] == kernel.shape[1] and kernel.shape[0] % 2 == 1
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert np.allclose(kernel, kernel[::-1, ::-1])
    reach = len(kernel) // 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    if length > 5:
        covariance = np.array([[(kernel * a * b).sum() for b in (y, x)] for a in (y, x)])
        values, vectors = np.linalg.eigh(covariance)
        assert abs(vectors[:, 1] @ (-np.cos(angle), np.sin(angle))) > 0.999
        assert values[1] == pytest.approx(length**2 / 12, rel=0.15)


def test_a_positive_angle_leans_to_the_right_at_the_top():
    kernel = streak_kernel(15, 0.5, 2)
    top = kernel[: len(kernel) // 2 - 1]
    assert (top * np.arange(len(kernel))).sum() / top.sum() > len(kernel) // 2 + 1


def test_a_streak_is_brightest_in_the_middle_and_fades():
    kernel = streak_kernel(12, 0, 3)
    middle = len(kernel) // 2
    assert kernel[middle, middle] == kernel.max() == 1
    column = kernel[:, middle]
    assert (np.diff(column[: middle + 1]) >= 0).all() and column[middle - 7] == 0
    assert streak_kernel(20, 0, 4)[len(streak_kernel(20, 0, 4)) // 2][-3:].max() < 0.1
