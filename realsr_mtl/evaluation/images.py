"""Writing restored images."""

from __future__ import annotations

from pathlib import Path

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.metrics.base import Image


def write_image(path: Path, image: Image) -> None:
    """Write an 8-bit RGB image as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done, code = cv2.imencode(".png", image[..., ::-1])
    assert done
    path.write_bytes(code.tobytes())
