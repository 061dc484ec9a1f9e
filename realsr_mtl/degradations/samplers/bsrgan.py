"""The shuffled space of BSRGAN.

Zhang et al., "Designing a Practical Degradation Model for Deep Blind Image Super-Resolution",
ICCV 2021; the distributions are those of its public code (``degradation_bsrgan``). Its camera
pipeline is left out, as in that code when no model of one is given. One detail differs: ``area``
averages whole pixels, as in Real-ESRGAN.
"""

from __future__ import annotations

import math

from realsr_mtl.degradations.distributions import choice, constant, integers, uniform
from realsr_mtl.degradations.operators import KERNEL_TYPES, RESIZE_MODES
from realsr_mtl.degradations.pipelines.shuffle import HALVINGS, LARGEST_KERNEL, NOISES, orders
from realsr_mtl.degradations.samplers import draws
from realsr_mtl.degradations.samplers.base import SAMPLERS, DegradationSampler, Probability
from realsr_mtl.degradations.space import Branch, Draw, Parameter, Space

_SIZES = range(7, LARGEST_KERNEL + 1, 2)
_ISO, _ANISO = KERNEL_TYPES.index("iso"), KERNEL_TYPES.index("aniso")
_UNIT = uniform(0, 1)


@SAMPLERS.register(aliases=["Shuffle"])
class BSRGAN(DegradationSampler):
    """Shuffled degradation of BSRGAN: two blurs, two resizes, noise and JPEG in any order.

    Args:
        halving_prob: probability of a halving before all else, at scale 4 only.
        noise_range: Gaussian standard deviation in grey levels of 255, whole numbers.
        jpeg_prob: probability of the shuffled JPEG compression; another one is always the end.
        jpeg_range: quality of both, whole numbers, both ends included.
    """

    def __init__(
        self,
        scale: int,
        *,
        halving_prob: Probability = 0.25,
        noise_range: tuple[int, int] = (2, 25),
        jpeg_prob: Probability = 0.9,
        jpeg_range: tuple[int, int] = (30, 95),
    ) -> None:
        p = halving_prob if scale == 4 else 0.0
        halving = choice(range(len(HALVINGS)), [p / 6, p / 6, p / 6, p / 2, 1 - p])
        modes = choice(range(len(RESIZE_MODES)))
        space = [
            Draw("halving", (Branch(1.0, {"halving": halving}),)),
            Draw("order", (Branch(1.0, {"order": integers(0, len(orders()) - 1)}),)),
            _blur(1),
            _blur(2),
            Draw(
                "shrink",
                (
                    Branch(
                        0.75,
                        {"shrink_type": constant(0), "shrink_factor": _UNIT, "shrink_mode": modes},
                    ),
                    Branch(0.25, {"shrink_type": constant(1), "shrink_sigma": _UNIT}),
                ),
            ),
            Draw("settle", (Branch(1.0, {"settle_mode": modes}),)),
            _noise(noise_range),
            draws.jpeg(1, jpeg_prob, jpeg_range),
            draws.jpeg(2, 1, jpeg_range),
        ]
        super().__init__("shuffle", scale, Space(_parameters(), space), noises=1)


def _blur(stage: int) -> Draw:
    kind, size = f"kernel_type{stage}", f"kernel_size{stage}"
    iso = {kind: constant(_ISO), size: choice(_SIZES), f"blur_sigma{stage}": _UNIT}
    aniso = {
        kind: constant(_ANISO),
        size: choice(_SIZES),
        f"blur_variance_x{stage}": _UNIT,
        f"blur_variance_y{stage}": _UNIT,
        f"rotation{stage}": uniform(0, math.pi),
    }
    return Draw(f"blur{stage}", (Branch(0.5, aniso), Branch(0.5, iso)))


def _noise(levels: tuple[int, int]) -> Draw:
    sigma, kinds = integers(*levels), {kind: constant(i) for i, kind in enumerate(NOISES)}
    branches = [
        Branch(0.4, {"noise_type": kinds[kind], "gaussian_sigma": sigma})
        for kind in ("colour", "grey")
    ]
    correlated = {
        "noise_type": kinds["correlated"],
        "gaussian_sigma": constant(levels[1]),
        **{f"colour_variance{i}": _UNIT for i in range(1, 4)},
        **{f"colour_basis{i}": _UNIT for i in range(1, 10)},
    }
    return Draw("noise", (*branches, Branch(0.2, correlated)))


def _parameters() -> list[Parameter]:
    modes = draws.RESIZE_CODES
    rows = [
        Parameter("halving", "code", f"Halving at the start: {draws.codes(HALVINGS)}.", True),
        Parameter(
            "order",
            "number",
            "Order of the operators: position in pipelines.shuffle.orders().",
            True,
        ),
    ]
    for stage in (1, 2):
        rows += [
            Parameter(f"kernel_type{stage}", "code", f"Blur: {_ISO} iso, {_ANISO} aniso.", True),
            Parameter(f"kernel_size{stage}", "pixels", "Kernel width.", True),
            Parameter(
                f"blur_sigma{stage}",
                "of 2 + 0.2 s pixels",
                "Standard deviation of an isotropic kernel; s is the scale, 2 after a halving.",
            ),
            Parameter(
                f"blur_variance_x{stage}",
                "of 4 + s square pixels",
                "Variance of an anisotropic kernel, first axis.",
            ),
            Parameter(f"blur_variance_y{stage}", "of 4 + s square pixels", "Second axis."),
            Parameter(f"rotation{stage}", "radians", "Angle of the first axis."),
        ]
    return [
        *rows,
        Parameter("shrink_type", "code", "0 resize, 1 Gaussian and every s-th pixel.", True),
        Parameter(
            "shrink_factor", "share", "Resize by 1 / (1 + share (2 s - 1)) of the present size."
        ),
        Parameter("shrink_mode", "code", f"Its mode: {modes}.", True),
        Parameter(
            "shrink_sigma", "share", "Gaussian of 0.1 + share (0.6 s - 0.1) pixels, 25 wide."
        ),
        Parameter("settle_mode", "code", f"Mode of the resize to the LQ size: {modes}.", True),
        Parameter("noise_type", "code", f"Gaussian noise: {draws.codes(NOISES)}.", True),
        Parameter("gaussian_sigma", "grey levels of 255", "Standard deviation.", True),
        *(
            Parameter(f"colour_variance{i}", "1", "Correlated noise: variances d.")
            for i in range(1, 4)
        ),
        *(
            Parameter(f"colour_basis{i}", "1", "Correlated noise: matrix whose basis U is.")
            for i in range(1, 10)
        ),
        *draws.jpeg_parameters(1),
        *draws.jpeg_parameters(2),
    ]
