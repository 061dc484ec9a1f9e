"""AirNet: a degradation encoder learned by contrast, and a restorer that it guides."""

from __future__ import annotations

import copy
from typing import NamedTuple, overload

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from realsr_mtl.archs.bounds import Depth, Width
from realsr_mtl.archs.layers import conv3x3
from realsr_mtl.archs.limits import Limits
from realsr_mtl.archs.registry import ARCHS


class Contrast(NamedTuple):
    """One contrastive step.

    Attributes:
        features: ``[B, num_feat, H, W]`` of the query images; they guide `AirNet.restore`.
        logits: ``[B, 1 + 256 batch]``, similarity over temperature of a query to its key (first)
            and to every key in the queue.
        target: ``[B]`` of zeros; the contrastive loss is the cross-entropy of logits and target.
    """

    features: Tensor
    logits: Tensor
    target: Tensor


class _ResBlock(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return _lrelu(self.backbone(x) + self.shortcut(x))


class _Encoder(nn.Module):
    """Image to features ``[B, C, H, W]``, and those to one vector ``[B, 4 C]``."""

    def __init__(self, num_feat: int) -> None:
        super().__init__()
        dim = 4 * num_feat
        self.E_pre = _ResBlock(3, num_feat, stride=1)
        self.E = nn.Sequential(
            _ResBlock(num_feat, 2 * num_feat, stride=2),
            _ResBlock(2 * num_feat, dim, stride=2),
            nn.AdaptiveAvgPool2d(1),
        )
        self.mlp = nn.Sequential(
            nn.Linear(dim, dim), nn.LeakyReLU(0.1, inplace=True), nn.Linear(dim, dim)
        )

    def direction(self, features: Tensor) -> Tensor:
        """The vector of features, of unit length, float32."""
        return F.normalize(self.mlp(self.E(features).flatten(1)).float(), dim=1)


class _MomentumContrast(nn.Module):
    """MoCo (He et al., CVPR 2020) without shuffling: two encoders and a queue of keys.

    Args:
        num_feat: features of the encoders.
        length: keys in the queue.
        momentum: of the key encoder.
        temperature: divides the similarities.
    """

    queue: Tensor
    queue_ptr: Tensor

    def __init__(self, num_feat: int, length: int, momentum: float, temperature: float) -> None:
        super().__init__()
        self.momentum, self.temperature = momentum, temperature
        self.encoder_q = _Encoder(num_feat)
        self.encoder_k = copy.deepcopy(self.encoder_q).requires_grad_(False)
        self.register_buffer("queue", F.normalize(torch.randn(4 * num_feat, length), dim=0))
        self.register_buffer("queue_ptr", torch.zeros(1, dtype=torch.long))

    def forward(self, query: Tensor, key: Tensor) -> Contrast:
        features = self.encoder_q.E_pre(query)
        q = self.encoder_q.direction(features)
        with torch.no_grad():
            if self.training:
                self._follow()
            k = self.encoder_k.direction(self.encoder_k.E_pre(key))
        own = (q * k).sum(1, keepdim=True)
        others = q @ self.queue.clone()  # the backward pass needs the keys that are replaced below
        if self.training:
            self._enqueue(k)
        target = torch.zeros(len(q), dtype=torch.long, device=q.device)
        return Contrast(features, torch.cat([own, others], 1) / self.temperature, target)

    def _follow(self) -> None:
        """Move the key encoder's parameters towards the query encoder's."""
        pairs = zip(self.encoder_k.parameters(), self.encoder_q.parameters(), strict=True)
        for own, other in pairs:
            own.lerp_(other, 1 - self.momentum)

    def _enqueue(self, keys: Tensor) -> None:
        """Replace the oldest keys."""
        place = (self.queue_ptr + torch.arange(len(keys), device=keys.device)) % len(self.queue.T)
        self.queue[:, place] = keys.T
        self.queue_ptr.copy_((place[-1:] + 1) % len(self.queue.T))


class _DegradationEncoder(nn.Module):
    """The published weights have one more level here."""

    def __init__(self, contrast: _MomentumContrast) -> None:
        super().__init__()
        self.E = contrast


class _DeformableConv(nn.Module):
    """Modulated deformable 3 x 3 convolution (Zhu et al., CVPR 2019), guided by the features.

    It starts as half of a plain one: no offset, and a mask of sigmoid(0).
    """

    def __init__(self, num_feat: int) -> None:
        super().__init__()
        # not at the head of the file: torchvision takes a second to come, and only this needs it
        from torchvision.ops import deform_conv2d

        self._convolve = deform_conv2d
        bound = (9 * num_feat) ** -0.5
        self.weight = nn.Parameter(torch.empty(num_feat, num_feat, 3, 3).uniform_(-bound, bound))
        self.conv_offset_mask = conv3x3(2 * num_feat, 27)
        nn.init.zeros_(self.conv_offset_mask.weight)
        assert self.conv_offset_mask.bias is not None
        nn.init.zeros_(self.conv_offset_mask.bias)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        where = self.conv_offset_mask(torch.cat([x, features], 1))
        offset, mask = where[:, :18], where[:, 18:].sigmoid()  # offsets are (dy, dx) of each tap
        x, offset, mask = (part.to(self.weight.dtype) for part in (x, offset, mask))
        with torch.autocast(x.device.type, enabled=False):  # torchvision has no bfloat16 on a CPU
            return self._convolve(x, offset, self.weight, padding=1, mask=mask)


class _FeatureTransform(nn.Module):
    """``x * gamma(features) + beta(features)``."""

    def __init__(self, num_feat: int) -> None:
        super().__init__()
        self.conv_gamma, self.conv_beta = (
            nn.Sequential(
                nn.Conv2d(num_feat, num_feat, 1, bias=False),
                nn.LeakyReLU(0.1, inplace=True),
                nn.Conv2d(num_feat, num_feat, 1, bias=False),
            )
            for _ in range(2)
        )

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        return x * self.conv_gamma(features) + self.conv_beta(features)


class _GuidedModule(nn.Module):
    def __init__(self, num_feat: int) -> None:
        super().__init__()
        self.dcn = _DeformableConv(num_feat)
        self.sft = _FeatureTransform(num_feat)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        return x + self.dcn(x, features) + self.sft(x, features)


class _GuidedBlock(nn.Module):
    def __init__(self, num_feat: int) -> None:
        super().__init__()
        self.dgm1 = _GuidedModule(num_feat)
        self.conv1 = conv3x3(num_feat, num_feat)
        self.dgm2 = _GuidedModule(num_feat)
        self.conv2 = conv3x3(num_feat, num_feat)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        out = _lrelu(self.conv1(_lrelu(self.dgm1(x, features))))
        return x + self.conv2(_lrelu(self.dgm2(out, features)))


class _GuidedBody(nn.Module):
    """Guided parts, a convolution, and the input added: a group of blocks, or all groups."""

    def __init__(self, parts: list[nn.Module], num_feat: int) -> None:
        super().__init__()
        self.body = nn.ModuleList([*parts, conv3x3(num_feat, num_feat)])

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        out = x
        *parts, last = self.body
        for part in parts:
            out = part(out, features)
        return x + last(out)


class _Restorer(_GuidedBody):
    def __init__(self, num_feat: int, num_group: int, num_block: int) -> None:
        groups: list[nn.Module] = []
        for _ in range(num_group):
            blocks: list[nn.Module] = [_GuidedBlock(num_feat) for _ in range(num_block)]
            groups.append(_GuidedBody(blocks, num_feat))
        super().__init__(groups, num_feat)
        self.head = nn.Sequential(conv3x3(3, num_feat))
        self.tail = nn.Sequential(conv3x3(num_feat, 3))

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        return self.tail(super().forward(self.head(x), features))


@ARCHS.register()
class AirNet(nn.Module):
    """All-in-one restoration guided by a contrastive degradation encoder; keeps the size.

    Li et al. (CVPR 2022). Shape: ``[B, 3, H, W]`` to the same, for any size; the output is neither
    clamped nor added to the input. 8,930,313 weights by default: 6,290,441 of the restorer and
    1,319,936 of each encoder, of which the key encoder's get no gradient. State-dict keys are those
    of XLearning-SCU/2022-CVPR-AirNet.

    Training needs a second crop (key) of every image (query). `contrastive` compares the two and
    gives the features that `restore` goes on with, so that the encoder runs once; calling the
    network with both does the two steps. The published schedule minimises the cross-entropy of the
    contrast alone for 100 of 1000 epochs, then L1 loss + 0.1 cross-entropy
    (``train: contrastive_opt``). Without a key, only the first block of the query encoder runs, and
    the rest of it gets no gradient.

    The batch normalisation of the encoder mixes the samples of a batch in training. With several
    processes, statistics and queue are those of the first.

    Args:
        num_feat: features of the restorer; the encoder's vector has four times as many.
        num_group: groups of the restorer.
        num_block: blocks of a group.
        batch: the queue holds 256 keys for each sample of such a batch, and weights fit networks
            with an equal queue only. 5 in the published training, one for each task.
        momentum: part of the key encoder that stays in each step; 0.999 is MoCo's.
        temperature: divides the similarities, above 0; 0.07 is MoCo's.
    """

    limits = Limits()

    def __init__(
        self,
        *,
        num_feat: Width = 64,
        num_group: Depth = 5,
        num_block: Depth = 5,
        batch: int = 5,
        momentum: float = 0.999,
        temperature: float = 0.07,
    ) -> None:
        super().__init__()
        if batch < 1:
            raise ValueError(f"batch must be at least 1, found {batch}")
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum must be between 0 and 1, found {momentum}")
        if temperature <= 0:
            raise ValueError(f"temperature must be above 0, found {temperature}")
        self.R = _Restorer(num_feat, num_group, num_block)
        self.E = _DegradationEncoder(
            _MomentumContrast(num_feat, 256 * batch, momentum, temperature)
        )

    @overload
    def forward(self, x: Tensor) -> Tensor: ...

    @overload
    def forward(
        self, x: Tensor, key: Tensor, contrast_only: bool = False
    ) -> tuple[Tensor | None, Contrast]: ...

    def forward(
        self, x: Tensor, key: Tensor | None = None, contrast_only: bool = False
    ) -> Tensor | tuple[Tensor | None, Contrast]:
        """Restore ``[B, 3, H, W]``; with other crops of the same images also the contrast.

        Args:
            x: images.
            key: other crops of the same images.
            contrast_only: do not restore; the first result then is None.
        """
        if key is None:
            return self.restore(x, self.encode(x))
        contrast = self.contrastive(x, key)
        return None if contrast_only else self.restore(x, contrast.features), contrast

    def encode(self, x: Tensor) -> Tensor:
        """The features ``[B, num_feat, H, W]`` of the query encoder that guide the restorer."""
        features: Tensor = self.E.E.encoder_q.E_pre(x)
        return features

    def restore(self, x: Tensor, features: Tensor) -> Tensor:
        """Restore images ``[B, 3, H, W]`` whose features are known."""
        restored: Tensor = self.R(x, features)
        return restored

    def contrastive(self, query: Tensor, key: Tensor) -> Contrast:
        """Compare two crops of each image, ``[B, 3, h, w]`` both, with each other and the queue.

        In training mode the key encoder first takes a step of ``1 - momentum`` towards the query
        encoder, and afterwards the keys replace the oldest ones of the queue. In evaluation mode
        nothing changes.
        """
        contrast: Contrast = self.E.E(query, key)
        return contrast


def _lrelu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, negative_slope=0.1, inplace=True)
