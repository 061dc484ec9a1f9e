"""JPEG compression by a real encoder (libjpeg in OpenCV, chroma 4:2:0)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2


def jpeg(image: Tensor, quality: Tensor) -> Tensor:
    """Compress every sample with its own quality.

    The image is clamped and rounded to 8 bits first, as any file is. Pixels pass through the CPU;
    there is no gradient.

    Args:
        image: ``[B, 3, H, W]``, RGB.
        quality: ``[B]`` integers in [1, 100].

    Returns:
        ``[B, 3, H, W]`` in multiples of 1/255, on the device of ``image``.
    """
    levels = (image.detach().clamp(0, 1) * 255).round().to(torch.uint8)
    pixels = levels.permute(0, 2, 3, 1).flip(-1).contiguous().cpu().numpy()
    decoded = np.stack(
        [_round_trip(p, int(q)) for p, q in zip(pixels, quality.tolist(), strict=True)]
    )
    result = torch.from_numpy(decoded).to(image.device).flip(-1).permute(0, 3, 1, 2)
    return result.contiguous().float() / 255


def _round_trip(bgr: np.ndarray, quality: int) -> np.ndarray:
    done, code = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("OpenCV could not encode a JPEG image")
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
