"""Synthetic all-in-one restoration: noise, weather, low light, blur and colour casts.

The noise levels are those of AirNet and PromptIR; rain, haze, snow and drops imitate the sets of
the field (Rain100, RESIDE, Snow100K, RainDrop), so that the whole setting runs on any folder of
clean images. Numbers measured on them do not compare with numbers on those sets.

Above scale 1 the degraded image is down-scaled by MATLAB's bicubic: pixels and densities are those
of the HR image, noise levels those of the LQ image.
"""

from __future__ import annotations

import math

from realsr_mtl.degradations.distributions import Interval, Mixture, Region, constant, uniform
from realsr_mtl.degradations.pipelines.all_in_one import KINDS
from realsr_mtl.degradations.samplers import draws
from realsr_mtl.degradations.samplers.base import SAMPLERS, DegradationSampler
from realsr_mtl.degradations.space import Branch, Draw, Parameter, Space

Range = tuple[float, float]


@SAMPLERS.register(aliases=["Weather"])
class AllInOne(DegradationSampler):
    """One kind of degradation a sample, and bicubic down-scaling by the scale.

    Noise, that of low light too, is added after the down-scaling, which would average it away; all
    else happens at full size.

    Args:
        kinds: the kinds, each with the same probability unless ``kind_prob`` says otherwise:
            rain, haze, snow, raindrop, low_light, blur, colour, resize (down-scaling alone, above
            scale 1), noise (a range of levels), or noise15, noise25, ... (one level, in grey levels
            of 255).
        kind_prob: their probabilities.
        noise_range: Gaussian standard deviation of the kind noise, in grey levels of 255.
        rain_density: streaks per pixel.
        rain_length: of the streaks in pixels.
        rain_angle: from the vertical in radians, one for all streaks of an image.
        rain_width: of the streaks in pixels.
        rain_strength: brightness that the streaks add.
        haze_beta: scattering; the transmission is ``exp(-beta d)`` with depths of 0.1 to 1.3.
        haze_airlight: brightness of the haze; 0.8 to 1 in RESIDE.
        snow_density: large flakes per pixel; there are two and four times as many smaller ones.
        snow_size: of the large flakes in pixels.
        snow_strength: opacity of the flakes.
        drop_density: drops per 100 x 100 pixels.
        drop_radius: of the largest drop in pixels.
        light_gain: factor of the exposure.
        light_gamma: exponent before it.
        light_noise: standard deviation of the sensor noise in the dark, in grey levels of 255.
        blur_length: of the motion in pixels.
        colour_red: gain of red, as a wrong white balance leaves it; green keeps 1. The ranges of
            colour are ours: casts from slight to plain.
        colour_blue: gain of blue.
        colour_gamma: exponent before the gains.
        colour_saturation: 1 keeps the colours, 0 makes the image grey.
    """

    def __init__(
        self,
        scale: int,
        *,
        kinds: tuple[str, ...] = ("noise15", "noise25", "noise50", "rain", "haze"),
        kind_prob: tuple[float, ...] | None = None,
        noise_range: Range = (5, 50),
        rain_density: Range = (0.002, 0.01),
        rain_length: Range = (8, 30),
        rain_angle: Range = (-0.6, 0.6),
        rain_width: Range = (1, 2.5),
        rain_strength: Range = (0.2, 0.6),
        haze_beta: Range = (0.6, 2),
        haze_airlight: Range = (0.8, 1),
        snow_density: Range = (0.0005, 0.003),
        snow_size: Range = (3, 8),
        snow_strength: Range = (0.6, 1),
        drop_density: Range = (2, 8),
        drop_radius: Range = (6, 16),
        light_gain: Range = (0.15, 0.5),
        light_gamma: Range = (1, 1.5),
        light_noise: Range = (1, 8),
        blur_length: Range = (5, 21),
        colour_red: Range = (0.7, 1.3),
        colour_blue: Range = (0.7, 1.3),
        colour_gamma: Range = (0.7, 1.4),
        colour_saturation: Range = (0.4, 1),
    ) -> None:
        values: dict[str, dict[str, Range]] = {
            "noise": {"noise_sigma": noise_range},
            "rain": {
                "rain_density": rain_density,
                "rain_length": rain_length,
                "rain_angle": rain_angle,
                "rain_width": rain_width,
                "rain_strength": rain_strength,
            },
            "haze": {"haze_beta": haze_beta, "haze_airlight": haze_airlight},
            "snow": {
                "snow_density": snow_density,
                "snow_size": snow_size,
                "snow_angle": rain_angle,
                "snow_strength": snow_strength,
            },
            "raindrop": {"drop_density": drop_density, "drop_radius": drop_radius},
            "low_light": {
                "light_gain": light_gain,
                "light_gamma": light_gamma,
                "light_noise": light_noise,
            },
            "blur": {"blur_length": blur_length, "blur_angle": (-math.pi / 2, math.pi / 2)},
            "resize": {},
            "colour": {
                "colour_red": colour_red,
                "colour_blue": colour_blue,
                "colour_gamma": colour_gamma,
                "colour_saturation": colour_saturation,
            },
        }
        _check(values)
        if not kinds or len(set(kinds)) != len(kinds):
            raise ValueError(f"kinds must be different names, found {list(kinds)}")
        shares = (1.0,) * len(kinds) if kind_prob is None else kind_prob
        if len(shares) != len(kinds) or min(shares) <= 0:
            raise ValueError(f"{len(kinds)} kinds need as many positive probabilities: {shares}")
        if "noise" in kinds and any(_level(kind) is not None for kind in kinds):
            raise ValueError("noise holds every level of its range; name single levels, or noise")
        if scale == 1 and "resize" in kinds:
            raise ValueError("resize is the down-scaling alone; at scale 1 it degrades nothing")
        branches: list[Branch] = []
        self._regions: dict[str, Region] = {}
        for kind, share in zip(kinds, shares, strict=True):
            level = _level(kind)
            name = "noise" if level is not None else kind
            if name not in KINDS:
                raise ValueError(
                    f"'{kind}' is no kind of degradation; there are {', '.join(KINDS)}, and "
                    "levels like noise25"
                )
            mixtures: dict[str, Mixture] = {"kind": constant(KINDS.index(name))}
            mixtures |= {parameter: uniform(*bounds) for parameter, bounds in values[name].items()}
            region = {"kind": Interval(min=KINDS.index(name), max=KINDS.index(name))}
            if level is not None:
                mixtures["noise_sigma"] = constant(level)
                region["noise_sigma"] = Interval(min=level, max=level)
            branches.append(Branch(share / math.fsum(shares), mixtures))
            self._regions[kind] = region
        space = Space(_parameters(), [Draw("kind", tuple(branches))])
        super().__init__("all_in_one", scale, space, noises=1)

    @property
    def kinds(self) -> dict[str, Region]:
        """The region of every kind."""
        return self._regions


def _level(kind: str) -> float | None:
    """The level of noise25; None for other names."""
    digits = kind.removeprefix("noise")
    return float(digits) if digits != kind and digits.isdigit() else None


def _check(values: dict[str, dict[str, Range]]) -> None:
    ranges = {name: bounds for named in values.values() for name, bounds in named.items()}
    for name, (low, high) in ranges.items():
        if low > high or (low < 0 and not name.endswith("angle")):
            raise ValueError(f"{name} [{low}, {high}] must not be negative or run backwards")
    for name in ("rain_density", "snow_density"):
        low, high = ranges[name]
        if not 0 < low <= high <= 0.1:
            raise ValueError(f"{name} [{low}, {high}] must lie in (0, 0.1]")
    for name in ("rain_length", "rain_width", "snow_size", "drop_radius", "blur_length"):
        if ranges[name][0] < 1:
            raise ValueError(f"{name} must be at least 1 pixel")
    for name in ("colour_red", "colour_blue", "colour_gamma"):
        if ranges[name][0] <= 0:
            raise ValueError(f"{name} must be positive")


def _parameters() -> list[Parameter]:
    return [
        Parameter("kind", "code", f"{draws.codes(KINDS)}.", True),
        Parameter("noise_sigma", "grey levels of 255", "Gaussian standard deviation."),
        Parameter("rain_density", "1 / pixel", "Streaks per pixel."),
        Parameter("rain_length", "pixels", "Length of the streaks."),
        Parameter("rain_angle", "radians", "Their angle from the vertical."),
        Parameter("rain_width", "pixels", "Their width."),
        Parameter("rain_strength", "1", "Brightness that they add."),
        Parameter("haze_beta", "1", "Scattering."),
        Parameter("haze_airlight", "1", "Brightness of the haze."),
        Parameter("snow_density", "1 / pixel", "Large flakes per pixel."),
        Parameter("snow_size", "pixels", "Size of the large flakes."),
        Parameter("snow_angle", "radians", "Angle of their fall from the vertical."),
        Parameter("snow_strength", "1", "Their opacity."),
        Parameter("drop_density", "1 / (100 pixels)^2", "Drops on the lens."),
        Parameter("drop_radius", "pixels", "Radius of the largest drop."),
        Parameter("light_gain", "1", "Factor of the exposure."),
        Parameter("light_gamma", "1", "Exponent before it."),
        Parameter("light_noise", "grey levels of 255", "Noise in the dark."),
        Parameter("blur_length", "pixels", "Length of the motion."),
        Parameter("blur_angle", "radians", "Its angle from the vertical."),
        Parameter("colour_red", "1", "Gain of red; that of green is 1."),
        Parameter("colour_blue", "1", "Gain of blue."),
        Parameter("colour_gamma", "1", "Exponent before the gains."),
        Parameter("colour_saturation", "1", "Distance from grey, as a factor."),
    ]
