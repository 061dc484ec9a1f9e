from __future__ import annotations

from typing import get_args

import pytest

from realsr_mtl.data.layouts import LAYOUTS, SetName
from tests.data._published import PAIRS


def test_every_name_has_a_layout():
    assert get_args(SetName) == tuple(LAYOUTS) == tuple(PAIRS)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_picture_shows_the_folders(name: str):
    layout = LAYOUTS[name]
    lq, _, gt = layout.picture.partition(" with ")
    assert lq.startswith(f"{layout.lq or layout.gt}/")
    assert (layout.lq is None) == (gt == "")
    assert gt == "" or gt.startswith((f"{layout.gt}/", "../gt/"))
    assert "\n" not in layout.picture and len(layout.picture) < 100


def test_the_repeat_factors_of_promptir_give_its_epoch():
    """142,431 samples: noise 3 x 3 x 5,144, rain 120 x 200, haze 72,135."""
    noise, rain, haze = (LAYOUTS[name].count for name in ("BSD400_WED", "Rain100L_train", "OTS"))
    assert 3 * 3 * noise + 120 * rain + haze == 142_431
