"""Lists of images: BasicSR's and Real-ESRGAN's meta_info files."""

from __future__ import annotations

import re
from pathlib import Path

from realsr_mtl.errors import UserError


def read_list(path: Path) -> list[str]:
    """Image paths of a meta_info file, without a trailing ``(h,w,c)`` and what follows it."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()  # Windows writes a signature
    except OSError as error:
        raise UserError(f"meta_info file '{path}' cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"meta_info file '{path}' is not text in UTF-8") from None
    return [re.sub(r"\s+\(\d+,\d+,\d+\).*$", "", line.strip()) for line in lines if line.strip()]


def read_pairs(path: Path) -> list[tuple[str, str]] | None:
    """HR and LQ path of each line of a list of pairs (``gt/a.png, lq/a.png``); None for others."""
    lines = read_list(path)
    if not any(", " in line for line in lines):
        return None
    pairs = []
    for line in lines:
        gt, separator, lq = line.partition(", ")
        if not separator or ", " in lq:
            raise UserError(
                f"meta_info file '{path}' has pairs like 'gt/a.png, lq/a.png' but also '{line}'"
            )
        pairs.append((gt.strip(), lq.strip()))
    return pairs
