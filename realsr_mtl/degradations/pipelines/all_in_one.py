"""All-in-one restoration: every sample has one kind of degradation, and the down-scaling."""

from __future__ import annotations

from collections.abc import Callable

from realsr_mtl.degradations.boxes import Size
from realsr_mtl.degradations.engine import Program
from realsr_mtl.degradations.operators.streaks import line_kernel
from realsr_mtl.degradations.parameters import DegradationParameters
from realsr_mtl.degradations.steps import BicubicDownscale, Blur, GaussianNoise, Step
from realsr_mtl.degradations.weather_steps import (
    Colour,
    Haze,
    LowLight,
    Rain,
    Raindrops,
    Snow,
    Truncate,
)

KINDS = ("noise", "rain", "haze", "snow", "raindrop", "low_light", "blur", "resize", "colour")
"""Kinds of degradation; a record holds the position in this list."""

Values = dict[str, float]


def all_in_one(parameters: DegradationParameters, size: Size) -> list[Program]:
    """What happens in front of the camera, at full size; the down-scaling; noise, rounded down.

    Noise comes last, because the down-scaling would average it away.
    """
    columns = {name: values.tolist() for name, values in parameters.values.items()}
    rows: list[Values] = [
        dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ]
    return [_program(row, parameters.scale) for row in rows]


def _program(row: Values, scale: int) -> Program:
    kind = KINDS[int(row["kind"])]
    scene = _SCENES[kind](row) if kind in _SCENES else None
    down = BicubicDownscale(scale) if scale > 1 else None
    noise = None
    if kind in _NOISES:
        noise = GaussianNoise(row[_NOISES[kind]], False, int(row["noise_seed1"]))
    return [scene, down, noise, Truncate() if kind == "noise" else None]


def _rain(row: Values) -> Step:
    names = ("rain_density", "rain_length", "rain_angle", "rain_width", "rain_strength")
    return Rain(int(row["noise_seed1"]), *(row[name] for name in names))


def _haze(row: Values) -> Step:
    return Haze(int(row["noise_seed1"]), row["haze_beta"], row["haze_airlight"])


def _snow(row: Values) -> Step:
    names = ("snow_density", "snow_size", "snow_angle", "snow_strength")
    return Snow(int(row["noise_seed1"]), *(row[name] for name in names))


def _raindrop(row: Values) -> Step:
    return Raindrops(int(row["noise_seed1"]), row["drop_density"], row["drop_radius"])


def _low_light(row: Values) -> Step:
    return LowLight(row["light_gain"], row["light_gamma"])


def _blur(row: Values) -> Step:
    return Blur(line_kernel(row["blur_length"], row["blur_angle"]))


def _colour(row: Values) -> Step:
    names = ("colour_red", "colour_blue", "colour_gamma", "colour_saturation")
    return Colour(*(row[name] for name in names))


_SCENES: dict[str, Callable[[Values], Step]] = {
    "rain": _rain,
    "haze": _haze,
    "snow": _snow,
    "raindrop": _raindrop,
    "low_light": _low_light,
    "blur": _blur,
    "colour": _colour,
}
_NOISES = {"noise": "noise_sigma", "low_light": "light_noise"}
