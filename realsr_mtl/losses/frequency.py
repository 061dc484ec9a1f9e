"""The difference of spectra: every frequency counts alike."""

from __future__ import annotations

import torch
from torch import Tensor

from realsr_mtl.losses.base import LOSSES, ImageLoss


@LOSSES.register()
class FFTLoss(ImageLoss):
    """Mean absolute difference of the real and imaginary parts of the Fourier coefficients.

    With ``F`` the orthonormal transform, ``F(e) = 1 / sqrt(H W) * sum e[y, x] exp(-2 pi i (u y / H
    + v x / W))``, and ``e = prediction - target``: ``(mean |Re F(e)| + mean |Im F(e)|) / 2`` over
    channels and the half plane ``v <= W / 2``, which holds all that a real image has. White noise
    of deviation s gives about ``0.56 s`` whatever the patch, so that the weight need not follow
    its size.

    The frequency loss of MIMO-UNet (Cho et al., ICCV 2021) and its successors. They do not
    normalise the transform and take the whole plane: their weight of 0.1 for patches of 256 pixels
    is about ``0.1 * sqrt(256 * 256) = 25.6`` here.
    """

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The mean over both parts."""
        spectrum = torch.fft.rfft2(prediction - target, norm="ortho")
        return torch.view_as_real(spectrum).abs().mean((1, 2, 3, 4))
