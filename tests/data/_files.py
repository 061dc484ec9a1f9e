"""Encoded images as users have them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from realsr_mtl.bridges.opencv import cv2


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of an image file made by Pillow."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def write(path: str, image: np.ndarray) -> None:
    """Write an RGB image with its folders."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(path, np.ascontiguousarray(image[..., ::-1]))


def encode_16_bit(rgb: np.ndarray, ending: str = ".png") -> bytes:
    """The bytes of a 16-bit RGB file (Pillow writes grey ones only)."""
    return cv2.imencode(ending, np.ascontiguousarray(rgb[..., ::-1]))[1].tobytes()


def numbered(count: int) -> np.ndarray:
    """``[count, count, 3]`` in which every pixel tells its row, column and neither 0 nor 255."""
    rows, columns = np.mgrid[0:count, 0:count]
    return np.stack((rows + 1, columns + 1, np.full_like(rows, 77)), -1).astype(np.uint8)
