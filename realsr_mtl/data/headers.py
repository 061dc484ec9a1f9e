"""What an encoded image says of itself before any pixel is decoded: its end, size and kind."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Iterator
from itertools import takewhile

from PIL import BmpImagePlugin, ImageFile, JpegImagePlugin, PngImagePlugin, PpmImagePlugin
from PIL.TiffImagePlugin import TiffImageFile

from realsr_mtl.data.tiff import TiffKind

_PNG = b"\x89PNG"
_READERS: dict[bytes, Callable[..., ImageFile.ImageFile]] = {
    _PNG: PngImagePlugin.PngImageFile,
    b"\xff\xd8": JpegImagePlugin.JpegImageFile,
    b"BM": BmpImagePlugin.BmpImageFile,
    b"II": TiffImageFile,
    b"MM": TiffImageFile,
    b"P": PpmImagePlugin.PpmImageFile,
}
"""Readers of headers, by how a file begins; a WebP file is never larger than 16383 x 16383."""

_GAP = rb"(?:\s|#[^\n]*\n)+"
_PORTABLE = re.compile(rb"P[2356]" + _GAP + rb"\d+" + _GAP + rb"\d+" + _GAP + rb"(\d+)\s")
"""The header of a PGM or PPM file; its last number is that of white."""

_JPEG_PIXELS_PER_BYTE = 512
"""Every block of 64 pixels takes a bit or more in each of the modes with Huffman's code."""


def complete(code: bytes) -> bool:
    """Whether a PNG or JPEG has its end, and enough before it.

    Decoders fill missing parts with grey, and OpenCV 5 takes all the memory that a damaged length
    in a PNG file asks for.
    """
    if code.startswith(_PNG):
        return b"IEND" in _png_chunks(code)
    if code.startswith(b"\xff\xd8"):
        start, least = _jpeg_scan(code)
        return len(code) >= least and code.find(b"\xff\xd9", start) >= 0
    return True


def claimed_size(code: bytes) -> tuple[int, int] | None:
    """Width and height in the header of a PNG, JPEG, BMP, TIFF or PNM; else None."""
    for beginning, reader in _READERS.items():
        if code.startswith(beginning):
            try:
                return reader(io.BytesIO(code)).size
            except Exception:  # a damaged header fails in any way
                return None
    return None


def misread(code: bytes) -> str:
    """Why OpenCV would give other pixels than the file holds, as a predicate; else empty."""
    if code.startswith(_PNG) and b"acTL" in takewhile(
        lambda kind: kind != b"IDAT", _png_chunks(code)
    ):
        return "is an animated PNG, whose damage OpenCV does not notice; save one frame of it"
    if found := _PORTABLE.match(code[:4096]):
        white = int(found[1])
        if white not in (255, 65535):
            return f"has {white} for white, which OpenCV takes no notice of; save it as PNG"
    kind = TiffKind.of(code)
    if kind is not None and kind.misread:
        return f"is a TIFF file {kind.misread}, which OpenCV misreads; save it as PNG"
    return ""


def _png_chunks(code: bytes) -> Iterator[bytes]:
    """The kinds of the chunks that are whole."""
    at = 8
    while (end := at + 12 + int.from_bytes(code[at : at + 4], "big")) <= len(code):
        yield code[at + 4 : at + 8]
        at = end


def _jpeg_scan(code: bytes) -> tuple[int, float]:
    """Offset behind the headers, so that a thumbnail's end does not count, and fewest bytes."""
    at, least = 2, 0.0
    while at + 4 <= len(code) and code[at] == 0xFF:
        marker = code[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in (0xC0, 0xC1, 0xC2) and at + 9 <= len(code):
            height, width = struct.unpack(">HH", code[at + 5 : at + 9])
            least = height * width / _JPEG_PIXELS_PER_BYTE
        at += 2 + struct.unpack(">H", code[at + 2 : at + 4])[0]
        if marker == 0xDA:
            return at, least
    return len(code), least
