"""What every network of ours must share with basicsr's."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import UnavailableError


def basicsr_network(module: str, name: str, **options: Any) -> nn.Module:
    """basicsr's own network; skips the test where basicsr cannot be used."""
    try:
        return getattr(basicsr.load(f"archs.{module}"), name)(**options)
    except UnavailableError as error:
        pytest.skip(str(error))


def assert_same_network(ours: nn.Module, theirs: nn.Module, image: Tensor) -> None:
    """Same keys, shapes and outputs, and initial weights of the same spread."""
    own, other = ours.state_dict(), theirs.state_dict()
    assert {k: v.shape for k, v in own.items()} == {k: v.shape for k, v in other.items()}
    for key, value in own.items():
        if value.numel() > 1000:
            assert value.std().item() == pytest.approx(other[key].std().item(), rel=0.15), key
    generator = torch.Generator().manual_seed(1)
    weights = {k: 0.1 * torch.randn(v.shape, generator=generator) for k, v in own.items()}
    weights |= {k: v.abs() + 0.1 for k, v in weights.items() if k.endswith("running_var")}
    for network in (ours, theirs):
        network.load_state_dict(weights)
    with torch.no_grad():
        torch.testing.assert_close(ours(image), theirs(image), rtol=1e-5, atol=1e-5)


def assert_spandrel_loads(ours: nn.Module, image: Tensor) -> None:
    """spandrel recognises a checkpoint of ours and restores the same image."""
    import spandrel

    torch.save({"params_ema": ours.state_dict()}, "net_g.pth")
    found = spandrel.ModelLoader("cpu").load_from_file("net_g.pth")
    assert isinstance(found, spandrel.ImageModelDescriptor)
    with torch.no_grad():
        expected = ours(image)
        assert found.scale == expected.shape[-1] // image.shape[-1]
        torch.testing.assert_close(found.model(image), expected, rtol=1e-5, atol=1e-5)


def assert_all_gradients(network: nn.Module, image: Tensor) -> None:
    """Every parameter takes part."""
    network(image).square().mean().backward()
    dead = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert not dead
