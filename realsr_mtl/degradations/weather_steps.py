"""Steps of bad weather, light and colour: what the all-in-one restoration tasks are made of."""

# ruff: noqa: D102 - the methods of the steps are those that Step describes
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realsr_mtl.degradations.boxes import Box, Size
from realsr_mtl.degradations.operators.canvas import Pixels, on_canvas, samples, to_image, to_pixels
from realsr_mtl.degradations.operators.colour import colour_pixels
from realsr_mtl.degradations.operators.haze import depth, haze_pixels
from realsr_mtl.degradations.operators.quantise import from_bytes, truncated
from realsr_mtl.degradations.operators.rain import layer, rain_pixels
from realsr_mtl.degradations.operators.raindrops import drops, raindrop_pixels, reach
from realsr_mtl.degradations.operators.snow import SIZES, snow_pixels
from realsr_mtl.degradations.operators.streaks import streak_kernel
from realsr_mtl.degradations.steps import Step


class ArrayStep(Step):
    """A step that exists on arrays only; samples of other devices go through the CPU.

    Every device gets the same pixels. The transfer is small beside a restoration network.
    """

    @staticmethod
    def on_canvas(steps: Sequence[Any], image: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        results = []
        for step, sample in zip(steps, samples(image, sizes), strict=True):
            pixels = to_pixels(sample.cpu())
            size = (pixels.shape[0], pixels.shape[1])
            whole = Box.whole(size)
            results.append(to_image(step.on_pixels(pixels, whole, size, whole)).to(image.device))
        return on_canvas([torch.clone(result) for result in results])


@dataclass(frozen=True)
class Rain(ArrayStep):
    """Streaks; length and width in pixels, angle in radians from the vertical."""

    seed: int
    density: float
    length: float
    angle: float
    width: float
    strength: float

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        kernel = streak_kernel(self.length, self.angle, self.width)
        around = wanted.grown(len(kernel) // 2, size)
        streaks = layer(self.seed, kernel, self.density, around, size, wanted)
        return rain_pixels(box.cut(pixels, wanted), streaks, self.strength)


@dataclass(frozen=True)
class Haze(ArrayStep):
    """Scattering; beta without unit (depths are about 1), airlight in [0, 1]."""

    seed: int
    beta: float
    airlight: float

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        distance = depth(self.seed, size, wanted)
        return haze_pixels(box.cut(pixels, wanted), distance, self.beta, self.airlight)


@dataclass(frozen=True)
class Snow(ArrayStep):
    """Flakes; size of the largest in pixels, angle of the fall in radians from the vertical."""

    seed: int
    density: float
    size: float
    angle: float
    strength: float

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        flakes = np.zeros((*wanted.size, 1), np.float32)
        for number, part in enumerate(SIZES):  # small flakes are more frequent
            across = max(1.0, self.size * part)
            kernel = streak_kernel(1.8 * across, self.angle, across)
            around = wanted.grown(len(kernel) // 2, size)
            density = self.density / part
            own = layer(self.seed + number, kernel, density, around, size, wanted)
            flakes = np.maximum(flakes, own)
        return snow_pixels(box.cut(pixels, wanted), flakes, self.strength)


@dataclass(frozen=True)
class Raindrops(ArrayStep):
    """Drops on the lens; density per 100 x 100 pixels, largest radius in pixels."""

    seed: int
    density: float
    radius: float

    def needs(self, wanted: Box, size: Size) -> Box:
        return wanted.grown(reach(self.radius), size)

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        found = drops(self.seed, size, self.density, self.radius)
        return raindrop_pixels(pixels, box, wanted, found)


@dataclass(frozen=True)
class LowLight(ArrayStep):
    """Under-exposure: ``gain * x^gamma``."""

    gain: float
    gamma: float

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        clipped = np.clip(box.cut(pixels, wanted), 0, 1)
        return np.float32(self.gain) * clipped ** np.float32(self.gamma)


@dataclass(frozen=True)
class Colour(ArrayStep):
    """A colour cast; all without unit, and 1 changes nothing."""

    red: float
    blue: float
    gamma: float
    saturation: float

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        part = box.cut(pixels, wanted)
        return colour_pixels(part, self.red, self.blue, self.gamma, self.saturation)


@dataclass(frozen=True)
class Truncate(ArrayStep):
    """Rounding down to 8 bits, as AirNet and PromptIR make their noisy images."""

    def on_pixels(self, pixels: Pixels, box: Box, size: Size, wanted: Box) -> Pixels:
        return from_bytes(truncated(box.cut(pixels, wanted)))
