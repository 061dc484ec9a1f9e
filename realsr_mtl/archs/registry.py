"""The registries of networks, with basicsr and spandrel behind them, and of discriminators."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

from torch import nn

from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import UnavailableError
from realsr_mtl.registry import Registry


def _foreign(name: str) -> Callable[..., Any] | None:
    """A network of basicsr (BasicSR's own names and options come first) or of spandrel."""
    theirs = _basicsr_networks().get(name)
    if theirs is not None:
        return _class(theirs)
    if name not in _spandrel_names():
        return None
    return _class(getattr(importlib.import_module(f"spandrel.architectures.{name}"), name, None))


def foreign_names() -> list[str]:
    """Networks that basicsr and spandrel have under these names; some of ours are among them."""
    return [*_basicsr_networks(), *_spandrel_names()]


def _basicsr_networks() -> dict[str, Any]:
    """Registered names to classes; none where basicsr is missing (spandrel may know the name)."""
    try:
        basicsr.load("archs")
        return dict(iter(basicsr.load("utils.registry").ARCH_REGISTRY))
    except UnavailableError:
        return {}


def _spandrel_names() -> list[str]:
    import spandrel.architectures

    modules = pkgutil.iter_modules(spandrel.architectures.__path__)
    return [module.name for module in modules if not module.name.startswith("_")]


def _class(candidate: Any) -> Callable[..., Any] | None:
    return candidate if inspect.isclass(candidate) and issubclass(candidate, nn.Module) else None


ARCHS: Registry[nn.Module] = Registry("network", lookup=_foreign, others=foreign_names)

DISCRIMINATORS: Registry[nn.Module] = Registry("discriminator")
"""Images ``[B, 3, H, W]`` to logits ``[B, ...]``: high for real ones."""
