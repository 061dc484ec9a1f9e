"""PromptIR: a U-Net of channel-attention transformers with learned prompts in its decoder."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from realsr_mtl.archs.bounds import Depth, Width
from realsr_mtl.archs.layers import ChannelNorm, named, reflect_to_multiple
from realsr_mtl.archs.limits import Limits
from realsr_mtl.archs.registry import ARCHS

_MULTIPLE = 8
"""Three halvings."""


class _Attention(nn.Module):
    """Attention between channels: ``softmax(temperature * q k^T) v`` with unit rows over pixels."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = _conv(dim, 3 * dim, 1)
        self.qkv_dwconv = _conv(3 * dim, 3 * dim, 3, groups=3 * dim)
        self.project_out = _conv(dim, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.qkv_dwconv(self.qkv(x)).chunk(3, dim=1)
        q, k, v = (part.unflatten(1, (self.heads, -1)).flatten(3) for part in parts)
        similarity = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1)
        attended = (similarity * self.temperature).softmax(-1) @ v
        return self.project_out(attended.reshape(x.shape))


class _FeedForward(nn.Module):
    """``GELU(a) * b`` of two halves that have seen their neighbours."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.project_in = _conv(dim, 2 * hidden, 1)
        self.dwconv = _conv(2 * hidden, 2 * hidden, 3, groups=2 * hidden)
        self.project_out = _conv(hidden, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.dwconv(self.project_in(x)).chunk(2, dim=1)
        return self.project_out(F.gelu(gate) * value)


class _Block(nn.Module):
    def __init__(self, dim: int, heads: int, expansion: float) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"{dim} features cannot be split into {heads} heads")
        self.norm1 = named("body", ChannelNorm(dim))
        self.attn = _Attention(dim, heads)
        self.norm2 = named("body", ChannelNorm(dim))
        self.ffn = _FeedForward(dim, int(dim * expansion))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.ffn(self.norm2(x))


class _Prompt(nn.Module):
    """A mixture of learned maps, weighted by the mean features of the image and resized to it.

    Args:
        dim: channels of the maps.
        length: number of maps.
        size: their side.
        features: channels of the features that the weights come from.
    """

    def __init__(self, dim: int, length: int, size: int, features: int) -> None:
        super().__init__()
        self.prompt_param = nn.Parameter(torch.rand(1, length, dim, size, size))
        self.linear_layer = nn.Linear(features, length)
        self.conv3x3 = _conv(dim, dim, 3)

    def forward(self, x: Tensor) -> Tensor:
        weights = self.linear_layer(x.mean((-2, -1))).softmax(-1)
        mixture = torch.einsum("bl,lchw->bchw", weights, self.prompt_param[0])
        resized = F.interpolate(mixture, x.shape[-2:], mode="bilinear", align_corners=False)
        return self.conv3x3(resized)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> _Prompt:
        """Memory formats of images do not know the five axes that published weights have."""
        return super()._apply(lambda t: fn(t[0])[None] if t.dim() == 5 else fn(t), recurse)


@ARCHS.register()
class PromptIR(nn.Module):
    """Prompts for all-in-one restoration (Potlapalli et al., NeurIPS 2023); keeps the size.

    Shape: ``[B, 3, H, W]`` to the same, for any size: the input is extended by reflection to
    multiples of 8 and the output is cropped. The network adds its output to its input. At three
    levels of the decoder, a prompt that the features choose joins them and passes a further block.

    By default the network of va1shn9v/PromptIR (with its prompts switched on, as its training
    script does). That has 35,592,263 weights, of which 215,296 in six layers are never used; those
    are left out here, so 35,376,967 remain, under the same state-dict keys. Published files have
    ``net.`` before each key; without it they load with ``path: strict_load_g: false``, which names
    what is not taken.

    Args:
        dim: features at full resolution; the levels below have 2, 4 and 8 times as many.
        num_blocks: blocks at the four levels, from full resolution down; the decoder has as many.
        num_refinement_blocks: blocks at full resolution after the decoder.
        heads: attention heads at the four levels.
        ffn_expansion_factor: hidden over outer features in the feed-forward part of a block.
        prompt_dims: channels of the prompts at the upper three levels, from full resolution down.
        prompt_sizes: sides of the stored prompts; they are resized to the features.
        prompt_len: prompts to mix at each level.
    """

    limits = Limits()

    def __init__(
        self,
        *,
        dim: Width = 48,
        num_blocks: tuple[Depth, Depth, Depth, Depth] = (4, 6, 6, 8),
        num_refinement_blocks: Depth = 4,
        heads: tuple[Width, Width, Width, Width] = (1, 2, 4, 8),
        ffn_expansion_factor: float = 2.66,
        prompt_dims: tuple[Width, Width, Width] = (64, 128, 320),
        prompt_sizes: tuple[Width, Width, Width] = (64, 32, 16),
        prompt_len: Width = 5,
    ) -> None:
        super().__init__()

        def blocks(features: int, level: int, number: int) -> nn.Sequential:
            made = (_Block(features, heads[level], ffn_expansion_factor) for _ in range(number))
            return nn.Sequential(*made)

        def prompt(level: int, features: int) -> _Prompt:
            return _Prompt(prompt_dims[level], prompt_len, prompt_sizes[level], features)

        def joint(level: int, features: int) -> _Block:
            # all with the heads of the third level, as published
            return _Block(features + prompt_dims[level], heads[2], ffn_expansion_factor)

        self.patch_embed = named("proj", _conv(3, dim, 3))
        self.encoder_level1 = blocks(dim, 0, num_blocks[0])
        self.down1_2 = _down(dim)
        self.encoder_level2 = blocks(2 * dim, 1, num_blocks[1])
        self.down2_3 = _down(2 * dim)
        self.encoder_level3 = blocks(4 * dim, 2, num_blocks[2])
        self.down3_4 = _down(4 * dim)
        self.latent = blocks(8 * dim, 3, num_blocks[3])

        self.prompt3 = prompt(2, 8 * dim)
        self.noise_level3 = joint(2, 8 * dim)
        self.reduce_noise_level3 = _conv(8 * dim + prompt_dims[2], 4 * dim, 1)
        self.up4_3 = _up(4 * dim)
        self.reduce_chan_level3 = _conv(6 * dim, 4 * dim, 1)
        self.decoder_level3 = blocks(4 * dim, 2, num_blocks[2])

        self.prompt2 = prompt(1, 4 * dim)
        self.noise_level2 = joint(1, 4 * dim)
        self.reduce_noise_level2 = _conv(4 * dim + prompt_dims[1], 4 * dim, 1)
        self.up3_2 = _up(4 * dim)
        self.reduce_chan_level2 = _conv(4 * dim, 2 * dim, 1)
        self.decoder_level2 = blocks(2 * dim, 1, num_blocks[1])

        self.prompt1 = prompt(0, 2 * dim)
        self.noise_level1 = joint(0, 2 * dim)
        self.reduce_noise_level1 = _conv(2 * dim + prompt_dims[0], 2 * dim, 1)
        self.up2_1 = _up(2 * dim)
        self.decoder_level1 = blocks(2 * dim, 0, num_blocks[0])
        self.refinement = blocks(2 * dim, 0, num_refinement_blocks)
        self.output = _conv(2 * dim, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Restore ``[B, 3, H, W]``."""
        height, width = x.shape[-2:]
        image = reflect_to_multiple(x, _MULTIPLE)
        level1 = self.encoder_level1(self.patch_embed(image))
        level2 = self.encoder_level2(self.down1_2(level1))
        level3 = self.encoder_level3(self.down2_3(level2))
        out = self.latent(self.down3_4(level3))

        out = self.noise_level3(torch.cat([out, self.prompt3(out)], 1))
        out = torch.cat([self.up4_3(self.reduce_noise_level3(out)), level3], 1)
        out = self.decoder_level3(self.reduce_chan_level3(out))

        out = self.noise_level2(torch.cat([out, self.prompt2(out)], 1))
        out = torch.cat([self.up3_2(self.reduce_noise_level2(out)), level2], 1)
        out = self.decoder_level2(self.reduce_chan_level2(out))

        out = self.noise_level1(torch.cat([out, self.prompt1(out)], 1))
        out = torch.cat([self.up2_1(self.reduce_noise_level1(out)), level1], 1)
        out = self.refinement(self.decoder_level1(out))
        restored: Tensor = self.output(out) + image
        return restored[..., :height, :width]


def _conv(in_channels: int, out_channels: int, kernel: int, groups: int = 1) -> nn.Conv2d:
    """A convolution without bias that keeps the size."""
    return nn.Conv2d(
        in_channels, out_channels, kernel, padding=kernel // 2, groups=groups, bias=False
    )


def _down(dim: int) -> nn.Sequential:
    """Half the sides, twice the features."""
    return named("body", _conv(dim, dim // 2, 3), nn.PixelUnshuffle(2))


def _up(dim: int) -> nn.Sequential:
    """Twice the sides, half the features."""
    return named("body", _conv(dim, 2 * dim, 3), nn.PixelShuffle(2))
