"""The second-order space of Real-ESRGAN, every choice drawn per sample.

Wang et al., "Real-ESRGAN: Training real-world blind super-resolution with pure synthetic data",
ICCVW 2021; defaults are those of its file ``train_realesrnet_x4plus.yml``. The public code draws
resize, noise type, second blur and final order once per batch; here every sample has its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from realsr_mtl.degradations.distributions import choice, constant, uniform
from realsr_mtl.degradations.samplers import draws
from realsr_mtl.degradations.samplers.base import SAMPLERS, DegradationSampler, Probability
from realsr_mtl.degradations.samplers.draws import FAMILIES, NO_BLUR, SINC
from realsr_mtl.degradations.space import Branch, Draw, Parameter, Space

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
        first_blur_prob: probability of the first blur (1 in Real-ESRGAN, here and below; the
            type Gated has other defaults).
        first_resize_prob: probability of the first resize.
        first_noise_prob: probability of the first noise.
        first_jpeg_prob: probability of the first JPEG compression.
        second_resize_prob: probability of the second resize.
        second_noise_prob: probability of the second noise.
        final_prob: probability of the last block, sinc filter and JPEG; the resize to the LQ size
            is always there.
    """

    def __init__(
        self,
        scale: int,
        *,
        resize_prob: tuple[float, float, float] = (0.2, 0.7, 0.1),
        resize_range: tuple[float, float] = (0.15, 1.5),
        gaussian_noise_prob: Probability = 0.5,
        noise_range: tuple[float, float] = (1, 30),
        poisson_scale_range: tuple[float, float] = (0.05, 3),
        gray_noise_prob: Probability = 0.4,
        jpeg_range: tuple[int, int] = (30, 95),
        second_blur_prob: Probability = 0.8,
        resize_prob2: tuple[float, float, float] = (0.3, 0.4, 0.3),
        resize_range2: tuple[float, float] = (0.3, 1.2),
        gaussian_noise_prob2: Probability = 0.5,
        noise_range2: tuple[float, float] = (1, 25),
        poisson_scale_range2: tuple[float, float] = (0.05, 2.5),
        gray_noise_prob2: Probability = 0.4,
        jpeg_range2: tuple[int, int] = (30, 95),
        kernel_range: tuple[int, ...] = (7, 9, 11, 13, 15, 17, 19, 21),
        kernel_list: tuple[str, ...] = FAMILIES,
        kernel_prob: tuple[float, ...] = _PROBABILITIES,
        sinc_prob: Probability = 0.1,
        blur_sigma: tuple[float, float] = (0.2, 3),
        betag_range: tuple[float, float] = (0.5, 4),
        betap_range: tuple[float, float] = (1, 2),
        kernel_list2: tuple[str, ...] = FAMILIES,
        kernel_prob2: tuple[float, ...] = _PROBABILITIES,
        sinc_prob2: Probability = 0.1,
        blur_sigma2: tuple[float, float] = (0.2, 1.5),
        betag_range2: tuple[float, float] = (0.5, 4),
        betap_range2: tuple[float, float] = (1, 2),
        final_sinc_prob: Probability = 0.8,
        first_blur_prob: Probability = 1,
        first_resize_prob: Probability = 1,
        first_noise_prob: Probability = 1,
        first_jpeg_prob: Probability = 1,
        second_resize_prob: Probability = 1,
        second_noise_prob: Probability = 1,
        final_prob: Probability = 1,
    ) -> None:
        draws.check_kernels(kernel_range, blur_sigma, blur_sigma2)
        space = [
            draws.blur(
                1, first_blur_prob, kernel_range, kernel_list, kernel_prob, sinc_prob, blur_sigma,
                beta_generalized=betag_range, beta_plateau=betap_range,
            ),
            draws.resize(1, first_resize_prob, resize_prob, resize_range),
            draws.noise(
                1, first_noise_prob, gaussian_noise_prob, noise_range, poisson_scale_range,
                gray_noise_prob,
            ),
            draws.jpeg(1, first_jpeg_prob, jpeg_range),
            draws.blur(
                2, second_blur_prob, kernel_range, kernel_list2, kernel_prob2, sinc_prob2,
                blur_sigma2, beta_generalized=betag_range2, beta_plateau=betap_range2,
            ),
            draws.resize(2, second_resize_prob, resize_prob2, resize_range2),
            draws.noise(
                2, second_noise_prob, gaussian_noise_prob2, noise_range2, poisson_scale_range2,
                gray_noise_prob2,
            ),
            *_final(kernel_range, final_prob, final_sinc_prob, jpeg_range2),
        ]  # fmt: skip
        super().__init__("second_order", scale, Space(_parameters(), space), noises=2)


def _parameters() -> list[Parameter]:
    rows = []
    for stage, of in ((1, "of the HR size"), (2, "of HR size / scale")):
        rows += draws.blur_parameters(stage)
        rows += draws.resize_parameters(stage, of)
        rows += draws.noise_parameters(stage)
        rows += draws.jpeg_parameters(stage)
    return [
        *rows,
        Parameter(
            "final_order", "code", "0: resize-back and sinc, then JPEG; 1: JPEG first.", True
        ),
        Parameter("final_mode", "code", f"Mode of the resize-back: {draws.RESIZE_CODES}.", True),
        Parameter("final_kernel_type", "code", f"{SINC} sinc, {NO_BLUR} none.", True),
        Parameter("final_kernel_size", "pixels", "Width of the last sinc.", True),
        Parameter("final_cutoff", "radians / pixel", "Cut-off of the last sinc."),
    ]


def _final(
    sizes: Sequence[int], on: float, sinc_prob: float, qualities: tuple[int, int]
) -> list[Draw]:
    quality = {"jpeg_quality2": draws.jpeg_quality(qualities)}
    sinc = {
        "final_kernel_type": constant(SINC),
        "final_kernel_size": choice(sizes),
        "final_cutoff": uniform(math.pi / 3, math.pi),
    }
    none = {"final_kernel_type": constant(NO_BLUR)}
    branches = [
        Branch(on * sinc_prob, {**sinc, **quality}),
        Branch(on * (1 - sinc_prob), {**none, **quality}),
    ]
    if on != 1:
        branches.append(Branch(1 - on, none))
    return [
        Draw("final_order", (Branch(1.0, {"final_order": choice((0, 1))}),)),
        Draw("final_mode", (Branch(1.0, {"final_mode": choice((0, 1, 2))}),)),
        Draw("final", tuple(branches), others={"jpeg2": ("jpeg_quality2",)}),
    ]
