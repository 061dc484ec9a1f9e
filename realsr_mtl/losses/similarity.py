"""Structural similarity as a loss, at one scale and at several."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.errors import UserError
from realsr_mtl.losses.base import LOSSES, ImageLoss

_C1, _C2 = 0.01**2, 0.03**2
_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_FLOOR = 1e-4


class SimilarityLoss(ImageLoss):
    """1 minus the similarity of windows, on RGB in [0, 1].

    The windows are those of the metric: Gaussian, population moments, no padding. Patches that are
    smaller than the window are refused.

    Args:
        window_size: odd side of the window in pixels; 11 as in the paper.
        sigma: of the window in pixels; 1.5 as in the paper.
    """

    kernel: Tensor

    def __init__(self, *, window_size: int = 11, sigma: float = 1.5, **others: Any) -> None:
        super().__init__(**others)
        if window_size < 3 or window_size % 2 == 0 or sigma <= 0:
            raise ValueError(
                f"window_size must be odd and at least 3, sigma positive: {window_size}, {sigma}"
            )
        offset = torch.arange(window_size, dtype=torch.float64) - window_size // 2
        weight = torch.exp(-offset.square() / (2 * sigma**2))
        self.register_buffer("kernel", (weight / weight.sum()).float(), persistent=False)

    def parts(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Luminance and contrast-structure terms of all windows, ``[B, C, h, w]`` each.

        With means m, variances s^2 and covariance c in the window:
        ``(2 mx my + C1) / (mx^2 + my^2 + C1)`` and ``(2 c + C2) / (sx^2 + sy^2 + C2)``.
        """
        planes = torch.cat((x, y, x * x + y * y, x * y), 1)
        mean_x, mean_y, squares, product = self._window(planes).chunk(4, 1)
        means, both = mean_x * mean_y, mean_x.square() + mean_y.square()
        luminance = (2 * means + _C1) / (both + _C1)
        return luminance, (2 * (product - means) + _C2) / (squares - both + _C2)

    def _window(self, image: Tensor) -> Tensor:
        count = image.shape[1]
        kernel = self.kernel.expand(count, 1, -1)
        image = F.conv2d(image, kernel[..., None], groups=count)
        return F.conv2d(image, kernel[:, :, None], groups=count)


@LOSSES.register()
class SSIMLoss(SimilarityLoss):
    """``1 - SSIM`` of Wang et al. (2004) for each sample, on RGB in [0, 1].

    SSIM is the mean over windows and channels of luminance times contrast-structure.
    """

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``1 - SSIM``."""
        if min(prediction.shape[-2:]) < len(self.kernel):
            raise UserError(
                f"SSIM needs {len(self.kernel)} pixels in each direction, found "
                f"{tuple(prediction.shape[-2:])}"
            )
        luminance, structure = self.parts(prediction, target)
        return 1 - (luminance * structure).mean((1, 2, 3))


@LOSSES.register()
class MSSSIMLoss(SimilarityLoss):
    """``1 - MS-SSIM`` of Wang, Simoncelli and Bovik (2003) for each sample, on RGB in [0, 1].

    With ``s_j`` the mean contrast-structure term of a channel at scale j, where the images are
    ``2^(j - 1)`` times smaller (means of 2 x 2 pixels), and ``q_M`` the mean of luminance times
    contrast-structure at the last scale: the mean over channels of
    ``prod_{j < M} s_j^w_j * q_M^w_M``. Means below 1e-4 count as 1e-4: the published formula has no
    value below 0 and no finite slope at 0.

    Args:
        scales: M, at most the published 5, whose weights 0.0448, 0.2856, 0.3001, 0.2363, 0.1333
            are used; fewer take the first ones, divided by their sum. M scales with a window of 11
            need more than ``10 * 2^(M - 1)`` pixels: 5 need 161, 3 need 41.
    """

    def __init__(self, *, scales: int = 5, **others: Any) -> None:
        super().__init__(**others)
        if not 1 <= scales <= len(_EXPONENTS):
            raise ValueError(f"scales must be 1 to {len(_EXPONENTS)}, found {scales}")
        chosen = _EXPONENTS[:scales]
        self._exponents = [e / sum(chosen) if chosen != _EXPONENTS else e for e in chosen]

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``1 - MS-SSIM``."""
        last = len(self._exponents) - 1
        smallest = (len(self.kernel) - 1) * 2**last + 1
        if min(prediction.shape[-2:]) < smallest:
            raise UserError(
                f"MS-SSIM with {last + 1} scales needs {smallest} pixels in each direction, found "
                f"{tuple(prediction.shape[-2:])}; set fewer scales or a smaller window_size"
            )
        x, y, product = prediction, target, prediction.new_ones(())
        for scale, exponent in enumerate(self._exponents):
            if scale:  # the last row of an odd side is averaged alone, which is mirroring it
                x, y = (F.avg_pool2d(image, 2, ceil_mode=True) for image in (x, y))
            luminance, structure = self.parts(x, y)
            term = luminance * structure if scale == last else structure
            product = product * term.mean((2, 3)).clamp(min=_FLOOR) ** exponent
        return 1 - product.mean(1)
