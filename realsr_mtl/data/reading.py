"""Decoding image files: as RGB or as they are, 8 or 16 bits, and never half an image."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.errors import UserError

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""``[H, W, 3]`` RGB; `decode_as_is` also gives ``[H, W]`` and ``[H, W, 4]``."""

EXTENSIONS = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pnm"}


class ImageError(UserError):
    """A file that is no complete, readable image."""


def decode(code: bytes, name: str) -> Pixels:
    """Decode an image file.

    Grey and palette images become RGB, an alpha channel is dropped, EXIF rotation is applied, and
    16-bit files keep their 16 bits.

    Raises:
        ImageError: not an image, cut short, or damaged.
    """
    bgr = _decode(code, name, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    return np.ascontiguousarray(bgr[..., ::-1])


def decode_as_is(code: bytes, name: str) -> Pixels:
    """Decode an image file with what it holds: ``[H, W]`` grey, ``[H, W, 3]`` RGB or with alpha.

    Grey with alpha and palettes become RGB with alpha; otherwise as `decode`.
    """
    pixels = _decode(code, name, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
    if pixels.ndim == 2:
        return pixels
    plain = _decode(code, name, cv2.IMREAD_UNCHANGED)  # alone gives alpha, but ignores EXIF
    rgb = pixels[..., ::-1]
    if plain.shape[-1] == 3:
        return np.ascontiguousarray(rgb)
    if code[:4] in (b"II*\0", b"MM\0*") and plain.dtype == np.uint8 and plain[..., 3].min() < 255:
        raise ImageError(
            f"'{name}' is an 8-bit TIFF file with alpha, by which OpenCV multiplies the colours; "
            "save it as PNG"
        )
    for laid in (plain, plain.swapaxes(0, 1)):
        for down, right in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            turned = laid[::down, ::right]
            if np.array_equal(turned[..., :3], pixels):
                return np.dstack((rgb, turned[..., 3]))
    raise ImageError(f"'{name}' has alpha that does not lie on its colours; save it as PNG")


def read_bytes(path: Path) -> bytes:
    """Read a file; an `ImageError` names it when that fails."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"'{path}' cannot be read: {error.strerror or error}") from None


def to_tensor(pixels: Pixels) -> Tensor:
    """``[H, W, C]`` or ``[H, W]`` of 8 or 16 bits to float32 ``[C, H, W]`` in [0, 1]."""
    peak = float(np.iinfo(pixels.dtype).max)
    channels = pixels.reshape(*pixels.shape[:2], -1)
    return torch.from_numpy(channels.astype(np.float32) / peak).permute(2, 0, 1).contiguous()


def _decode(code: bytes, name: str, flags: int) -> npt.NDArray[Any]:
    if not code:
        raise ImageError(f"'{name}' is an empty file")
    if not _complete(code):
        raise ImageError(f"'{name}' is cut short: the end of the file is missing")
    try:
        pixels = cv2.imdecode(np.frombuffer(code, np.uint8), flags)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise ImageError(f"'{name}' is not an image that OpenCV can read")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"'{name}' holds {pixels.dtype} samples; 8 and 16 bits are supported")
    return pixels


def _complete(code: bytes) -> bool:
    """Whether a PNG or JPEG has its end marker; decoders fill missing parts with grey."""
    if code.startswith(b"\x89PNG"):
        return b"IEND" in code
    if code.startswith(b"\xff\xd8"):
        return code.find(b"\xff\xd9", _scan_start(code)) >= 0
    return True


def _scan_start(code: bytes) -> int:
    """Offset behind the headers of a JPEG, so that a thumbnail's end marker does not count."""
    at = 2
    while at + 4 <= len(code) and code[at] == 0xFF:
        marker = code[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        at += 2 + struct.unpack(">H", code[at + 2 : at + 4])[0]
        if marker == 0xDA:
            return at
    return len(code)
