"""Draws that several samplers share; a suffix 1 or 2 names the stage."""

from __future__ import annotations

import math
from collections.abc import Sequence

from realsr_mtl.degradations.distributions import (
    Mixture,
    choice,
    constant,
    integers,
    mix,
    normalised,
    uniform,
)
from realsr_mtl.degradations.operators import KERNEL_TYPES, NOISE_TYPES, RESIZE_MODES
from realsr_mtl.degradations.operators.blur import MAX_KERNEL_SIZE
from realsr_mtl.degradations.space import Branch, Draw, Parameter

FAMILIES = KERNEL_TYPES[:6]
SINC, NO_BLUR = KERNEL_TYPES.index("sinc"), KERNEL_TYPES.index("none")
GAUSSIAN, POISSON = NOISE_TYPES.index("gaussian"), NOISE_TYPES.index("poisson")


def codes(names: Sequence[str]) -> str:
    """The names that a code stands for, in words."""
    return ", ".join(f"{i} {name}" for i, name in enumerate(names))


KERNEL_CODES, RESIZE_CODES, NOISE_CODES = map(codes, (KERNEL_TYPES, RESIZE_MODES, NOISE_TYPES))


def check_kernels(sizes: Sequence[int], *sigmas: tuple[float, float]) -> None:
    """Refuse widths and standard deviations of which no kernel can be made."""
    for size in sizes:
        if size % 2 == 0 or not 3 <= size <= MAX_KERNEL_SIZE:
            raise ValueError(f"kernel_range holds {size}; widths are odd, 3 to {MAX_KERNEL_SIZE}")
    for low, high in sigmas:
        if low < 0 or high <= 0:
            raise ValueError(f"blur_sigma [{low}, {high}] must be positive")


def blur_parameters(stage: int) -> list[Parameter]:
    """What `blur` draws."""
    return [
        Parameter(f"kernel_type{stage}", "code", f"Blur kernel: {KERNEL_CODES}.", True),
        Parameter(f"kernel_size{stage}", "pixels", "Kernel width.", True),
        Parameter(f"sigma_x{stage}", "pixels", "Standard deviation, first axis."),
        Parameter(
            f"sigma_y{stage}",
            "pixels",
            "Standard deviation, second axis (anisotropic kernels).",
        ),
        Parameter(f"rotation{stage}", "radians", "Angle of the first axis (anisotropic kernels)."),
        Parameter(f"beta{stage}", "1", "Shape of generalised and plateau kernels."),
        Parameter(f"cutoff{stage}", "radians / pixel", "Cut-off of a sinc kernel."),
    ]


def blur(
    stage: int,
    probability: float,
    sizes: Sequence[int],
    families: Sequence[str],
    family_prob: Sequence[float],
    sinc_prob: float,
    sigma: tuple[float, float],
    *,
    rotation: tuple[float, float] = (-math.pi, math.pi),
    beta_generalized: tuple[float, float] = (1, 1),
    beta_plateau: tuple[float, float] = (1, 1),
) -> Draw:
    """No blur, a sinc kernel, or one of the families."""
    if len(families) != len(family_prob):
        raise ValueError(f"{len(families)} kernel families but {len(family_prob)} probabilities")
    branches = []
    for family, weight in zip(families, normalised(family_prob), strict=True):
        if family not in FAMILIES:
            raise ValueError(f"'{family}' is no blur kernel; there are {', '.join(FAMILIES)}")
        values = {
            f"kernel_type{stage}": constant(KERNEL_TYPES.index(family)),
            f"kernel_size{stage}": choice(sizes),
            f"sigma_x{stage}": uniform(*sigma),
        }
        if family.endswith("aniso"):
            values[f"sigma_y{stage}"] = uniform(*sigma)
            values[f"rotation{stage}"] = uniform(*rotation)
        if family.startswith("generalized"):
            values[f"beta{stage}"] = _around_one(beta_generalized)
        elif family.startswith("plateau"):
            values[f"beta{stage}"] = _around_one(beta_plateau)
        branches.append(Branch(probability * (1 - sinc_prob) * weight, values))
    for group, lowest in (
        ([s for s in sizes if s < 13], math.pi / 3),
        ([s for s in sizes if s >= 13], math.pi / 5),
    ):
        if group and sinc_prob:
            values = {
                f"kernel_type{stage}": constant(SINC),
                f"kernel_size{stage}": choice(group),
                f"cutoff{stage}": uniform(lowest, math.pi),
            }
            branches.append(Branch(probability * sinc_prob * len(group) / len(sizes), values))
    if probability != 1:  # above 1 it becomes a negative branch, which the space refuses
        branches.append(Branch(1 - probability, {f"kernel_type{stage}": constant(NO_BLUR)}))
    return Draw(f"blur{stage}", tuple(branches))


def _around_one(bounds: tuple[float, float]) -> Mixture:
    """Real-ESRGAN's rule: half of the draws between the lower bound and 1, half above 1."""
    low, high = bounds
    if not low <= 1 <= high:
        raise ValueError(f"the beta range [{low}, {high}] must contain 1")
    return mix([(0.5, uniform(low, 1.0)), (0.5, uniform(1.0, high))])


def resize_parameters(stage: int, of: str) -> list[Parameter]:
    """What `resize` draws."""
    return [
        Parameter(f"resize_scale{stage}", of, "Resize factor; exactly 1 when kept."),
        Parameter(f"resize_mode{stage}", "code", f"Resize mode: {RESIZE_CODES}.", True),
    ]


def resize(
    stage: int, on: float, probability: tuple[float, float, float], bounds: tuple[float, float]
) -> Draw:
    """Up, down or keep the size; or, with probability ``1 - on``, no resize at all."""
    up, down, keep = probability
    low, high = bounds
    if (up and high < 1) or (down and low > 1) or low <= 0:
        raise ValueError(f"resize range [{low}, {high}] must be positive and contain 1")
    parts = [(up, uniform(1.0, max(high, 1.0))), (down, uniform(min(low, 1.0), 1.0))]
    values = {
        f"resize_scale{stage}": mix([*parts, (keep, constant(1.0))]),
        f"resize_mode{stage}": choice((0, 1, 2)),
    }
    return Draw(f"resize{stage}", _gated(on, values))


def noise_parameters(stage: int) -> list[Parameter]:
    """What `noise` draws."""
    return [
        Parameter(f"noise_type{stage}", "code", f"{NOISE_CODES}.", True),
        Parameter(
            f"gaussian_sigma{stage}",
            "grey levels of 255",
            "Gaussian standard deviation; 0 where the noise is switched off.",
        ),
        Parameter(f"poisson_scale{stage}", "1", "Poisson strength."),
        Parameter(f"gray_noise{stage}", "code", "1: one noise field for all channels.", True),
    ]


def noise(
    stage: int,
    on: float,
    gaussian_prob: float,
    sigma: tuple[float, float],
    scale: tuple[float, float],
    grey_prob: float,
) -> Draw:
    """Gaussian or Poisson noise; or, with probability ``1 - on``, Gaussian noise of strength 0."""
    kind, strength, grey = (f"{n}{stage}" for n in ("noise_type", "gaussian_sigma", "gray_noise"))
    single = choice((1, 0), (grey_prob, 1 - grey_prob))
    gaussian = {kind: constant(GAUSSIAN), strength: uniform(*sigma), grey: single}
    poisson = {kind: constant(POISSON), f"poisson_scale{stage}": uniform(*scale), grey: single}
    branches = [Branch(on * gaussian_prob, gaussian), Branch(on * (1 - gaussian_prob), poisson)]
    if on != 1:
        silent = {kind: constant(GAUSSIAN), strength: constant(0), grey: constant(0)}
        branches.append(Branch(1 - on, silent))
    return Draw(f"noise{stage}", tuple(branches))


def jpeg_parameters(stage: int) -> list[Parameter]:
    """What `jpeg` draws."""
    return [Parameter(f"jpeg_quality{stage}", "quality", "JPEG quality.", True)]


def jpeg_quality(bounds: tuple[int, int]) -> Mixture:
    """Whole numbers, both ends included."""
    if bounds[0] < 1 or bounds[1] > 100:
        raise ValueError(f"jpeg_range [{bounds[0]}, {bounds[1]}] must lie in [1, 100]")
    return integers(*bounds)


def jpeg(stage: int, on: float, bounds: tuple[int, int]) -> Draw:
    """A quality, or with probability ``1 - on`` no compression."""
    return Draw(f"jpeg{stage}", _gated(on, {f"jpeg_quality{stage}": jpeg_quality(bounds)}))


def _gated(on: float, values: dict[str, Mixture]) -> tuple[Branch, ...]:
    return (Branch(on, values),) if on == 1 else (Branch(on, values), Branch(1 - on, {}))
