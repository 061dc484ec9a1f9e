"""OpenCV, with one sentence where a slim container lacks the graphics library it links to."""

from __future__ import annotations

from realsr_mtl.errors import UnavailableError

try:
    import cv2
except ImportError as error:  # pragma: no cover - needs a machine without libGL
    raise UnavailableError(
        f"OpenCV cannot be loaded ({error}); on a machine without a graphics library run "
        "'pip uninstall -y opencv-python' and then 'pip install opencv-python-headless'"
    ) from error

cv2.setNumThreads(0)  # data workers and ranks already use the cores

__all__ = ["cv2"]
