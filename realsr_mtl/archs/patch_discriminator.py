"""PatchDiscriminator: pix2pix's PatchGAN, a logit for every patch."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn.utils import spectral_norm  # its successor in parametrizations has other keys

from realsr_mtl.archs.bounds import Depth, Width
from realsr_mtl.archs.limits import Limits
from realsr_mtl.archs.registry import DISCRIMINATORS

Norm = Literal["batch", "instance", "spectral", "none"]


@DISCRIMINATORS.register()
class PatchDiscriminator(nn.Module):
    """PatchGAN (Isola et al., CVPR 2017), a logit for every overlapping patch.

    Shape: ``[B, num_in_ch, H, W]`` to ``[B, 1, h, w]`` with ``h = floor(H / 2^num_layers) - 2``.
    Three layers look at patches of 70 x 70 pixels, two at 34 x 34, one at 16 x 16. 2,765,633
    weights by default. State-dict keys are those of junyanz/pytorch-CycleGAN-and-pix2pix, whose
    discriminator of image pairs has num_in_ch 6; the initial weights are torch's, not
    normal(0.02).

    Batch normalisation mixes the samples of a batch in training. Spectral normalisation has buffers
    that change with every forward pass in training mode, see `UNetDiscriminatorSN`.

    Args:
        num_in_ch: input channels.
        num_feat: features of the first layer; every further one has twice as many, up to 8 times.
        num_layers: convolutions that halve the size; 3 in the paper.
        norm: batch in pix2pix, instance in CycleGAN; spectral acts on every convolution.
    """

    def __init__(
        self,
        *,
        num_in_ch: Width = 3,
        num_feat: Width = 64,
        num_layers: Depth = 3,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        if num_layers < 1:
            raise ValueError(f"num_layers must be at least 1, found {num_layers}")
        self.limits = Limits(smallest=3 * 2**num_layers, channels_last=True)
        widths = [num_feat * min(2**layer, 8) for layer in range(num_layers + 1)]
        layers: list[nn.Module] = [_conv(num_in_ch, num_feat, norm, stride=2), nn.LeakyReLU(0.2)]
        for layer, width in enumerate(widths[1:], start=1):
            stride = 2 if layer < num_layers else 1
            bias = norm != "batch"  # which has one of its own
            layers.append(_conv(widths[layer - 1], width, norm, stride, bias))
            if norm == "batch":
                layers.append(nn.BatchNorm2d(width))
            elif norm == "instance":
                layers.append(nn.InstanceNorm2d(width))
            layers.append(nn.LeakyReLU(0.2))
        layers.append(_conv(widths[-1], 1, norm, stride=1))
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of ``[B, C, H, W]``."""
        if min(x.shape[-2:]) < self.limits.smallest:
            raise ValueError(f"input {tuple(x.shape[-2:])} must be {self.limits.smallest} or more")
        logits: Tensor = self.model(x)
        return logits


def _conv(
    in_channels: int, out_channels: int, norm: Norm, stride: int, bias: bool = True
) -> nn.Module:
    convolution = nn.Conv2d(in_channels, out_channels, 4, stride, padding=1, bias=bias)
    return spectral_norm(convolution) if norm == "spectral" else convolution
