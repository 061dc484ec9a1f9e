"""Image files that are no ordinary ones, made byte by byte."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from tests._inputs import photograph
from tests.data._files import encode, encode_16_bit


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, data: bytes = b"", *chunks: bytes) -> bytes:
    """An RGB PNG file whose header claims a size, whatever its data hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(data)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + b"".join(chunks) + body


def jpeg_claiming(code: bytes, width: int, height: int) -> bytes:
    """A JPEG file with another size in its header."""
    at = 2
    while code[at + 1] not in (0xC0, 0xC2):
        at += 2 + int.from_bytes(code[at + 2 : at + 4], "big")
    return code[: at + 5] + struct.pack(">HH", height, width) + code[at + 9 :]


def tiff_of(pixels: np.ndarray, colours: int, planes: int = 1, bits: int | None = None) -> bytes:
    """A little-endian TIFF file without compression; a fourth channel counts as alpha.

    Args:
        pixels: ``[H, W, C]`` of 8 or 16 bits.
        colours: TIFF's number of the colour space.
        planes: 1 with the samples of a pixel side by side, 2 with a plane for each.
        bits: what the header says; default: those of the pixels.
    """
    height, width, samples = pixels.shape
    parts = [pixels] if planes == 1 else [pixels[..., i] for i in range(samples)]
    data = [part.astype(pixels.dtype.newbyteorder("<")).tobytes() for part in parts]
    extra = {338: (3, [2])} if samples in (2, 4) and colours != 5 else {}
    tags: dict[int, tuple[int, list[int]]] = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [bits or 8 * pixels.itemsize] * samples),
        259: (3, [1]),
        262: (3, [colours]),
        273: (4, [0] * len(data)),
        277: (3, [samples]),
        278: (4, [height]),
        279: (4, [len(part) for part in data]),
        284: (3, [planes]),
        **extra,
    }
    start = 8 + 2 + 12 * len(tags) + 4  # where long values lie
    sizes = [len(v) * {3: 2, 4: 4}[t] for t, v in tags.values()]
    at = start + sum(size for size in sizes if size > 4)
    for i, part in enumerate(data):
        tags[273][1][i] = at
        at += len(part)
    entries, long = b"", b""
    for tag, (kind, values) in sorted(tags.items()):
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        head = struct.pack("<HHI", tag, kind, len(values))
        if len(packed) <= 4:
            entries += head + packed.ljust(4, b"\0")
        else:
            entries += head + struct.pack("<I", start + len(long))
            long += packed
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8) + directory + long + b"".join(data)


def write_hostile(folder: Path) -> dict[str, str]:
    """A folder of odd images, those to be used called ``good_*``; reasons to refuse the others."""
    folder.mkdir(parents=True)
    photo = Image.fromarray(photograph(24, 32))
    png, jpeg = encode(photo, "PNG"), encode(photo, "JPEG")
    still = {"save_all": True, "append_images": [photo.rotate(180)]}
    flat = np.zeros((24, 32), np.float32)
    files = {
        "good_cmyk.jpg": encode(photo.convert("CMYK"), "JPEG"),
        "good_deep.png": encode_16_bit(np.asarray(photo).astype(np.uint16) * 257),
        "good_palette.png": encode(photo.quantize(16), "PNG"),
        "good_really_a_png.jpg": png,
        "good_wide.png": encode(Image.fromarray(photograph(8, 30_000)), "PNG"),
        "good_high.bmp": encode(Image.fromarray(photograph(30_000, 8)), "BMP"),
        "empty.png": b"",
        "cut.png": png[: len(png) // 2],
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "bomb.png": png_of(60_000, 60_000),
        "grey_bomb.jpg": jpeg_claiming(jpeg, 30_000, 30_000),
        "moving.png": encode(photo, "PNG", **still),
        "float.tif": encode(Image.fromarray(flat), "TIFF"),
        "text.webp": b"no image",
    }
    for name, code in files.items():
        (folder / name).write_bytes(code)
    os.mkfifo(folder / "pipe.png")
    (folder / "circle.png").symlink_to("circle.png")
    (folder / "broken.png").symlink_to("nowhere.png")
    (folder / "sub.png").mkdir()
    (folder / "sub.png" / "good_below.png").write_bytes(png)
    return {
        "empty": "is an empty file",
        "cut.png": "is cut short",
        "cut.jpg": "is cut short",
        "bomb": "has 60000 x 60000 pixels, larger than",
        "grey_bomb": "is cut short",
        "moving": "is an animated PNG",
        "float": "holds float32 samples",
        "text": "is not an image",
        "pipe": "it is a pipe or a device",
        "circle": "symbolic links",
        "broken": "No such file",
    }
