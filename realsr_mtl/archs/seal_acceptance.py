"""The small network whose score on a case SEAL calls acceptable."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from realsr_mtl.archs.layers import conv3x3, scale_weights
from realsr_mtl.archs.limits import Limits
from realsr_mtl.archs.registry import ARCHS


@ARCHS.register()
class SEALAcceptance(nn.Module):
    """The acceptance network of SEAL (Zhang et al., ICLR 2024); 446,659 weights by default.

    Shape: ``[B, num_in_ch, h, w]`` to ``[B, num_out_ch, upscale h, upscale w]``. Plain 3 x 3
    convolutions: one, three with ReLU, one with a pixel shuffle per factor of two, two; leaky ReLU
    elsewhere, nothing is added to an up-scaled input. The paper and its code call it FSRCNN, which
    is another network. State-dict keys equal those of its code. Initial weights are He's, so that
    a stack without a shortcut passes its signal on.

    Args:
        num_in_ch: input channels.
        num_out_ch: output channels.
        num_feat: features.
        upscale: factor, 1 to 4.
    """

    limits = Limits(fp16=True, channels_last=True)

    def __init__(
        self,
        *,
        num_in_ch: int = 3,
        num_out_ch: int = 3,
        num_feat: int = 64,
        upscale: int = 4,
    ) -> None:
        super().__init__()
        if upscale not in (1, 2, 3, 4):
            raise ValueError(f"upscale must be 1, 2, 3 or 4, found {upscale}")
        self.conv_first = conv3x3(num_in_ch, num_feat)
        layers = [layer for _ in range(3) for layer in (conv3x3(num_feat, num_feat), nn.ReLU())]
        self.body = nn.Sequential(*layers)
        shuffles = {1: (), 2: (2,), 3: (3,), 4: (2, 2)}[upscale]
        self._shuffles = shuffles
        for number, factor in enumerate(shuffles, start=1):
            self.add_module(f"upconv{number}", conv3x3(num_feat, num_feat * factor**2))
        self.conv_hr = conv3x3(num_feat, num_feat)
        self.conv_last = conv3x3(num_feat, num_out_ch)
        convolutions = [m for m in self.modules() if isinstance(m, nn.Conv2d)]
        scale_weights(*convolutions, factor=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Up-scale ``[B, C, h, w]``."""
        out: Tensor = self.body(_lrelu(self.conv_first(x)))
        for number, factor in enumerate(self._shuffles, start=1):
            wide = self.get_submodule(f"upconv{number}")(out)
            out = _lrelu(F.pixel_shuffle(wide, factor))
        return self.conv_last(_lrelu(self.conv_hr(out)))


def _lrelu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, negative_slope=0.1)
