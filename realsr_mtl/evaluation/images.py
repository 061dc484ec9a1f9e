"""Restored images as arrays and as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.data.reading import Pixels
from realsr_mtl.writing import write_atomically


def to_pixels(image: Tensor, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """``[C, H, W]`` in [0, 1] to ``[H, W, C]``, ``[H, W]`` if C is 1: clamp, scale, round.

    Args:
        image: on the CPU.
        dtype: 8 or 16 bits without sign; or a float, which stays in [0, 1] and is not rounded.
    """
    image = image.clamp(0, 1).permute(1, 2, 0)
    if np.issubdtype(dtype, np.integer):
        image.mul_(float(np.iinfo(dtype).max)).round_()
    pixels = np.ascontiguousarray(image.numpy(), dtype)
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def as_rgb(image: Tensor) -> Tensor:
    """The colours of ``[C, H, W]``, where C is 1 (grey) or 3, one more with alpha."""
    return image[:3] if image.shape[0] >= 3 else image[:1].expand(3, -1, -1)


def write_image(path: Path, image: Pixels) -> None:
    """Write a grey or RGB image, with alpha or not, of 8 or 16 bits as PNG, whole or not at all.

    Args:
        path: of the file; its folder is made.
        image: ``[H, W]``, ``[H, W, 3]`` or ``[H, W, 4]``.
    """
    order = [2, 1, 0, 3][: image.shape[2]] if image.ndim == 3 else []
    done, code = cv2.imencode(".png", np.ascontiguousarray(image[..., order]) if order else image)
    assert done
    write_atomically(code.tobytes(), path)
