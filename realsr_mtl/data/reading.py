"""Decoding image files: as RGB or as they are, 8 or 16 bits, and never half an image."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.data.headers import claimed_size, complete, misread
from realsr_mtl.data.tiff import TiffKind
from realsr_mtl.errors import UserError

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""``[H, W, 3]`` RGB; `decode_as_is` also gives ``[H, W]`` and ``[H, W, 4]``."""

EXTENSIONS = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pnm"}


MAX_PIXELS = "OPENCV_IO_MAX_IMAGE_PIXELS"
"""Environment variable with the number of pixels above which OpenCV decodes no image."""

DEFAULT_PIXELS = 2**30
"""Its default, for instance 32768 x 32768; such an image takes 3 GiB with 8 bits."""

MAX_SIDE = 1_000_000
"""Longest side, that of PNG files; no other kind gets much further."""

MAX_BYTES = 2**31 - 1
"""Size of the largest file that OpenCV decodes."""


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
    kind = TiffKind.of(code)
    if plain.shape[-1] == 3 or (kind is not None and kind.cmyk):
        return np.ascontiguousarray(rgb)
    for laid in (plain, plain.swapaxes(0, 1)):
        for down, right in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            turned = laid[::down, ::right]
            if np.array_equal(turned[..., :3], pixels):
                return np.dstack((rgb, turned[..., 3]))
    raise ImageError(f"'{name}' has alpha that does not lie on its colours; save it as PNG")


def read_bytes(path: Path) -> bytes:
    """Read a file; an `ImageError` names it when that fails, or would not end."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if path.is_dir() else "a pipe or a device"
            raise ImageError(f"'{path}' cannot be read: it is {what} and no file")
        if status.st_size > MAX_BYTES:
            raise ImageError(
                f"'{path}' has {status.st_size:,} bytes, more than the {MAX_BYTES:,} that OpenCV "
                "decodes; compress it, as PNG for instance, or cut it into smaller images"
            )
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
    if not complete(code):
        raise ImageError(f"'{name}' is cut short: its end, or a part before it, is missing")
    if reason := misread(code):
        raise ImageError(f"'{name}' {reason}")
    pixels, error = _decoded(code, flags)
    if pixels is None:
        raise ImageError(f"'{name}' {_why_not(code, error)}")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"'{name}' {_odd_samples(pixels)}")
    kind = TiffKind.of(code)
    if kind is not None and kind.multiplied:
        plain, _ = _decoded(code, cv2.IMREAD_UNCHANGED)
        if plain is None or plain.shape[-1] != 4 or plain[..., 3].min() < 255:
            raise ImageError(
                f"'{name}' is an 8-bit TIFF file with alpha, by which OpenCV multiplies the "
                "colours; save it as PNG"
            )
    return pixels


def _decoded(code: bytes, flags: int) -> tuple[npt.NDArray[Any] | None, Exception | None]:
    try:
        return cv2.imdecode(np.frombuffer(code, np.uint8), flags), None
    except cv2.error as error:
        return None, error


def _why_not(code: bytes, error: Exception | None) -> str:
    """Why OpenCV does not decode a file."""
    size = claimed_size(code)
    refused = getattr(error, "func", None) == "validateInputImageSize"  # before anything is decoded
    if refused or (size is not None and max(size) > MAX_SIDE):
        what = "is" if size is None else f"has {size[0]} x {size[1]} pixels,"
        limit = os.environ.get(MAX_PIXELS) or f"{DEFAULT_PIXELS:,}"
        return (
            f"{what} larger than OpenCV decodes ({limit} pixels, {MAX_SIDE:,} a side); cut it into "
            f"smaller images, or raise the environment variable {MAX_PIXELS}"
        )
    if getattr(error, "code", None) == cv2.Error.StsNoMem:
        return "needs more memory than there is; cut it into smaller images"
    plain, _ = _decoded(code, cv2.IMREAD_UNCHANGED)
    if plain is not None and plain.dtype not in (np.uint8, np.uint16):
        return _odd_samples(plain)
    return "is not an image that OpenCV can read"


def _odd_samples(pixels: npt.NDArray[Any]) -> str:
    return f"holds {pixels.dtype} samples; 8 and 16 bits are supported"
