"""First-order degradation: blur, down-scaling and noise, once.

Zhang et al., "Learning a Single Convolutional Super-Resolution Network for Multiple Degradations"
(SRMD), CVPR 2018; Wang et al., "Unsupervised Degradation Representation Learning for Blind
Super-Resolution" (DASR), CVPR 2021, whose general setting (anisotropic Gaussian kernels of 21
pixels, noise up to 25) gives the defaults.
"""

from __future__ import annotations

import math
from typing import Literal

from realsr_mtl.degradations.distributions import constant
from realsr_mtl.degradations.pipelines.first_order import DOWNSCALES
from realsr_mtl.degradations.samplers import draws
from realsr_mtl.degradations.samplers.base import SAMPLERS, DegradationSampler, Probability
from realsr_mtl.degradations.space import Branch, Draw, Parameter, Space


@SAMPLERS.register(aliases=["SRMD", "DASR"])
class FirstOrder(DegradationSampler):
    """One blur, one down-scaling, one noise: the space of SRMD and DASR.

    Args:
        kernel_range: widths of the blur kernel in pixels, odd, at most 21.
        kernel_list: blur families; DASR trains either on iso or on aniso.
        kernel_prob: their probabilities.
        blur_prob: probability of the blur.
        blur_sigma: standard deviation in pixels, each axis (DASR's sig and lambda ranges).
        rotation_range: angle of the first axis in radians.
        downscale: bicubic (MATLAB's, with anti-aliasing) or s-fold (every scale-th pixel).
        noise_prob: probability of the noise.
        noise_range: Gaussian standard deviation in grey levels of 255.
        gray_noise_prob: probability of one noise field for all channels.
        jpeg_prob: probability of a JPEG compression at the end; neither paper has one.
        jpeg_range: its quality, whole numbers, both ends included.
    """

    def __init__(
        self,
        scale: int,
        *,
        kernel_range: tuple[int, ...] = (21,),
        kernel_list: tuple[str, ...] = ("aniso",),
        kernel_prob: tuple[float, ...] = (1,),
        blur_prob: Probability = 1,
        blur_sigma: tuple[float, float] = (0.2, 4),
        rotation_range: tuple[float, float] = (0, math.pi),
        downscale: Literal["bicubic", "s-fold"] = "bicubic",
        noise_prob: Probability = 1,
        noise_range: tuple[float, float] = (0, 25),
        gray_noise_prob: Probability = 0,
        jpeg_prob: Probability = 0,
        jpeg_range: tuple[int, int] = (30, 95),
    ) -> None:
        draws.check_kernels(kernel_range, blur_sigma)
        families = [family for family in kernel_list if family not in ("iso", "aniso")]
        if families:
            raise ValueError(f"'{families[0]}' is no kernel of this space; it has iso and aniso")
        parameters = [
            *draws.blur_parameters(1),
            Parameter("downscale", "code", f"{draws.codes(DOWNSCALES)}.", True),
            *draws.noise_parameters(1),
            *draws.jpeg_parameters(1),
        ]
        how = {"downscale": constant(DOWNSCALES.index(downscale))}
        space = [
            draws.blur(
                1, blur_prob, kernel_range, kernel_list, kernel_prob, 0, blur_sigma,
                rotation=rotation_range,
            ),
            Draw("downscale", (Branch(1.0, how),)),
            draws.noise(1, noise_prob, 1, noise_range, (0, 0), gray_noise_prob),
            draws.jpeg(1, jpeg_prob, jpeg_range),
        ]  # fmt: skip
        super().__init__("first_order", scale, Space(parameters, space), noises=1)
