from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.reporting.gallery import Example, Gallery, Tile, read_gallery, write_gallery

EXAMPLE = Example(
    "mild", "<b>", "worst", {"psnr": 20.0}, {}, [Tile("001_lq.png", "LQ")], {"blur": 1.5}
)
GALLERY = Gallery("val", "psnr", 20, ["a note"], [EXAMPLE])


def test_what_is_written_is_read() -> None:
    assert read_gallery(Path("report")) is None
    write_gallery(GALLERY, Path("report"))
    assert read_gallery(Path("report")) == GALLERY


def test_a_damaged_list_is_named() -> None:
    write_gallery(GALLERY, Path("report"))
    Path("report/images/gallery.json").write_text('{"examples": [{}]}')
    with pytest.raises(UserError, match=r"gallery\.json' is damaged"):
        read_gallery(Path("report"))
