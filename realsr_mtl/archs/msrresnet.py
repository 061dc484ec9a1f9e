"""MSRResNet: SRResNet without batch normalisation, as in BasicSR."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from realsr_mtl.archs.bounds import Depth, Width
from realsr_mtl.archs.layers import conv3x3, scale_weights
from realsr_mtl.archs.limits import Limits
from realsr_mtl.archs.registry import ARCHS


class _ResidualBlock(nn.Module):
    def __init__(self, num_feat: int) -> None:
        super().__init__()
        self.conv1 = conv3x3(num_feat, num_feat)
        self.conv2 = conv3x3(num_feat, num_feat)
        scale_weights(self.conv1, self.conv2)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x)))


@ARCHS.register()
class MSRResNet(nn.Module):
    """SRResNet of Ledig et al. (CVPR 2017) in BasicSR's form; 1,517,571 weights by default.

    Shape: ``[B, num_in_ch, h, w]`` to ``[B, num_out_ch, upscale h, upscale w]``. The network adds
    its output to a bilinear up-scaling of the input. State-dict keys equal BasicSR's.

    Args:
        num_in_ch: input channels.
        num_out_ch: output channels.
        num_feat: features.
        num_block: residual blocks.
        upscale: factor, 1 to 4.
    """

    limits = Limits(fp16=True, channels_last=True)

    def __init__(
        self,
        *,
        num_in_ch: Width = 3,
        num_out_ch: Width = 3,
        num_feat: Width = 64,
        num_block: Depth = 16,
        upscale: int = 4,
    ) -> None:
        super().__init__()
        if upscale not in (1, 2, 3, 4):
            raise ValueError(f"upscale must be 1, 2, 3 or 4, found {upscale}")
        self.upscale = upscale
        self.conv_first = conv3x3(num_in_ch, num_feat)
        self.body = nn.Sequential(*(_ResidualBlock(num_feat) for _ in range(num_block)))
        if upscale in (2, 3):
            self.upconv1 = conv3x3(num_feat, num_feat * upscale**2)
            self.pixel_shuffle = nn.PixelShuffle(upscale)
        elif upscale == 4:
            self.upconv1 = conv3x3(num_feat, num_feat * 4)
            self.upconv2 = conv3x3(num_feat, num_feat * 4)
            self.pixel_shuffle = nn.PixelShuffle(2)
        self.conv_hr = conv3x3(num_feat, num_feat)
        self.conv_last = conv3x3(num_feat, num_out_ch)
        scale_weights(self.conv_first, self.conv_hr, self.conv_last)
        if upscale > 1:
            scale_weights(self.upconv1)
        if upscale == 4:
            scale_weights(self.upconv2)

    def forward(self, x: Tensor) -> Tensor:
        """Up-scale ``[B, C, h, w]``."""
        out = self.body(_lrelu(self.conv_first(x)))
        if self.upscale > 1:
            out = _lrelu(self.pixel_shuffle(self.upconv1(out)))
        if self.upscale == 4:
            out = _lrelu(self.pixel_shuffle(self.upconv2(out)))
        out = self.conv_last(_lrelu(self.conv_hr(out)))
        return out + F.interpolate(
            x, scale_factor=self.upscale, mode="bilinear", align_corners=False
        )


def _lrelu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, negative_slope=0.1)
