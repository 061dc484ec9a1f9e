"""TransWeather: a mixed transformer with learned weather queries and a convolutional tail."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from realsr_mtl.archs.bounds import Depth, Width
from realsr_mtl.archs.layers import conv3x3, named, reflect_to_multiple
from realsr_mtl.archs.limits import Limits
from realsr_mtl.archs.registry import ARCHS

_HEADS = (1, 2, 4, 4)
_INTRA_HEADS = (1, 2, 2)
_REDUCTION = (4, 2, 2, 1)
"""Per stage: attention heads, those of the intra-patch blocks, and how much coarser keys are."""

_DECODER_HEADS = 8
_DECODER_RATES = 16
"""Blocks that the published decoder spreads its drop rates over; it has the first three only."""


class _DropPath(nn.Module):
    """Leaves a residual branch out for random samples (stochastic depth) and scales the others."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return x
        kept = x.new_empty(len(x), 1, 1, 1).bernoulli_(1 - self.rate)
        return x * kept / (1 - self.rate)


class _Embedding(nn.Module):
    """Overlapping patches of a map ``[B, C, H, W]`` as pixels ``[B, h, w, dim]``."""

    def __init__(self, in_channels: int, dim: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(in_channels, dim, kernel, stride, padding=kernel // 2)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(_to_pixels(self.proj(x)))


class _Attention(nn.Module):
    """Attention of pixels ``[B, H, W, C]`` to those of a map coarser by ``reduction``."""

    def __init__(self, dim: int, heads: int, reduction: int) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"{dim} features cannot be split into {heads} heads")
        self.heads, self.reduction = heads, reduction
        self.q = nn.Linear(dim, dim)
        self.kv = nn.Linear(dim, 2 * dim)
        self.proj = nn.Linear(dim, dim)
        if reduction > 1:
            self.sr = nn.Conv2d(dim, dim, reduction, stride=reduction)
            self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        source = x
        if self.reduction > 1:
            source = self.norm(_to_pixels(self.sr(_to_map(x))))
        key, value = (self._split(part.flatten(1, 2)) for part in self.kv(source).chunk(2, -1))
        query = self._queries(x) * key.shape[-1] ** -0.5
        attended = (query @ key.transpose(-2, -1)).softmax(-1) @ value
        return self.proj(attended.transpose(1, 2).reshape(x.shape))

    def _queries(self, x: Tensor) -> Tensor:
        """``[B or 1, heads, H W, C / heads]``."""
        return self._split(self.q(x.flatten(1, 2)))

    def _split(self, tokens: Tensor) -> Tensor:
        """``[B, N, C]`` to ``[B, heads, N, C / heads]``."""
        return tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class _QueryAttention(_Attention):
    """Attention whose queries are learned, ``[1, number, dim]``, and repeated to fit the pixels."""

    def __init__(self, dim: int, heads: int, number: int) -> None:
        super().__init__(dim, heads, reduction=1)
        self.task_query = nn.Parameter(torch.randn(1, number, dim))

    def _queries(self, x: Tensor) -> Tensor:
        query = self._split(self.q(self.task_query))
        return F.interpolate(query, (x.shape[1] * x.shape[2], query.shape[-1]), mode="nearest")


class _FeedForward(nn.Module):
    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.dwconv = named("dwconv", nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden))
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        hidden = _to_pixels(self.dwconv(_to_map(self.fc1(x))))
        return self.fc2(F.gelu(hidden))


class _Block(nn.Module):
    """A transformer block on pixels ``[B, H, W, C]``."""

    def __init__(self, dim: int, attention: _Attention, expansion: int, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = attention
        self.drop_path = _DropPath(drop_path)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = _FeedForward(dim, expansion * dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class _Encoder(nn.Module):
    """Four stages, the first three with a branch of one block that looks inside the patches.

    Output: maps of 1/4, 1/8, 1/16 and 1/32 of the sides of the input.
    """

    def __init__(self, dims: tuple[int, ...], depths: tuple[int, ...], drop_path: float) -> None:
        super().__init__()
        last = max(1, sum(depths) - 1)
        rates = [drop_path * place / last for place in range(sum(depths))]
        for stage, (dim, depth) in enumerate(zip(dims, depths, strict=True)):
            heads, reduction = _HEADS[stage], _REDUCTION[stage]
            own, rates = rates[:depth], rates[depth:]
            source, kernel, stride = (dims[stage - 1], 3, 2) if stage else (3, 7, 4)
            blocks = (_Block(dim, _Attention(dim, heads, reduction), 2, rate) for rate in own)
            self.add_module(f"patch_embed{stage + 1}", _Embedding(source, dim, kernel, stride))
            self.add_module(f"block{stage + 1}", nn.Sequential(*blocks))
            self.add_module(f"norm{stage + 1}", nn.LayerNorm(dim, eps=1e-6))
            if stage < 3:
                finer = dims[stage + 1]
                attention = _Attention(finer, _INTRA_HEADS[stage], reduction)
                branch = nn.Sequential(_Block(finer, attention, 2, own[0]))
                self.add_module(f"mini_patch_embed{stage + 1}", _Embedding(dim, finer, 3, 2))
                self.add_module(f"patch_block{stage + 1}", branch)
                self.add_module(f"pnorm{stage + 1}", nn.LayerNorm(finer, eps=1e-6))
        _initialise(self)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps: list[Tensor] = []
        inside: Tensor | None = None
        for stage in range(1, 5):
            pixels = self._part("patch_embed", stage)(maps[-1] if maps else x)
            if inside is not None:
                pixels = pixels + inside
            if stage < 4:
                inside = self._part("mini_patch_embed", stage)(_to_map(pixels))
                inside = self._part("pnorm", stage)(self._part("patch_block", stage)(inside))
            pixels = self._part("norm", stage)(self._part("block", stage)(pixels))
            maps.append(_to_map(pixels))
        return maps

    def _part(self, name: str, stage: int) -> nn.Module:
        return self.get_submodule(f"{name}{stage}")


class _Decoder(nn.Module):
    """The coarsest map, at half its sides, as learned queries see it."""

    def __init__(self, dim: int, depth: int, number: int, drop_path: float) -> None:
        super().__init__()
        self.patch_embed1 = _Embedding(dim, dim, 3, 2)
        self.block1 = nn.Sequential(
            *(
                _Block(
                    dim,
                    _QueryAttention(dim, _DECODER_HEADS, number),
                    4,
                    drop_path * place / (_DECODER_RATES - 1),
                )
                for place in range(depth)
            )
        )
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        return _to_map(self.norm1(self.block1(self.patch_embed1(x))))


class _ResidualBlock(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv1 = named("conv2d", conv3x3(dim, dim))
        self.conv2 = named("conv2d", conv3x3(dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.1 * self.conv2(F.relu(self.conv1(x)))


class _Tail(nn.Module):
    """The decoder's map back to full resolution, with the encoder's maps added on the way."""

    def __init__(self, dims: tuple[int, ...]) -> None:
        super().__init__()
        self.convd32x = _twice(dims[3], dims[3])
        self.convd16x = _twice(dims[3], dims[2])
        self.dense_4 = nn.Sequential(_ResidualBlock(dims[2]))
        self.convd8x = _twice(dims[2], dims[1])
        self.dense_3 = nn.Sequential(_ResidualBlock(dims[1]))
        self.convd4x = _twice(dims[1], dims[0])
        self.dense_2 = nn.Sequential(_ResidualBlock(dims[0]))
        self.convd2x = _twice(dims[0], 16)
        self.dense_1 = nn.Sequential(_ResidualBlock(16))
        self.convd1x = _twice(16, 8)

    def forward(self, maps: list[Tensor], decoded: Tensor) -> Tensor:
        out = _crop(self.convd32x(decoded), maps[3]) + maps[3]
        out = self.dense_4(_crop(self.convd16x(out), maps[2])) + maps[2]
        out = self.dense_3(self.convd8x(out)) + maps[1]
        out = self.dense_2(self.convd4x(out)) + maps[0]
        return self.convd1x(self.dense_1(self.convd2x(out)))


@ARCHS.register()
class TransWeather(nn.Module):
    """Transformer with weather queries for all-in-one restoration; keeps the size.

    Valanarasu et al. (CVPR 2022). Shape: ``[B, 3, H, W]`` to the same. Images in [0, 1] go in and
    are brought to [-1, 1] inside, as in the published training; the output is a tanh, in (-1, 1)
    with targets in [0, 1], and is not added to the input. Sides that are multiples of 16, from 48
    on, are taken as they are; other images are extended by reflection to multiples of 64 and the
    output is cropped.

    By default the network of jeya-maria-jose/TransWeather. That has 38,052,078 weights, of which
    296,667 in two layers are never used; those are left out here, so 37,755,411 remain, under the
    same state-dict keys. Published files load with ``path: strict_load_g: false``, which names what
    is not taken.

    Args:
        embed_dims: features of the four stages; multiples of 8 fit every number of heads.
        depths: blocks of the four stages, from 1.
        decoder_depth: blocks with learned queries.
        num_queries: learned queries of such a block.
        drop_path: stochastic depth of the last block of the encoder; it grows from 0 along the
            blocks. In the decoder it grows as over 16 blocks.
    """

    limits = Limits()

    def __init__(
        self,
        *,
        embed_dims: tuple[Width, Width, Width, Width] = (64, 128, 320, 512),
        depths: tuple[Depth, Depth, Depth, Depth] = (2, 2, 2, 2),
        decoder_depth: Depth = 3,
        num_queries: Width = 48,
        drop_path: float = 0.1,
    ) -> None:
        super().__init__()
        if min(depths) < 1:
            raise ValueError(f"depths must be at least 1, found {list(depths)}")
        if not 0 <= drop_path < 1:
            raise ValueError(f"drop_path must be at least 0 and below 1, found {drop_path}")
        self.Tenc = _Encoder(embed_dims, depths, drop_path)
        self.Tdec = _Decoder(embed_dims[3], decoder_depth, num_queries, drop_path)
        self.convtail = _Tail(embed_dims)
        self.clean = named("conv2d", conv3x3(8, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Restore ``[B, 3, H, W]``."""
        height, width = x.shape[-2:]
        if any(side % 16 or side < 48 for side in (height, width)):
            x = reflect_to_multiple(x, 64)
        maps = self.Tenc(2 * x - 1)
        out = torch.tanh(self.clean(self.convtail(maps, self.Tdec(maps[3]))))
        return out[..., :height, :width]


def _to_pixels(x: Tensor) -> Tensor:
    """``[B, C, H, W]`` to ``[B, H, W, C]``."""
    return x.permute(0, 2, 3, 1)


def _to_map(x: Tensor) -> Tensor:
    """``[B, H, W, C]`` to ``[B, C, H, W]``."""
    return x.permute(0, 3, 1, 2).contiguous()


def _twice(in_channels: int, out_channels: int) -> nn.Sequential:
    """Twice the sides."""
    return named("conv2d", nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1))


def _crop(x: Tensor, like: Tensor) -> Tensor:
    """Without the row or column that an odd side has too many after it was doubled."""
    return x[..., : like.shape[-2], : like.shape[-1]]


def _initialise(network: nn.Module) -> None:
    """As published: linear layers normal(0.02), convolutions by their fan-out, zero biases."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
        elif isinstance(module, nn.Conv2d):
            fan_out = module.weight[0, 0].numel() * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=(2 / fan_out) ** 0.5)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
