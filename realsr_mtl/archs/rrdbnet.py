"""RRDBNet: the generator of ESRGAN and Real-ESRGAN."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from realsr_mtl.archs.bounds import Depth, Width
from realsr_mtl.archs.layers import check_multiple, conv3x3, scale_weights
from realsr_mtl.archs.limits import Limits
from realsr_mtl.archs.registry import ARCHS


class _ResidualDenseBlock(nn.Module):
    def __init__(self, num_feat: int, num_grow_ch: int) -> None:
        super().__init__()
        self.conv1 = conv3x3(num_feat, num_grow_ch)
        self.conv2 = conv3x3(num_feat + num_grow_ch, num_grow_ch)
        self.conv3 = conv3x3(num_feat + 2 * num_grow_ch, num_grow_ch)
        self.conv4 = conv3x3(num_feat + 3 * num_grow_ch, num_grow_ch)
        self.conv5 = conv3x3(num_feat + 4 * num_grow_ch, num_feat)
        scale_weights(self.conv1, self.conv2, self.conv3, self.conv4, self.conv5)

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            features.append(_lrelu(convolution(torch.cat(features, 1))))
        return x + 0.2 * self.conv5(torch.cat(features, 1))


class _RRDB(nn.Module):
    def __init__(self, num_feat: int, num_grow_ch: int) -> None:
        super().__init__()
        self.rdb1 = _ResidualDenseBlock(num_feat, num_grow_ch)
        self.rdb2 = _ResidualDenseBlock(num_feat, num_grow_ch)
        self.rdb3 = _ResidualDenseBlock(num_feat, num_grow_ch)

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.2 * self.rdb3(self.rdb2(self.rdb1(x)))


@ARCHS.register()
class RRDBNet(nn.Module):
    """Residual-in-residual dense blocks (Wang et al., ECCVW 2018); 16,697,987 weights by default.

    Shape: ``[B, num_in_ch, h, w]`` to ``[B, num_out_ch, scale h, scale w]``; for scales 1 and 2 the
    input is first unshuffled by 4 and 2, so its sides must be multiples of that. State-dict keys
    equal BasicSR's.

    Args:
        num_in_ch: input channels.
        num_out_ch: output channels.
        scale: factor, 1, 2 or 4.
        num_feat: features.
        num_block: blocks; 23 in ESRGAN.
        num_grow_ch: features added by each convolution of a dense block.
    """

    def __init__(
        self,
        *,
        num_in_ch: Width = 3,
        num_out_ch: Width = 3,
        scale: int = 4,
        num_feat: Width = 64,
        num_block: Depth = 23,
        num_grow_ch: Width = 32,
    ) -> None:
        super().__init__()
        if scale not in (1, 2, 4):
            raise ValueError(f"scale must be 1, 2 or 4, found {scale}")
        self.unshuffle = 4 // scale
        self.limits = Limits(self.unshuffle, self.unshuffle, fp16=True, channels_last=True)
        self.conv_first = conv3x3(num_in_ch * self.unshuffle**2, num_feat)
        self.body = nn.Sequential(*(_RRDB(num_feat, num_grow_ch) for _ in range(num_block)))
        self.conv_body = conv3x3(num_feat, num_feat)
        self.conv_up1 = conv3x3(num_feat, num_feat)
        self.conv_up2 = conv3x3(num_feat, num_feat)
        self.conv_hr = conv3x3(num_feat, num_feat)
        self.conv_last = conv3x3(num_feat, num_out_ch)

    def forward(self, x: Tensor) -> Tensor:
        """Up-scale ``[B, C, h, w]``."""
        if self.unshuffle > 1:
            check_multiple(x, self.unshuffle)
            x = F.pixel_unshuffle(x, self.unshuffle)
        feat = self.conv_first(x)
        feat = feat + self.conv_body(self.body(feat))
        feat = _lrelu(self.conv_up1(F.interpolate(feat, scale_factor=2, mode="nearest")))
        feat = _lrelu(self.conv_up2(F.interpolate(feat, scale_factor=2, mode="nearest")))
        out: Tensor = self.conv_last(_lrelu(self.conv_hr(feat)))
        return out


def _lrelu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, negative_slope=0.2)
