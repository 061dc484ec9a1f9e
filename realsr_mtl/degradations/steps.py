"""Steps of a degradation: an operator together with one sample's parameters.

A pipeline turns every record into a list of steps. A step knows which part of its input it needs
for a part of its output, so that a patch can be degraded with nothing but the pixels it depends on.
"""

# ruff: noqa: D102 - the methods of the steps are those that Step describes
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realsr_mtl.degradations.boxes import Box, Size
from realsr_mtl.degradations.operators import (
    RESIZE_MODES,
    blur,
    gaussian_noise,
    imresize,
    jpeg,
    poisson_noise,
)
from realsr_mtl.degradations.operators.blur import Kernel, blur_pixels
from realsr_mtl.degradations.operators.canvas import Pixels, on_canvas, samples
from realsr_mtl.degradations.operators.jpeg import jpeg_pixels
from realsr_mtl.degradations.operators.noise import gaussian_pixels, poisson_pixels
from realsr_mtl.degradations.operators.resize import (
    Sampling,
    imresize_pixels,
    resize_canvas,
    resize_pixels,
)


class Step(ABC):
    """One operator with its parameters."""

    def new_size(self, size: Size) -> Size:
        """The size of the result for an image of some size."""
        return size

    def needs(self, wanted: Box, size: Size) -> Box:
        """The part of an input of this size that the wanted part of the result depends on."""
        return wanted

    @abstractmethod
    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        """The wanted part of the result.

        Args:
            pixels: ``[h, w, C]``, the part ``box`` of the input.
            box: at least what `needs` says.
            size: of the whole input.
            wanted: the part of the result.
        """

    @staticmethod
    @abstractmethod
    def on_canvas(steps: Sequence[Any], image: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        """Apply steps of this kind to the samples of a canvas, one each; result and new sizes."""


@dataclass(frozen=True)
class Blur(Step):
    """Correlation with a kernel ``[K, K]``."""

    kernel: Kernel

    def needs(self, wanted: Box, size: Size) -> Box:
        return wanted.grown(len(self.kernel) // 2, size)

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        return box.cut(blur_pixels(pixels, self.kernel), wanted)

    @staticmethod
    def on_canvas(steps: Sequence[Blur], image: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        largest = max(len(step.kernel) for step in steps)
        kernels = np.zeros((len(steps), largest, largest), np.float32)
        for place, step in zip(kernels, steps, strict=True):
            margin = (largest - len(step.kernel)) // 2
            place[margin : largest - margin, margin : largest - margin] = step.kernel
        return blur(image, torch.from_numpy(kernels), sizes), sizes


@dataclass(frozen=True)
class Resize(Step):
    """Resizing by a factor or to a size.

    Attributes:
        mode: position in `RESIZE_MODES`.
        factor: of the image's size, or None.
        size: the new size, or None.
    """

    mode: int
    factor: float | None = None
    size: Size | None = None

    def new_size(self, size: Size) -> Size:
        return self._sampling(size).new

    def _sampling(self, size: Size) -> Sampling:
        if self.factor is not None:
            return Sampling.by_factor(size, self.factor)
        assert self.size is not None
        return Sampling.to_size(size, self.size)

    def needs(self, wanted: Box, size: Size) -> Box:
        sampling = self._sampling(size)
        if sampling.is_identity:
            return wanted
        rows, columns = (sampling.reach(axis, *wanted[axis::2]) for axis in (0, 1))
        return Box(rows[0], columns[0], rows[1], columns[1])

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        return resize_pixels(pixels, RESIZE_MODES[self.mode], self._sampling(size), box, wanted)

    @staticmethod
    def on_canvas(steps: Sequence[Resize], image: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        samplings = [
            step._sampling((h, w)) for step, (h, w) in zip(steps, sizes.tolist(), strict=True)
        ]
        return resize_canvas(image, [RESIZE_MODES[step.mode] for step in steps], samplings)


@dataclass(frozen=True)
class BicubicDownscale(Step):
    """MATLAB's bicubic resize by ``1 / scale``."""

    scale: int

    def new_size(self, size: Size) -> Size:
        return -(-size[0] // self.scale), -(-size[1] // self.scale)

    def needs(self, wanted: Box, size: Size) -> Box:
        return wanted.times(self.scale).grown(2 * self.scale + 1, size)

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        return imresize_pixels(pixels, 1 / self.scale, box, size, wanted)

    @staticmethod
    def on_canvas(
        steps: Sequence[BicubicDownscale], image: Tensor, sizes: Tensor
    ) -> tuple[Tensor, Tensor]:
        parts = zip(steps, samples(image, sizes), strict=True)
        return on_canvas([imresize(part[None], 1 / step.scale)[0] for step, part in parts])


@dataclass(frozen=True)
class Subsample(Step):
    """Every ``scale``-th row and column, from the first on."""

    scale: int

    def new_size(self, size: Size) -> Size:
        return -(-size[0] // self.scale), -(-size[1] // self.scale)

    def needs(self, wanted: Box, size: Size) -> Box:
        return wanted.times(self.scale).grown(0, size)

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        return np.ascontiguousarray(pixels[:: self.scale, :: self.scale])

    @staticmethod
    def on_canvas(
        steps: Sequence[Subsample], image: Tensor, sizes: Tensor
    ) -> tuple[Tensor, Tensor]:
        parts = zip(steps, samples(image, sizes), strict=True)
        return on_canvas([part[:, :: step.scale, :: step.scale] for step, part in parts])


@dataclass(frozen=True)
class Clamp(Step):
    """Clamping to [0, 1]."""

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        return pixels.clip(0, 1)

    @staticmethod
    def on_canvas(steps: Sequence[Clamp], image: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        return image.clamp(0, 1), sizes


@dataclass(frozen=True)
class GaussianNoise(Step):
    """Gaussian noise; sigma in grey levels of 255, ``mixing [3, 3]`` makes its colours depend."""

    sigma: float
    grey: bool
    seed: int
    mixing: npt.NDArray[np.float32] | None = None

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        return gaussian_pixels(pixels, self.sigma, self.grey, self.seed, box, size[1], self.mixing)

    @staticmethod
    def on_canvas(
        steps: Sequence[GaussianNoise], image: Tensor, sizes: Tensor
    ) -> tuple[Tensor, Tensor]:
        sigma = torch.tensor([step.sigma for step in steps])
        grey = torch.tensor([step.grey for step in steps])
        seed = torch.tensor([step.seed for step in steps])
        given = [np.eye(3, dtype=np.float32) if s.mixing is None else s.mixing for s in steps]
        plain = all(step.mixing is None for step in steps)
        mixing = None if plain else torch.from_numpy(np.stack(given))
        return gaussian_noise(image, sigma, grey, seed, sizes, mixing), sizes


@dataclass(frozen=True)
class PoissonNoise(Step):
    """Poisson noise.

    In a part of an image the grey levels are counted in that part.
    """

    scale: float
    grey: bool
    seed: int

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        return poisson_pixels(pixels, self.scale, self.grey, self.seed, box, size[1])

    @staticmethod
    def on_canvas(
        steps: Sequence[PoissonNoise], image: Tensor, sizes: Tensor
    ) -> tuple[Tensor, Tensor]:
        scale = torch.tensor([step.scale for step in steps])
        grey = torch.tensor([step.grey for step in steps])
        seed = torch.tensor([step.seed for step in steps])
        return poisson_noise(image, scale, grey, seed, sizes), sizes


@dataclass(frozen=True)
class Jpeg(Step):
    """JPEG compression; quality 1 to 100."""

    quality: int

    def needs(self, wanted: Box, size: Size) -> Box:
        # chroma blocks cover 16 pixels; up-sampling looks at one chroma sample further
        box = wanted.grown(2, size).aligned(16, size)
        # an image of up to 4 columns has another up-sampling, so a part must be wider
        return box if box.right - box.left > 4 or not box.left else box._replace(left=box.left - 16)

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        return box.cut(jpeg_pixels(pixels, self.quality), wanted)

    @staticmethod
    def on_canvas(steps: Sequence[Jpeg], image: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        return jpeg(image, torch.tensor([step.quality for step in steps]), sizes), sizes
