from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from realsr_mtl.data.headers import claimed_size, complete, misread
from tests._inputs import photograph
from tests.data._files import encode
from tests.data._hostile import jpeg_claiming, png_chunk, png_of

PHOTO = photograph(40, 56)
RGB = Image.fromarray(PHOTO)
FLAT = Image.fromarray(np.zeros((512, 512, 3), np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "PPM"])
def test_the_size_is_read_without_the_pixels(kind):
    code = encode(RGB, kind)
    assert claimed_size(code) == (56, 40)
    assert claimed_size(code[: len(code) // 2]) in ((56, 40), None)


@pytest.mark.parametrize(
    "code", [b"", b"II*\0", b"P6\n4 x\n", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF", b"GIF89a"]
)
def test_no_header_no_size(code):
    assert claimed_size(code) is None


def test_sizes_that_pillow_warns_of_are_read_in_peace():
    assert claimed_size(png_of(60_000, 60_000)) == (60_000, 60_000)
    assert claimed_size(b"P5\n30000 20000\n255\n") == (30_000, 20_000)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": "4:2:0"}, {"quality": 1}]
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_flattest_jpeg_is_complete(options, mode):
    code = encode(FLAT.convert(mode), "JPEG", optimize=True, **options)
    assert complete(code)


def test_a_jpeg_that_claims_more_than_its_bytes_can_hold_is_not_complete():
    code = encode(RGB, "JPEG")
    assert complete(jpeg_claiming(code, 64, 64))
    assert not complete(jpeg_claiming(code, 30_000, 30_000))  # ten seconds of grey, else
    assert not complete(jpeg_claiming(encode(RGB, "JPEG", progressive=True), 65_500, 65_500))


@pytest.mark.parametrize("white", [1, 100, 1023, 4095])
@pytest.mark.parametrize("kind", ["P2", "P3", "P5", "P6"])
def test_other_whites_than_that_of_8_or_16_bits_are_noticed(kind, white):
    assert f"has {white} for white" in misread(f"{kind}\n# by hand\n4 1 {white}\n".encode())
    assert (
        misread(f"{kind} 4\n1\n255\n".encode()) == misread(f"{kind}\n4 1\n65535\n".encode()) == ""
    )


@pytest.mark.parametrize("code", [b"P6", b"P4\n4 1\n\x60", b"P1\n4 1\n0 1 1 0", b"P5\n4 1 " * 3000])
def test_there_is_not_always_a_white(code):
    assert misread(code) == ""


def test_animated_png_files_are_noticed():
    other = Image.fromarray(255 - PHOTO)
    animated = encode(RGB, "PNG", save_all=True, append_images=[other])
    assert "is an animated PNG" in misread(animated)
    assert misread(encode(RGB, "PNG")) == misread(png_of(4, 4, b"acTL")) == ""
    control = struct.pack(">II", 2, 0)
    assert "animated" in misread(png_of(4, 4, b"", png_chunk(b"acTL", control)))


@pytest.mark.parametrize("length", [0, 20, 10**6, 2**31 - 1, 2**32 - 1])
def test_chunks_of_a_png_that_run_past_its_end_make_it_incomplete(length):
    code = encode(RGB, "PNG")
    assert complete(code) and complete(code + b"behind the end")
    at = code.find(b"IDAT") - 4
    assert not complete(code[:at] + length.to_bytes(4, "big") + code[at + 4 :])
