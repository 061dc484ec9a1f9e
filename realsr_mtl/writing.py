"""Writing files whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(content: bytes | memoryview, path: Path) -> None:
    """Write a hidden file beside ``path`` that then takes its name; its folder is made.

    Whatever ends the process, ``path`` is absent, as it was before, or complete.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
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
