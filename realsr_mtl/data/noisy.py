"""Clean images with Gaussian noise of one level, made anew for every sample."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from realsr_mtl.data.dataset import DATASETS, ImageSample
from realsr_mtl.data.folders import ImageFolder
from realsr_mtl.data.reading import Pixels
from realsr_mtl.degradations.boxes import Box
from realsr_mtl.degradations.operators.noise import gaussian_pixels
from realsr_mtl.degradations.operators.quantise import truncated


@DATASETS.register()
class NoisyImages(ImageFolder):
    """Denoising pairs at full size from clean images, as AirNet and PromptIR make them.

    The noise of a training sample depends on the seed and the sample number, that of a validation
    image on the seed and its name; it is added on 8 bits, clipped and rounded down.

    Args:
        sigma: standard deviation in grey levels of 255; 15, 25 and 50 in the field.
        task: name of the task; default: noise and the level, e.g. noise25.
    """

    has_gt, has_lq = True, True

    def __init__(
        self,
        scale: int,
        *,
        sigma: Annotated[float, Field(gt=0)],
        task: str | None = None,
        **others: Any,
    ) -> None:
        if scale != 1:
            raise ValueError(f"noise keeps the size; scale is 1, not {scale}")
        super().__init__(scale, **others)
        self._sigma = sigma
        self.tasks = [task or f"noise{sigma:g}"]

    def load(self, position: int) -> ImageSample:
        """Read a clean image."""
        sample = super().load(position)
        return ImageSample(sample.name, sample.gt, None, self._sigma)


def noisy(pixels: Pixels, sigma: float, seed: int) -> Pixels:
    """Clean pixels with noise, 8 bits: ``floor(clip(x + sigma n, 0, 255))``.

    Args:
        pixels: ``[H, W, 3]`` in the type of the file.
        sigma: standard deviation in grey levels of 255.
        seed: of the noise.
    """
    top = np.float32(np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1)
    clean = np.ascontiguousarray(pixels.astype(np.float32) / top)
    size = (clean.shape[0], clean.shape[1])
    return truncated(gaussian_pixels(clean, sigma, False, seed, Box.whole(size), size[1]))
