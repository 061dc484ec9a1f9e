"""What degraded images are compared by: their histograms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Histograms = npt.NDArray[np.float64]
"""``[N, F]``, not negative, every row with the sum 1."""

LEVELS = 256


def histogram(images: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float64]:
    """The histograms of R, G and B of one or several 8-bit images, behind one another.

    Args:
        images: ``[3, h, w]`` each, the degraded versions of one or several references.

    Returns:
        ``[768 n]`` with the sum 1. Which histogram SEAL takes is not published.
    """
    counts = [np.bincount(plane.ravel(), minlength=LEVELS) for image in images for plane in image]
    feature = np.concatenate(counts).astype(np.float64)
    return np.asarray(feature / feature.sum())


def roots(histograms: Histograms) -> Histograms:
    """``sqrt(p)``, rows of length 1: their products are ``sum_b sqrt(p_b q_b)``.

    The Hellinger distance ``1 - sum_b sqrt(p_b q_b)`` is half the squared distance between them,
    so neighbours in the one are neighbours in the other.
    """
    return np.asarray(np.sqrt(histograms))
