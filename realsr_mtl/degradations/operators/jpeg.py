"""JPEG compression with chroma 4:2:0: the real codec on a CPU, its exact simulation elsewhere."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.degradations.operators.jpeg_simulation import simulate_jpeg, to_levels


def jpeg(image: Tensor, quality: Tensor) -> Tensor:
    """Compress every sample with its own quality.

    The image is clamped and rounded to 8 bits first, as any file is. On a CPU libjpeg (in OpenCV)
    does it, on other devices `simulate_jpeg`, which gives the same pixels; neither has a gradient.

    Args:
        image: ``[B, 3, H, W]``, RGB.
        quality: ``[B]`` integers in [1, 100].

    Returns:
        ``[B, 3, H, W]`` in multiples of 1/255, on the device of ``image``.
    """
    if image.device.type != "cpu":
        return simulate_jpeg(image, quality)
    levels = to_levels(image).to(torch.uint8)
    pixels = levels.permute(0, 2, 3, 1).flip(-1).contiguous().numpy()
    decoded = np.stack(
        [_round_trip(p, int(q)) for p, q in zip(pixels, quality.tolist(), strict=True)]
    )
    result = torch.from_numpy(decoded).flip(-1).permute(0, 3, 1, 2)
    return result.contiguous().float() / 255


def _round_trip(bgr: np.ndarray, quality: int) -> np.ndarray:
    done, code = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("OpenCV could not encode a JPEG image")
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
