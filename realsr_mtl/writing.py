"""Writing files whole or not at all, and folders that make room for new ones."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

PART = ".part"
"""Ending of files that are being written."""


def write_atomically(content: bytes | memoryview, path: Path) -> None:
    """Write a hidden file beside ``path`` that then takes its name; its folder is made.

    Whatever ends the process, ``path`` is absent, as it was before, or complete.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}{PART}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise


def archive(folder: Path) -> Path | None:
    """Rename a folder to ``<name>_archived_<time>``, with a number behind it if that is taken.

    Returns:
        The new path, or None if there is no such folder.
    """
    if not folder.exists():
        return None
    stamp = time.strftime("%Y%m%d_%H%M%S")
    for number in itertools.count(1):
        ending = f"_{number}" if number > 1 else ""
        target = folder.with_name(f"{folder.name}_archived_{stamp}{ending}")
        if not target.exists():
            break
    return folder.rename(target)
