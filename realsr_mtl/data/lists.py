"""Lists of images: BasicSR's and Real-ESRGAN's meta_info files."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from realsr_mtl.errors import CONTROL, UserError, shown


@dataclass(frozen=True)
class Entry:
    """An image path of a list.

    Attributes:
        text: the path as it stands there.
        place: list and line, for messages.
    """

    text: str
    place: str

    def below(self, root: Path) -> Path:
        """Where the image lies.

        A list may hold absolute paths, as long as they lead into the root; links in the root may
        lead out of it.

        Raises:
            UserError: the path leads out of the root.
        """
        path = Path(os.path.normpath(root / self.text))
        for folder in dict.fromkeys((root, root.absolute(), root.resolve())):
            inside = Path(os.path.normpath(folder))
            if path.is_relative_to(inside) and path != inside and ".." not in path.parts:
                return root / path.relative_to(inside)
        raise UserError(
            f"{self.place}: {shown(self.text)} does not lie in '{root}'; list paths below it"
        )


def read_list(path: Path) -> list[Entry]:
    """Entries of a meta_info file, without a trailing ``(h,w,c)`` and what follows it."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows writes a signature
    except OSError as error:
        raise UserError(f"meta_info file '{path}' cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"meta_info file '{path}' is not text in UTF-8") from None
    entries = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"meta_info file '{path}', line {number}"
        entry = re.sub(r"\s+\(\d+,\d+,\d+\).*$", "", line.strip())
        if CONTROL.search(entry):
            raise UserError(f"{place}: {shown(entry)} holds a control character")
        entries.append(Entry(entry, place))
    return entries


def read_pairs(path: Path) -> list[tuple[Entry, Entry]] | None:
    """HR and LQ path of each line of a list of pairs (``gt/a.png, lq/a.png``); None for others."""
    entries = read_list(path)
    if not any(", " in entry.text for entry in entries):
        return None
    pairs = []
    for entry in entries:
        gt, separator, lq = entry.text.partition(", ")
        if not separator or ", " in lq:
            raise UserError(
                f"meta_info file '{path}' has pairs like 'gt/a.png, lq/a.png' but also "
                f"{shown(entry.text)}"
            )
        pairs.append((Entry(gt.strip(), entry.place), Entry(lq.strip(), entry.place)))
    return pairs
