"""Structural similarity as a loss."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.losses.base import LOSSES, ImageLoss

_C1, _C2 = 0.01**2, 0.03**2


@LOSSES.register()
class SSIMLoss(ImageLoss):
    """``1 - SSIM`` of Wang et al. (2004) for each sample, on RGB in [0, 1].

    The windows are those of the metric: Gaussian, population moments, no padding, the mean over
    windows and channels. Patches that are smaller than the window are refused.

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

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``1 - SSIM``."""
        if min(prediction.shape[-2:]) < len(self.kernel):
            raise ValueError(
                f"SSIM needs {len(self.kernel)} pixels in each direction, found "
                f"{tuple(prediction.shape[-2:])}"
            )
        x, y = prediction, target
        planes = torch.cat((x, y, x * x + y * y, x * y), 1)
        mean_x, mean_y, squares, product = self._window(planes).chunk(4, 1)
        means, both = mean_x * mean_y, mean_x.square() + mean_y.square()
        similarity = (2 * means + _C1) * (2 * (product - means) + _C2)
        similarity = similarity / ((both + _C1) * (squares - both + _C2))
        return 1 - similarity.mean((1, 2, 3))

    def _window(self, image: Tensor) -> Tensor:
        count = image.shape[1]
        kernel = self.kernel.to(image.device).expand(count, 1, -1)
        image = F.conv2d(image, kernel[..., None], groups=count)
        return F.conv2d(image, kernel[:, :, None], groups=count)
