"""The second-order space of Real-ESRGAN, every choice drawn per sample.

Wang et al., "Real-ESRGAN: Training real-world blind super-resolution with pure synthetic data",
ICCVW 2021; defaults are those of its file ``train_realesrnet_x4plus.yml``. The public code draws
resize, noise type, second blur and final order once per batch; here every sample has its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from realsr_mtl.degradations.distributions import (
    Mixture,
    choice,
    constant,
    integers,
    mix,
    normalised,
    uniform,
)
from realsr_mtl.degradations.operators import KERNEL_TYPES, RESIZE_MODES
from realsr_mtl.degradations.samplers.base import SAMPLERS, DegradationSampler
from realsr_mtl.degradations.space import Branch, Draw, Parameter, Space

_FAMILIES = KERNEL_TYPES[:6]
_SINC, _NONE = KERNEL_TYPES.index("sinc"), KERNEL_TYPES.index("none")
_PROBABILITIES = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)


@SAMPLERS.register(aliases=["SecondOrder"])
class RealESRGAN(DegradationSampler):
    """Second-order degradation of Real-ESRGAN: (blur, resize, noise, JPEG) twice, and a sinc.

    Args:
        resize_prob: probabilities of up-scaling, down-scaling and keeping the size.
        resize_range: smallest and largest factor of the first resize, of the HR size.
        gaussian_noise_prob: probability of Gaussian noise; the rest is Poisson noise.
        noise_range: Gaussian standard deviation in grey levels of 255.
        poisson_scale_range: Poisson strength, without unit.
        gray_noise_prob: probability of one noise field for all channels.
        jpeg_range: JPEG quality, whole numbers, both ends included.
        second_blur_prob: probability of the second blur.
        resize_prob2: as resize_prob, for the second resize.
        resize_range2: factors of the second resize, of the LQ size (HR size / scale).
        gaussian_noise_prob2: as gaussian_noise_prob, second noise.
        noise_range2: as noise_range, second noise.
        poisson_scale_range2: as poisson_scale_range, second noise.
        gray_noise_prob2: as gray_noise_prob, second noise.
        jpeg_range2: as jpeg_range, second JPEG.
        kernel_range: widths of the blur and sinc kernels in pixels, odd, at most 21.
        kernel_list: blur families of the first blur.
        kernel_prob: their probabilities.
        sinc_prob: probability of a sinc kernel in place of the first blur.
        blur_sigma: standard deviation of the first blur in pixels, each axis.
        betag_range: shape of the generalised kernels; half of them below 1, half above.
        betap_range: shape of the plateau kernels; half of them below 1 (or at 1), half above.
        kernel_list2: as kernel_list, second blur.
        kernel_prob2: as kernel_prob, second blur.
        sinc_prob2: as sinc_prob, second blur.
        blur_sigma2: as blur_sigma, second blur.
        betag_range2: as betag_range, second blur.
        betap_range2: as betap_range, second blur.
        final_sinc_prob: probability of the last sinc filter.
    """

    def __init__(
        self,
        scale: int,
        *,
        resize_prob: tuple[float, float, float] = (0.2, 0.7, 0.1),
        resize_range: tuple[float, float] = (0.15, 1.5),
        gaussian_noise_prob: float = 0.5,
        noise_range: tuple[float, float] = (1, 30),
        poisson_scale_range: tuple[float, float] = (0.05, 3),
        gray_noise_prob: float = 0.4,
        jpeg_range: tuple[int, int] = (30, 95),
        second_blur_prob: float = 0.8,
        resize_prob2: tuple[float, float, float] = (0.3, 0.4, 0.3),
        resize_range2: tuple[float, float] = (0.3, 1.2),
        gaussian_noise_prob2: float = 0.5,
        noise_range2: tuple[float, float] = (1, 25),
        poisson_scale_range2: tuple[float, float] = (0.05, 2.5),
        gray_noise_prob2: float = 0.4,
        jpeg_range2: tuple[int, int] = (30, 95),
        kernel_range: tuple[int, ...] = (7, 9, 11, 13, 15, 17, 19, 21),
        kernel_list: tuple[str, ...] = _FAMILIES,
        kernel_prob: tuple[float, ...] = _PROBABILITIES,
        sinc_prob: float = 0.1,
        blur_sigma: tuple[float, float] = (0.2, 3),
        betag_range: tuple[float, float] = (0.5, 4),
        betap_range: tuple[float, float] = (1, 2),
        kernel_list2: tuple[str, ...] = _FAMILIES,
        kernel_prob2: tuple[float, ...] = _PROBABILITIES,
        sinc_prob2: float = 0.1,
        blur_sigma2: tuple[float, float] = (0.2, 1.5),
        betag_range2: tuple[float, float] = (0.5, 4),
        betap_range2: tuple[float, float] = (1, 2),
        final_sinc_prob: float = 0.8,
    ) -> None:
        for size in kernel_range:
            if size % 2 == 0 or not 3 <= size <= 21:
                raise ValueError(f"kernel_range holds {size}; widths are odd, 3 to 21")
        for low, high in (blur_sigma, blur_sigma2):
            if low < 0 or high <= 0:
                raise ValueError(f"blur_sigma [{low}, {high}] must be positive")
        for low, high in (jpeg_range, jpeg_range2):
            if low < 1 or high > 100:
                raise ValueError(f"jpeg_range [{low}, {high}] must lie in [1, 100]")
        draws = [
            _blur(
                1, 1.0, kernel_range, kernel_list, kernel_prob, sinc_prob, blur_sigma,
                betag_range, betap_range,
            ),
            *_resize(1, resize_prob, resize_range),
            *_noise(1, gaussian_noise_prob, noise_range, poisson_scale_range, gray_noise_prob),
            Draw("jpeg1", (Branch(1.0, {"jpeg_quality1": integers(*jpeg_range)}),)),
            _blur(
                2, second_blur_prob, kernel_range, kernel_list2, kernel_prob2, sinc_prob2,
                blur_sigma2, betag_range2, betap_range2,
            ),
            *_resize(2, resize_prob2, resize_range2),
            *_noise(2, gaussian_noise_prob2, noise_range2, poisson_scale_range2, gray_noise_prob2),
            *_final(kernel_range, final_sinc_prob),
            Draw("jpeg2", (Branch(1.0, {"jpeg_quality2": integers(*jpeg_range2)}),)),
        ]  # fmt: skip
        super().__init__("second_order", scale, Space(_parameters(), draws), noises=2)

    def _finish(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        for stage in (1, 2):
            isotropic = (values[f"kernel_type{stage}"] < _SINC) & (
                values[f"kernel_type{stage}"] % 2 == 0
            )
            values[f"sigma_y{stage}"] = values[f"sigma_x{stage}"].where(
                isotropic, values[f"sigma_y{stage}"]
            )
        return values


def _parameters() -> list[Parameter]:
    modes = ", ".join(f"{i} {m}" for i, m in enumerate(RESIZE_MODES))
    kinds = ", ".join(f"{i} {k}" for i, k in enumerate(KERNEL_TYPES))
    rows = []
    for s, of in ((1, "of the HR size"), (2, "of HR size / scale")):
        rows += [
            Parameter(f"kernel_type{s}", "code", f"Blur kernel: {kinds}.", True),
            Parameter(f"kernel_size{s}", "pixels", "Kernel width.", True),
            Parameter(f"sigma_x{s}", "pixels", "Standard deviation, first axis."),
            Parameter(f"sigma_y{s}", "pixels", "Standard deviation, second axis."),
            Parameter(f"rotation{s}", "radians", "Angle of the first axis (anisotropic kernels)."),
            Parameter(f"beta{s}", "1", "Shape of generalised and plateau kernels."),
            Parameter(f"cutoff{s}", "radians / pixel", "Cut-off of a sinc kernel."),
            Parameter(f"resize_scale{s}", of, "Resize factor; exactly 1 when kept."),
            Parameter(f"resize_mode{s}", "code", f"Resize mode: {modes}.", True),
            Parameter(f"noise_type{s}", "code", "0 Gaussian, 1 Poisson.", True),
            Parameter(f"gaussian_sigma{s}", "grey levels of 255", "Gaussian standard deviation."),
            Parameter(f"poisson_scale{s}", "1", "Poisson strength."),
            Parameter(f"gray_noise{s}", "code", "1: one noise field for all channels.", True),
            Parameter(f"jpeg_quality{s}", "quality", "JPEG quality.", True),
        ]
    rows += [
        Parameter(
            "final_order", "code", "0: resize-back and sinc, then JPEG; 1: JPEG first.", True
        ),
        Parameter("final_mode", "code", f"Mode of the resize-back: {modes}.", True),
        Parameter("final_kernel_type", "code", f"{_SINC} sinc, {_NONE} none.", True),
        Parameter("final_kernel_size", "pixels", "Width of the last sinc.", True),
        Parameter("final_cutoff", "radians / pixel", "Cut-off of the last sinc."),
    ]
    return rows


def _blur(
    stage: int,
    probability: float,
    sizes: Sequence[int],
    families: Sequence[str],
    family_prob: Sequence[float],
    sinc_prob: float,
    sigma: tuple[float, float],
    beta_generalized: tuple[float, float],
    beta_plateau: tuple[float, float],
) -> Draw:
    if len(families) != len(family_prob):
        raise ValueError(f"{len(families)} kernel families but {len(family_prob)} probabilities")
    branches = []
    for family, weight in zip(families, normalised(family_prob), strict=True):
        if family not in _FAMILIES:
            raise ValueError(f"'{family}' is no blur kernel; there are {', '.join(_FAMILIES)}")
        values = {
            f"kernel_type{stage}": constant(KERNEL_TYPES.index(family)),
            f"kernel_size{stage}": choice(sizes),
            f"sigma_x{stage}": uniform(*sigma),
        }
        if family.endswith("aniso"):
            values[f"sigma_y{stage}"] = uniform(*sigma)
            values[f"rotation{stage}"] = uniform(-math.pi, math.pi)
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
                f"kernel_type{stage}": constant(_SINC),
                f"kernel_size{stage}": choice(group),
                f"cutoff{stage}": uniform(lowest, math.pi),
            }
            branches.append(Branch(probability * sinc_prob * len(group) / len(sizes), values))
    if probability != 1:  # above 1 it becomes a negative branch, which the space refuses
        branches.append(Branch(1 - probability, {f"kernel_type{stage}": constant(_NONE)}))
    return Draw(f"blur{stage}", tuple(branches))


def _around_one(bounds: tuple[float, float]) -> Mixture:
    """Real-ESRGAN's rule: half of the draws between the lower bound and 1, half above 1."""
    low, high = bounds
    if not low <= 1 <= high:
        raise ValueError(f"the beta range [{low}, {high}] must contain 1")
    return mix([(0.5, uniform(low, 1.0)), (0.5, uniform(1.0, high))])


def _resize(
    stage: int, probability: tuple[float, float, float], bounds: tuple[float, float]
) -> list[Draw]:
    up, down, keep = probability
    low, high = bounds
    if (up and high < 1) or (down and low > 1) or low <= 0:
        raise ValueError(f"resize range [{low}, {high}] must be positive and contain 1")
    parts = [(up, uniform(1.0, max(high, 1.0))), (down, uniform(min(low, 1.0), 1.0))]
    factor = mix([*parts, (keep, constant(1.0))])
    return [
        Draw(f"resize{stage}", (Branch(1.0, {f"resize_scale{stage}": factor}),)),
        Draw(f"resize_mode{stage}", (Branch(1.0, {f"resize_mode{stage}": choice((0, 1, 2))}),)),
    ]


def _noise(
    stage: int,
    gaussian_prob: float,
    sigma: tuple[float, float],
    scale: tuple[float, float],
    grey_prob: float,
) -> list[Draw]:
    kind = f"noise_type{stage}"
    gaussian = {kind: constant(0), f"gaussian_sigma{stage}": uniform(*sigma)}
    poisson = {kind: constant(1), f"poisson_scale{stage}": uniform(*scale)}
    grey = choice((1, 0), (grey_prob, 1 - grey_prob))
    return [
        Draw(
            f"noise{stage}", (Branch(gaussian_prob, gaussian), Branch(1 - gaussian_prob, poisson))
        ),
        Draw(f"gray_noise{stage}", (Branch(1.0, {f"gray_noise{stage}": grey}),)),
    ]


def _final(sizes: Sequence[int], probability: float) -> list[Draw]:
    sinc = {
        "final_kernel_type": constant(_SINC),
        "final_kernel_size": choice(sizes),
        "final_cutoff": uniform(math.pi / 3, math.pi),
    }
    none = {"final_kernel_type": constant(_NONE)}
    return [
        Draw("final_order", (Branch(1.0, {"final_order": choice((0, 1))}),)),
        Draw("final_mode", (Branch(1.0, {"final_mode": choice((0, 1, 2))}),)),
        Draw("final_sinc", (Branch(probability, sinc), Branch(1 - probability, none))),
    ]
