"""Names that become files and folders: data sets, tasks, metrics, experiments."""

from __future__ import annotations

from realsr_mtl.errors import CONTROL, shown

_UNWANTED = frozenset('/\\:*?"<>|')
_LONGEST = 150


def file_name(name: str) -> str:
    """A name that can be a file or a folder, or a part of its name, and leads nowhere else.

    Raises:
        ValueError: it cannot.
    """
    if _UNWANTED & set(name) or CONTROL.search(name) or name in {"", ".", ".."}:
        raise ValueError(
            f"{shown(name)} cannot name a file or folder; use letters, digits, '_' and '-'"
        )
    if len(name.encode()) > _LONGEST:
        raise ValueError(
            f"{shown(name)} is too long for a file name; use {_LONGEST} letters at most"
        )
    return name
