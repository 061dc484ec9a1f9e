"""Gated degradation: the second-order space with every operator switched on by chance.

Zhang et al., "A Closer Look at Blind Super-Resolution: Degradation Models, Baselines, and
Performance Upper Bounds", CVPRW 2022, whose public code draws the gates once per batch; here every
sample has its own.
"""

from __future__ import annotations

from typing import Any

from realsr_mtl.degradations.samplers.base import SAMPLERS, Probability
from realsr_mtl.degradations.samplers.real_esrgan import RealESRGAN


@SAMPLERS.register(aliases=["GD"])
class Gated(RealESRGAN):
    """The space of RealESRGAN, each operator with a probability of its own (0.5 by default).

    Args:
        first_blur_prob: probability of the first blur.
        first_resize_prob: probability of the first resize.
        first_noise_prob: probability of the first noise.
        first_jpeg_prob: probability of the first JPEG compression.
        second_blur_prob: probability of the second blur.
        second_resize_prob: probability of the second resize.
        second_noise_prob: probability of the second noise.
        final_prob: probability of the last block, sinc filter and JPEG.
    """

    def __init__(
        self,
        scale: int,
        *,
        first_blur_prob: Probability = 0.5,
        first_resize_prob: Probability = 0.5,
        first_noise_prob: Probability = 0.5,
        first_jpeg_prob: Probability = 0.5,
        second_blur_prob: Probability = 0.5,
        second_resize_prob: Probability = 0.5,
        second_noise_prob: Probability = 0.5,
        final_prob: Probability = 0.5,
        **others: Any,
    ) -> None:
        super().__init__(
            scale,
            first_blur_prob=first_blur_prob,
            first_resize_prob=first_resize_prob,
            first_noise_prob=first_noise_prob,
            first_jpeg_prob=first_jpeg_prob,
            second_blur_prob=second_blur_prob,
            second_resize_prob=second_resize_prob,
            second_noise_prob=second_noise_prob,
            final_prob=final_prob,
            **others,
        )
