from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.seal.histograms import histogram, roots
from tests._inputs import photograph


def test_a_histogram_counts_every_channel_and_adds_up_to_one():
    image = photograph(12, 16).transpose(2, 0, 1)
    found = histogram([image])
    assert found.shape == (768,)
    assert found.sum() == pytest.approx(1)
    assert found[256 + int(image[1, 0, 0])] >= 1 / image.size
    pair = histogram([image, image[:, :6]])
    assert pair.shape == (1536,)
    assert pair[:768].sum() == pytest.approx(2 / 3)


def test_roots_have_length_one():
    found = roots(histogram([photograph(8, 8).transpose(2, 0, 1)])[None])
    assert np.square(found).sum() == pytest.approx(1)
