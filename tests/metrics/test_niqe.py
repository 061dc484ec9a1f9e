from __future__ import annotations

import math

import numpy as np
import pytest

from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import UnavailableError, UserError
from realsr_mtl.metrics import NIQE
from tests._inputs import photograph
from tests.metrics._basicsr import basicsr_metric


@pytest.mark.parametrize("convert_to", ["y", "gray"])
@pytest.mark.parametrize(("size", "crop"), [((200, 210), 0), ((205, 300), 4)])
def test_equals_basicsr(size, crop, convert_to):
    image = photograph(*size)
    theirs = basicsr_metric("niqe", "calculate_niqe")(
        np.ascontiguousarray(image[..., ::-1]), crop, convert_to=convert_to
    )
    metric = NIQE(crop_border=crop, convert_to=convert_to)
    assert metric(image, None) == pytest.approx(float(np.squeeze(theirs)), abs=1e-9)
    assert metric(image, photograph(*size, seed=3)) == metric(image, None)
    assert (metric.needs_reference, metric.better) == (False, "lower")


@pytest.mark.parametrize("size", [(95, 400), (96, 96), (191, 191)])
def test_needs_two_blocks(size):
    basicsr_metric("niqe", "calculate_niqe")
    with pytest.raises(UserError, match="two blocks of 96 x 96"):
        NIQE()(photograph(*size), None)
    assert math.isfinite(NIQE()(photograph(96, 192), None))


def test_a_flat_image_has_no_score_but_stops_nothing():
    basicsr_metric("niqe", "calculate_niqe")
    assert math.isnan(NIQE()(np.full((192, 192, 3), 128, np.uint8), None))


def test_without_basicsr_the_remedy_is_named(monkeypatch):
    def missing(module):
        raise UnavailableError("this needs basicsr; run 'pip install basicsr==1.4.2'")

    monkeypatch.setattr(basicsr, "load", missing)
    with pytest.raises(UnavailableError, match="pip install basicsr"):
        NIQE()
