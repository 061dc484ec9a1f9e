"""VGGStyleDiscriminator: SRGAN's and ESRGAN's discriminator, a logit for every image."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from realsr_mtl.archs.bounds import Width
from realsr_mtl.archs.layers import conv3x3
from realsr_mtl.archs.limits import Limits
from realsr_mtl.archs.registry import DISCRIMINATORS


@DISCRIMINATORS.register()
class VGGStyleDiscriminator(nn.Module):
    """Convolutions down to 4 x 4 features and two linear layers, one logit for an image.

    Ledig et al. (CVPR 2017), in the form of ESRGAN (Wang et al., ECCVW 2018) and BasicSR, whose
    state-dict keys it has. Shape: ``[B, num_in_ch, S, S]`` with S = input_size to ``[B, 1]``.
    14,499,401 weights by default, 21,055,049 for 256.

    Batch normalisation mixes the samples of a batch in training: real and restored images are not
    to be put into one batch.

    Args:
        num_in_ch: input channels.
        num_feat: features of the first layers.
        input_size: side of the images, equal to gt_size.
    """

    def __init__(
        self, *, num_in_ch: Width = 3, num_feat: Width = 64, input_size: Literal[128, 256] = 128
    ) -> None:
        super().__init__()
        self.limits = Limits(input_size, input_size, channels_last=True)
        levels = {128: 5, 256: 6}[input_size]
        self.conv0_0 = conv3x3(num_in_ch, num_feat)
        features = num_feat
        for level in range(levels):
            wider = num_feat * min(2**level, 8)
            if level:
                convolution = nn.Conv2d(features, wider, 3, padding=1, bias=False)
                self.add_module(f"conv{level}_0", convolution)
                self.add_module(f"bn{level}_0", nn.BatchNorm2d(wider))
            halving = nn.Conv2d(wider, wider, 4, stride=2, padding=1, bias=False)
            self.add_module(f"conv{level}_1", halving)
            self.add_module(f"bn{level}_1", nn.BatchNorm2d(wider))
            features = wider
        self._levels = levels
        self.linear1 = nn.Linear(features * 4 * 4, 100)
        self.linear2 = nn.Linear(100, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of ``[B, C, S, S]``."""
        size = self.limits.smallest
        if x.shape[-2:] != (size, size):
            raise ValueError(f"input {tuple(x.shape[-2:])} must be input_size, ({size}, {size})")
        x = self._layer("0_1", _lrelu(self.conv0_0(x)))
        for level in range(1, self._levels):
            x = self._layer(f"{level}_1", self._layer(f"{level}_0", x))
        logits: Tensor = self.linear2(_lrelu(self.linear1(x.flatten(1))))
        return logits

    def _layer(self, name: str, x: Tensor) -> Tensor:
        x = self.get_submodule(f"conv{name}")(x)
        return _lrelu(self.get_submodule(f"bn{name}")(x))


def _lrelu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, negative_slope=0.2)
