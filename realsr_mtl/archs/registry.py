"""The registry of networks, with basicsr and spandrel behind it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from torch import nn

from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import UnavailableError
from realsr_mtl.registry import Registry


def _foreign(name: str) -> Callable[..., Any] | None:
    """A network of basicsr (BasicSR's own names and options come first) or of spandrel."""
    try:
        registered = basicsr.load("utils.registry").ARCH_REGISTRY
        basicsr.load("archs")
        if name in registered:
            return _class(registered.get(name))
    except UnavailableError:
        pass  # spandrel may still know the name
    if not name.isidentifier():
        return None
    try:
        module = importlib.import_module(f"spandrel.architectures.{name}")
    except ModuleNotFoundError:
        return None
    return _class(getattr(module, name, None))


def _class(candidate: Any) -> Callable[..., Any] | None:
    return candidate if inspect.isclass(candidate) and issubclass(candidate, nn.Module) else None


ARCHS: Registry[nn.Module] = Registry("network", lookup=_foreign)
