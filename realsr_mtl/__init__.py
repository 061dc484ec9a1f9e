"""Real-world super-resolution and restoration as multi-task learning."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_LAZY = {"restore": "restoration", "Restorer": "restoration", "Tile": "evaluation"}


def __getattr__(name: str) -> Any:
    """What a user of Python needs; its import takes torch, so it waits until it is used."""
    if name in _LAZY:
        return getattr(import_module(f"realsr_mtl.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'realsr_mtl' has no attribute '{name}'")
