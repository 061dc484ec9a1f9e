"""All-in-one restoration: every sample has one kind of degradation, at full size."""

from __future__ import annotations

from collections.abc import Callable

from realsr_mtl.degradations.boxes import Size
from realsr_mtl.degradations.engine import Program
from realsr_mtl.degradations.operators.streaks import line_kernel
from realsr_mtl.degradations.parameters import DegradationParameters
from realsr_mtl.degradations.steps import Blur, GaussianNoise, Step
from realsr_mtl.degradations.weather_steps import Haze, LowLight, Rain, Raindrops, Snow, Truncate

KINDS = ("noise", "rain", "haze", "snow", "raindrop", "low_light", "blur")
"""Kinds of degradation; a record holds the position in this list."""

Values = dict[str, float]


def all_in_one(parameters: DegradationParameters, size: Size) -> list[Program]:
    """Noise, rain, haze, snow, raindrops, low light (with noise), or motion blur."""
    columns = {name: values.tolist() for name, values in parameters.values.items()}
    rows: list[Values] = [
        dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ]
    return [_PROGRAMS[KINDS[int(row["kind"])]](row) for row in rows]


def _noise(row: Values) -> list[Step | None]:
    return [GaussianNoise(row["noise_sigma"], False, int(row["noise_seed1"])), Truncate()]


def _rain(row: Values) -> list[Step | None]:
    names = ("rain_density", "rain_length", "rain_angle", "rain_width", "rain_strength")
    return [Rain(int(row["noise_seed1"]), *(row[name] for name in names))]


def _haze(row: Values) -> list[Step | None]:
    return [Haze(int(row["noise_seed1"]), row["haze_beta"], row["haze_airlight"])]


def _snow(row: Values) -> list[Step | None]:
    names = ("snow_density", "snow_size", "snow_angle", "snow_strength")
    return [Snow(int(row["noise_seed1"]), *(row[name] for name in names))]


def _raindrop(row: Values) -> list[Step | None]:
    return [Raindrops(int(row["noise_seed1"]), row["drop_density"], row["drop_radius"])]


def _low_light(row: Values) -> list[Step | None]:
    dark = LowLight(row["light_gain"], row["light_gamma"])
    return [dark, GaussianNoise(row["light_noise"], False, int(row["noise_seed1"]))]


def _blur(row: Values) -> list[Step | None]:
    return [Blur(line_kernel(row["blur_length"], row["blur_angle"]))]


_PROGRAMS: dict[str, Callable[[Values], list[Step | None]]] = {
    "noise": _noise,
    "rain": _rain,
    "haze": _haze,
    "snow": _snow,
    "raindrop": _raindrop,
    "low_light": _low_light,
    "blur": _blur,
}
