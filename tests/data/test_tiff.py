from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from realsr_mtl.data import ImageError
from realsr_mtl.data.reading import decode, decode_as_is
from realsr_mtl.data.tiff import TiffKind
from tests._inputs import photograph
from tests.data._files import encode
from tests.data._hostile import tiff_of

PHOTO = photograph(40, 56)
DEEP = PHOTO.astype(np.uint16) * 256 + 37
BLACK = np.zeros_like(PHOTO[..., :1])
RGB = Image.fromarray(PHOTO)

RIGHT = {
    "RGB": (tiff_of(PHOTO, 2), PHOTO),
    "RGB in planes": (tiff_of(PHOTO, 2, planes=2), PHOTO),
    "16-bit RGB": (tiff_of(DEEP, 2), DEEP),
    "16-bit grey": (tiff_of(DEEP[..., :1], 1), np.repeat(DEEP[..., :1], 3, 2)),
    "0 is white": (tiff_of(255 - PHOTO[..., :1], 0), np.repeat(PHOTO[..., :1], 3, 2)),
    "CMYK": (tiff_of(np.dstack((255 - PHOTO, BLACK)), 5), PHOTO),
    "CMYK, LZW": (encode(RGB.convert("CMYK"), "TIFF", compression="tiff_lzw"), PHOTO),
    "16-bit RGBA": (tiff_of(np.dstack((DEEP, DEEP[..., 0])), 2), DEEP),
    "opaque RGBA": (tiff_of(np.dstack((PHOTO, 255 - BLACK)), 2), PHOTO),
    "palette": (encode(RGB.quantize(16), "TIFF"), np.asarray(RGB.quantize(16).convert("RGB"))),
}


@pytest.mark.parametrize("kind", RIGHT)
def test_these_give_their_colours(kind):
    code, expected = RIGHT[kind]
    for read in (decode, decode_as_is):
        pixels = read(code, kind)
        colours = pixels[..., :3] if pixels.ndim == 3 else np.dstack([pixels] * 3)
        assert colours.dtype == expected.dtype
        np.testing.assert_array_equal(colours, expected)


@pytest.mark.parametrize("kind", ["CMYK", "CMYK, LZW"])
def test_black_is_no_alpha(kind):
    assert decode_as_is(RIGHT[kind][0], "a").shape == (40, 56, 3)


WRONG = {
    "Lab": (encode(RGB.convert("LAB"), "TIFF"), "with Lab colours"),
    "16-bit planes": (tiff_of(DEEP, 2, planes=2), "of 16 bits with a plane for each colour"),
    "16-bit 0 is white": (tiff_of(DEEP[..., :1], 0), "of 16 bits in which 0 is white"),
    "16-bit grey and alpha": (tiff_of(DEEP[..., :2], 1), "of 16 bits with grey and alpha"),
    "12 bits": (tiff_of(DEEP, 2, bits=12), "of 12 bits"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_opencv_misreads_is_refused(kind):
    code, reason = WRONG[kind]
    for read in (decode, decode_as_is):
        with pytest.raises(
            ImageError, match=rf"'a\.tif' is a TIFF file {reason}, which OpenCV misreads.*as PNG"
        ):
            read(code, "a.tif")


@pytest.mark.parametrize("samples", ["float32", "int32", "nan"])
def test_samples_that_are_no_grey_levels_are_refused(samples):
    grey = PHOTO[..., 0].astype("float32" if samples == "nan" else samples)
    if samples == "nan":
        grey[3, 4], grey[5, 6] = np.nan, np.inf
    for read in (decode, decode_as_is):
        with pytest.raises(ImageError, match=r"'a\.tif' holds (float|int)32 samples; 8 and 16"):
            read(encode(Image.fromarray(grey), "TIFF"), "a.tif")


def test_alpha_is_refused_where_opencv_multiplies_by_it_in_training_too():
    code = tiff_of(np.dstack((PHOTO, PHOTO[..., 0])), 2)
    for read in (decode, decode_as_is):
        with pytest.raises(ImageError, match=r"'a\.tif' is an 8-bit TIFF file with alpha"):
            read(code, "a.tif")


def test_other_and_damaged_files_have_no_kind():
    code = RIGHT["RGB"][0]
    assert TiffKind.of(code) == TiffKind(8, 3, 2, 1)
    for cut in (b"", b"II*\0", code[:8], code[:40]):
        assert TiffKind.of(cut) is None or TiffKind.of(cut).misread == ""
    assert TiffKind.of(encode(RGB, "PNG")) is None
    file = io.BytesIO()
    RGB.save(file, "TIFF", big_tiff=True)
    assert TiffKind.of(file.getvalue()) == TiffKind(8, 3, 2, 1)
    np.testing.assert_array_equal(decode(file.getvalue(), "a"), PHOTO)
