"""SRVGGNetCompact: Real-ESRGAN's small VGG-style network."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from realsr_mtl.archs.bounds import Depth, Factor, Width
from realsr_mtl.archs.layers import conv3x3
from realsr_mtl.archs.limits import Limits
from realsr_mtl.archs.registry import ARCHS


@ARCHS.register()
class SRVGGNetCompact(nn.Module):
    """Plain convolutions at LQ resolution and one pixel shuffle, added to nearest up-scaling.

    Shape: ``[B, num_in_ch, h, w]`` to ``[B, num_out_ch, upscale h, upscale w]``. State-dict keys
    equal BasicSR's.

    Args:
        num_in_ch: input channels.
        num_out_ch: output channels.
        num_feat: features.
        num_conv: convolutions in the body.
        upscale: factor.
        act_type: activation.
    """

    limits = Limits(fp16=True, channels_last=True)

    def __init__(
        self,
        *,
        num_in_ch: Width = 3,
        num_out_ch: Width = 3,
        num_feat: Width = 64,
        num_conv: Depth = 16,
        upscale: Factor = 4,
        act_type: Literal["relu", "prelu", "leakyrelu"] = "prelu",
    ) -> None:
        super().__init__()
        self.upscale = upscale
        layers: list[nn.Module] = [conv3x3(num_in_ch, num_feat), _activation(act_type, num_feat)]
        for _ in range(num_conv):
            layers += [conv3x3(num_feat, num_feat), _activation(act_type, num_feat)]
        layers.append(conv3x3(num_feat, num_out_ch * upscale**2))
        self.body = nn.ModuleList(layers)
        self.upsampler = nn.PixelShuffle(upscale)

    def forward(self, x: Tensor) -> Tensor:
        """Up-scale ``[B, C, h, w]``."""
        out = x
        for layer in self.body:
            out = layer(out)
        return self.upsampler(out) + F.interpolate(x, scale_factor=self.upscale, mode="nearest")


def _activation(kind: str, num_feat: int) -> nn.Module:
    if kind == "relu":
        return nn.ReLU(inplace=True)
    if kind == "prelu":
        return nn.PReLU(num_parameters=num_feat)
    return nn.LeakyReLU(negative_slope=0.1, inplace=True)
