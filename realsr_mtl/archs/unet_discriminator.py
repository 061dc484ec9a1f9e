"""UNetDiscriminatorSN: Real-ESRGAN's discriminator, a logit for every pixel."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import spectral_norm  # its successor in parametrizations has other keys

from realsr_mtl.archs.bounds import Width
from realsr_mtl.archs.layers import check_multiple, conv3x3
from realsr_mtl.archs.limits import Limits
from realsr_mtl.archs.registry import DISCRIMINATORS


@DISCRIMINATORS.register()
class UNetDiscriminatorSN(nn.Module):
    """U-Net with spectral normalisation (Wang et al., ICCVW 2021), a logit for every pixel.

    Shape: ``[B, num_in_ch, H, W]`` to ``[B, 1, H, W]``; with skip connections the sides must be
    multiples of 8. State-dict keys equal BasicSR's; 4,376,897 weights by default.

    Spectral normalisation (Miyato et al., ICLR 2018) divides the weights of a convolution by their
    largest singular value ``u^T W v``. In training mode every forward pass improves ``u`` and ``v``
    by one step of power iteration, whether or not anything is learned from it; they are buffers in
    the state dict (``weight_u``, ``weight_v``), and a run goes on exactly only with them. Copy the
    network through its state dict: after a pass with gradients, copy.deepcopy fails.

    Args:
        num_in_ch: input channels.
        num_feat: features at full resolution; 64 in Real-ESRGAN.
        skip_connection: add the features of the way down to those of the way up.
    """

    def __init__(
        self, *, num_in_ch: Width = 3, num_feat: Width = 64, skip_connection: bool = True
    ) -> None:
        super().__init__()
        self.skip_connection = skip_connection
        self.limits = Limits(8, 8, channels_last=True)
        self.conv0 = conv3x3(num_in_ch, num_feat)
        self.conv1 = _halving(num_feat, 2 * num_feat)
        self.conv2 = _halving(2 * num_feat, 4 * num_feat)
        self.conv3 = _halving(4 * num_feat, 8 * num_feat)
        self.conv4 = _keeping(8 * num_feat, 4 * num_feat)
        self.conv5 = _keeping(4 * num_feat, 2 * num_feat)
        self.conv6 = _keeping(2 * num_feat, num_feat)
        self.conv7 = _keeping(num_feat, num_feat)
        self.conv8 = _keeping(num_feat, num_feat)
        self.conv9 = conv3x3(num_feat, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of ``[B, C, H, W]``."""
        if self.skip_connection:
            check_multiple(x, self.limits.multiple)
        down = [_lrelu(self.conv0(x))]
        for convolution in (self.conv1, self.conv2, self.conv3):
            down.append(_lrelu(convolution(down[-1])))
        out = down.pop()
        for convolution in (self.conv4, self.conv5, self.conv6):
            out = F.interpolate(out, scale_factor=2, mode="bilinear", align_corners=False)
            out = _lrelu(convolution(out))
            if self.skip_connection:
                out = out + down.pop()
        logits: Tensor = self.conv9(_lrelu(self.conv8(_lrelu(self.conv7(out)))))
        return logits


def _halving(in_channels: int, out_channels: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False))


def _keeping(in_channels: int, out_channels: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False))


def _lrelu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, negative_slope=0.2)
