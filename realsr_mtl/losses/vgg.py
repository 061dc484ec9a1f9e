"""Features of the VGG networks, from weight files that are already there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from realsr_mtl.archs.weights import read_weights
from realsr_mtl.errors import UnavailableError, UserError, suggest

VGGType = Literal[
    "vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"
]
FILES: dict[str, str] = {
    "vgg11": "vgg11-8a719046.pth",
    "vgg13": "vgg13-19584684.pth",
    "vgg16": "vgg16-397923af.pth",
    "vgg19": "vgg19-dcbb9e9d.pth",
    "vgg11_bn": "vgg11_bn-6002323d.pth",
    "vgg13_bn": "vgg13_bn-abd245e5.pth",
    "vgg16_bn": "vgg16_bn-6c64b313.pth",
    "vgg19_bn": "vgg19_bn-c79401a0.pth",
}
"""torchvision's names of its weights (ImageNet, first version)."""

_WIDTHS = (64, 128, 256, 512, 512)
_DEPTHS = {
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
"""Channels and convolutions of the five stages; tables 1 (A, B, D, E) of the paper."""

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class VGGFeatures(nn.Module):
    """Features of a VGG network (Simonyan and Zisserman, ICLR 2015) trained on ImageNet.

    Layers are named as in BasicSR: ``conv3_4`` is the fourth convolution of the third stage,
    ``relu3_4`` follows it, ``bn3_4`` is between them in the kinds with batch normalisation, and
    ``pool3`` ends the stage. Nothing behind the deepest wanted layer is built, no weight learns,
    and batch normalisation uses the stored moments.

    Shape: ``[B, 3, H, W]`` RGB in [0, 1] to ``[B, C, h, w]`` for each layer; stage s has C = 64,
    128, 256, 512, 512 channels and ``h = H // 2^(s - 1)`` before its pooling.

    Args:
        kind: which of the networks.
        layers: the wanted layers, at least one.
        use_input_norm: subtract the mean of ImageNet and divide by its deviation, as in the
            training of the weights.
        range_norm: images are in [-1, 1] and moved to [0, 1] first.
        weights: the weight file; default: see `weight_file`.

    Raises:
        ValueError: no such layer.
        UnavailableError: there is no weight file.
        UserError: the file holds other weights.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        kind: VGGType,
        layers: Collection[str],
        *,
        use_input_norm: bool = True,
        range_norm: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        names = layer_names(kind)
        for layer in layers:
            if layer not in names:
                raise ValueError(f"{kind} has no layer '{layer}'{suggest(layer, names)}")
        depth = 1 + max(names.index(layer) for layer in layers)
        with torch.device("meta"):  # random weights would draw from the global generator
            chosen = list(islice(_layers(kind), depth))
        for (name, _), (_, after) in pairwise(chosen):
            if isinstance(after, nn.ReLU):
                after.inplace = name not in layers
        self._names, self._wanted = names[:depth], frozenset(layers)
        self._layers = nn.Sequential(*(layer for _, layer in chosen))
        _load(self._layers, kind, Path(weights) if weights else weight_file(kind))
        mean, std = (_MEAN, _STD) if use_input_norm else ((0.0,) * 3, (1.0,) * 3)
        low, span = (-1, 2) if range_norm else (0, 1)
        self.register_buffer("mean", low + span * torch.tensor(mean)[:, None, None])
        self.register_buffer("std", span * torch.tensor(std)[:, None, None])
        self.requires_grad_(False).eval()

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """The features by the names of their layers."""
        smallest = 2 ** sum(name.startswith("pool") for name in self._names)
        if min(image.shape[-2:]) < smallest:
            raise UserError(
                f"the VGG layer {self._names[-1]} needs {smallest} pixels in each direction, "
                f"found {tuple(image.shape[-2:])}"
            )
        found = {}
        x = (image - self.mean) / self.std
        for name, layer in zip(self._names, self._layers, strict=True):
            x = layer(x)
            if name in self._wanted:
                found[name] = x
        return found


def layer_names(kind: VGGType) -> list[str]:
    """All layers of a network, from the image on."""
    with torch.device("meta"):
        return [name for name, _ in _layers(kind)]


def weight_file(kind: VGGType) -> Path:
    """The weights, where BasicSR or torch keep them; nothing is ever downloaded.

    Raises:
        UnavailableError: the file is in neither folder.
    """
    folders = Path("experiments/pretrained_models"), Path(torch.hub.get_dir()) / "checkpoints"
    for folder in folders:
        if (folder / FILES[kind]).is_file():
            return folder / FILES[kind]
    raise UnavailableError(
        f"the weights of {kind} are not here: put torchvision's file '{FILES[kind]}' into "
        f"'{folders[0]}' or '{folders[1]}', or name its place with the option weights"
    )


def _layers(kind: str) -> Iterator[tuple[str, nn.Module]]:
    """Names and modules in torchvision's order, so that the numbers in the files agree."""
    channels = 3
    depths = _DEPTHS[kind.removesuffix("_bn")]
    for stage, (width, depth) in enumerate(zip(_WIDTHS, depths, strict=True), start=1):
        for place in range(1, depth + 1):
            yield f"conv{stage}_{place}", nn.Conv2d(channels, width, 3, padding=1)
            if kind.endswith("_bn"):
                yield f"bn{stage}_{place}", nn.BatchNorm2d(width)
            yield f"relu{stage}_{place}", nn.ReLU(inplace=True)
            channels = width
        yield f"pool{stage}", nn.MaxPool2d(2)


def _load(layers: nn.Sequential, kind: str, file: Path) -> None:
    given, _ = read_weights(file)
    chosen: dict[str, Tensor] = {}
    for name, own in layers.state_dict().items():
        found = given.get(f"features.{name}")
        if found is not None and found.shape == own.shape:
            chosen[name] = found.to(own.dtype, copy=True)
        elif not name.endswith("num_batches_tracked"):  # older files are without it
            raise UserError(
                f"'{file}' does not hold the weights of {kind}: features.{name} is "
                f"{'missing' if found is None else f'of another shape, {tuple(found.shape)}'}"
            )
    layers.load_state_dict(chosen, strict=False, assign=True)
