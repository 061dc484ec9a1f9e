"""JPEG compression with chroma 4:2:0: the real codec on a CPU, its exact simulation elsewhere."""

from __future__ import annotations

from torch import Tensor

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.degradations.operators import canvas
from realsr_mtl.degradations.operators.jpeg_simulation import simulate_jpeg
from realsr_mtl.degradations.operators.quantise import from_bytes, to_bytes


def jpeg(image: Tensor, quality: Tensor, sizes: Tensor | None = None) -> Tensor:
    """Compress every sample with its own quality.

    The image is clamped and rounded to 8 bits first, as any file is. On a CPU libjpeg (in OpenCV)
    does it, on other devices `simulate_jpeg`, which gives the same pixels; neither has a gradient.

    Args:
        image: ``[B, 3, H, W]``, RGB.
        quality: ``[B]`` integers in [1, 100].
        sizes: ``[B, 2]`` valid heights and widths, if smaller than the canvas.

    Returns:
        ``[B, 3, H, W]`` in multiples of 1/255, on the device of ``image``.
    """
    if canvas.by_arrays(image):
        return canvas.map_pixels(
            lambda i, pixels: jpeg_pixels(pixels, int(quality[i])), image, sizes
        )
    return simulate_jpeg(image, quality, sizes)


def jpeg_pixels(pixels: canvas.Pixels, quality: int) -> canvas.Pixels:
    """Compress ``[H, W, 3]``, RGB."""
    bgr = cv2.cvtColor(to_bytes(pixels), cv2.COLOR_RGB2BGR)
    done, code = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("OpenCV could not encode a JPEG image")
    decoded = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return from_bytes(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))
