from __future__ import annotations

import math

import pytest

from realsr_mtl.reporting.heat_map import Cell, cell


def _luminance(code: str) -> float:
    levels = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("colours", ["RdBu", "viridis"])
def test_text_stands_out_from_every_colour(colours: str) -> None:
    for step in range(101):
        found = cell("1", step / 100, colours)
        low, high = sorted((_luminance(found.background), _luminance(found.ink)))
        assert (high + 0.05) / (low + 0.05) > 4.5


def test_places_beyond_the_scale_are_clipped_and_no_number_has_no_colour() -> None:
    assert cell("x", 7, "RdBu") == cell("x", 1, "RdBu")
    assert cell("", math.nan, "RdBu") == Cell("")
