"""NAFNet: a U-Net of blocks without non-linear activations."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from realsr_mtl.archs.bounds import Depth, Width
from realsr_mtl.archs.layers import ChannelNorm, conv3x3
from realsr_mtl.archs.limits import Limits
from realsr_mtl.archs.registry import ARCHS


class _Block(nn.Module):
    """``y = x + beta * mix(x)``, then ``y + gamma * feed(y)``; beta and gamma start at zero.

    The product of two halves of the channels takes the place of an activation, and the mean over
    the image, through one matrix, that of channel attention.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm1 = ChannelNorm(dim, eps=1e-6)
        self.conv1 = nn.Conv2d(dim, 2 * dim, 1)
        self.conv2 = nn.Conv2d(2 * dim, 2 * dim, 3, padding=1, groups=2 * dim)
        self.sca = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(dim, dim, 1))
        self.conv3 = nn.Conv2d(dim, dim, 1)
        self.norm2 = ChannelNorm(dim, eps=1e-6)
        self.conv4 = nn.Conv2d(dim, 2 * dim, 1)
        self.conv5 = nn.Conv2d(dim, dim, 1)
        self.beta = nn.Parameter(torch.zeros(1, dim, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, dim, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        mixed = _gate(self.conv2(self.conv1(self.norm1(x))))
        x = x + self.beta * self.conv3(mixed * self.sca(mixed))
        return x + self.gamma * self.conv5(_gate(self.conv4(self.norm2(x))))


@ARCHS.register()
class NAFNet(nn.Module):
    """Nonlinear-activation-free U-Net (Chen et al., ECCV 2022), small by default; keeps the size.

    Shape: ``[B, img_channel, H, W]`` to the same, for any size: the input is extended by zeros to
    multiples of ``2^levels`` and the output is cropped. The network adds its output to its input.
    Every block starts as the identity. 288,691 weights by default.

    State-dict keys are those of megvii-research/NAFNet. Its published networks, with blocks of the
    encoder, the middle and the decoder: denoising (SIDD) [2, 2, 4, 8], 12, [2, 2, 2, 2], which
    has 29,159,715 weights at width 32 and 115,982,915 at width 64; deblurring (GoPro)
    [1, 1, 1, 28], 1, [1, 1, 1, 1] with 17,111,907 and 67,888,835. The published deblurring
    figures were made with local instead of global means at test time, which is not done here.

    Args:
        img_channel: channels of input and output.
        width: features at full resolution; every level down has twice as many. 32 and 64 are
            published.
        middle_blk_num: blocks at the lowest resolution.
        enc_blk_nums: blocks of the encoder at each level, from full resolution down.
        dec_blk_nums: blocks of the decoder at each level, from the lowest up; as many levels.
    """

    limits = Limits(channels_last=True)

    def __init__(
        self,
        *,
        img_channel: Width = 3,
        width: Width = 16,
        middle_blk_num: Depth = 1,
        enc_blk_nums: tuple[Depth, ...] = (1, 1, 1),
        dec_blk_nums: tuple[Depth, ...] = (1, 1, 1),
    ) -> None:
        super().__init__()
        levels = len(enc_blk_nums)
        if len(dec_blk_nums) != levels:
            raise ValueError(
                f"enc_blk_nums and dec_blk_nums must have equally many levels, found {levels} and "
                f"{len(dec_blk_nums)}"
            )
        self.multiple = 2**levels
        dims = [width * 2**level for level in range(levels)]
        bottom = width * self.multiple
        self.intro = conv3x3(img_channel, width)
        self.encoders = nn.ModuleList(
            _blocks(dim, number) for dim, number in zip(dims, enc_blk_nums, strict=True)
        )
        self.downs = nn.ModuleList(nn.Conv2d(dim, 2 * dim, 2, stride=2) for dim in dims)
        self.middle_blks = _blocks(bottom, middle_blk_num)
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2 * dim, 4 * dim, 1, bias=False), nn.PixelShuffle(2))
            for dim in reversed(dims)
        )
        self.decoders = nn.ModuleList(
            _blocks(dim, number) for dim, number in zip(reversed(dims), dec_blk_nums, strict=True)
        )
        self.ending = conv3x3(width, img_channel)

    def forward(self, x: Tensor) -> Tensor:
        """Restore ``[B, C, H, W]``."""
        height, width = x.shape[-2:]
        image = F.pad(x, (0, -width % self.multiple, 0, -height % self.multiple))
        features = self.intro(image)
        skipped = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            features = encoder(features)
            skipped.append(features)
            features = down(features)
        features = self.middle_blks(features)
        for decoder, up in zip(self.decoders, self.ups, strict=True):
            features = decoder(up(features) + skipped.pop())
        out: Tensor = self.ending(features) + image
        return out[..., :height, :width]


def _blocks(dim: int, number: int) -> nn.Sequential:
    return nn.Sequential(*(_Block(dim) for _ in range(number)))


def _gate(x: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=1)
    return first * second
