"""Small weight files in the place of the published ones."""

from __future__ import annotations

from pathlib import Path

import torch
import torchvision
from torch import nn
from torchvision.models.vgg import cfgs, make_layers

_TABLES = {"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}


def vgg_layers(kind: str, entries: int) -> nn.Sequential:
    """torchvision's layers up to so many convolutions and poolings, with random weights."""
    table = cfgs[_TABLES[kind.removesuffix("_bn")]][:entries]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(entries)
        layers = make_layers(table, batch_norm=kind.endswith("_bn"))
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.uniform_(layer.bias, -0.1, 0.1)
            elif isinstance(layer, nn.BatchNorm2d):
                for positive in (layer.weight, layer.running_var):
                    nn.init.uniform_(positive, 0.5, 1.5)
                for centred in (layer.bias, layer.running_mean):
                    nn.init.uniform_(centred, -0.5, 0.5)
    return layers.requires_grad_(False).eval()


def save_vgg(layers: nn.Sequential, file: Path) -> Path:
    """As torchvision's files are: with the classifier, which nobody here wants."""
    state = {f"features.{name}": tensor for name, tensor in layers.state_dict().items()}
    torch.save({**state, "classifier.6.bias": torch.zeros(1000)}, file)
    return file


def save_squeezenet(hub: Path) -> None:
    """The smallest of LPIPS's backbones."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        backbone = torchvision.models.squeezenet1_1(weights=None)
    torch.save(backbone.state_dict(), hub / "squeezenet1_1-b8a52dc0.pth")
