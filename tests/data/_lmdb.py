"""LMDB folders in BasicSR's layout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from realsr_mtl.bridges.opencv import cv2


def write_lmdb(folder: Path | str, images: Mapping[str, np.ndarray]) -> str:
    """Store RGB images under their keys; skips the test where lmdb is not installed."""
    lmdb = pytest.importorskip("lmdb")
    lines = []
    with (
        lmdb.open(str(folder), map_size=1 << 24) as environment,
        environment.begin(write=True) as transaction,
    ):
        for key, image in images.items():
            code = cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))[1].tobytes()
            transaction.put(key.encode(), code)
            height, width, channels = image.shape
            lines.append(f"{key}.png ({height},{width},{channels}) 1\n")
    (Path(folder) / "meta_info.txt").write_text("".join(lines), encoding="utf-8")
    return str(folder)
