"""Where encoded images lie: files on disk, or an LMDB as BasicSR makes it."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from realsr_mtl.data.lists import Entry, read_list
from realsr_mtl.data.lmdb_storage import open_lmdb
from realsr_mtl.data.reading import EXTENSIONS, read_bytes
from realsr_mtl.errors import UserError

_logger = logging.getLogger(__name__)


class Storage(Protocol):
    """Named encoded images."""

    names: list[str]

    def read(self, position: int) -> bytes:
        """The encoded image at a position of ``names``."""
        ...

    def source(self, position: int) -> str:
        """Where that image comes from, for messages."""
        ...


@dataclass
class FileStorage:
    """Image files; names are paths below their root without the ending."""

    names: list[str]
    paths: list[Path]

    def read(self, position: int) -> bytes:
        """Bytes of the file."""
        return read_bytes(self.paths[position])

    def source(self, position: int) -> str:
        """Path of the file."""
        return str(self.paths[position])


def open_storage(roots: str | Sequence[str], meta_info: str | None = None) -> Storage:
    """List the images of folders (searched with their sub-folders) or of one LMDB.

    Hidden files and folders (``._a.png`` of macOS, ``.ipynb_checkpoints``) are left out, links to
    folders are followed. What is no file (a broken link, a pipe) is listed if it is called like an
    image, and fails when it is read.

    Args:
        roots: one folder, several, or one ``.lmdb`` folder.
        meta_info: text file with one image path below the (first) root per line; BasicSR's
            trailing ``(h,w,c)`` is allowed. Default: every image found.

    Raises:
        UserError: a missing or empty folder, a missing listed file, a file listed twice or outside
            the root.
    """
    folders = [Path(roots)] if isinstance(roots, str) else [Path(r) for r in roots]
    if not folders:
        raise UserError("a data set needs at least one folder")
    for folder in folders:
        if not folder.is_dir():
            what = "is a file" if folder.exists() else "does not exist"
            raise UserError(f"data folder '{folder}' {what} (seen from {Path.cwd()})")
    if any(folder.suffix == ".lmdb" for folder in folders):
        if len(folders) > 1:
            raise UserError("an LMDB cannot be combined with other folders")
        return open_lmdb(folders[0], meta_info)
    if meta_info:
        return listed_files(folders[0], read_list(Path(meta_info)), meta_info)
    listed = [(folder, path) for folder in folders for path in sorted(_images(folder))]
    empty = {str(folder) for folder in folders} - {str(folder) for folder, _ in listed}
    if empty:
        raise UserError(
            f"no image in {', '.join(map(repr, sorted(empty)))}; "
            f"known endings: {', '.join(sorted(EXTENSIONS))}"
        )
    return _files(listed)


def listed_files(root: Path, entries: Sequence[Entry], source: str) -> FileStorage:
    """The images of a list; ``source`` names the list in messages."""
    listed = [(root, entry.below(root)) for entry in entries]
    absent = [path for _, path in listed if not path.is_file()]
    if absent:
        raise UserError(
            f"{len(absent)} of {len(listed)} files in '{source}' do not exist, e.g. '{absent[0]}'"
        )
    if not listed:
        raise UserError(f"meta_info file '{source}' lists no image")
    return _files(listed)


def _files(listed: Sequence[tuple[Path, Path]]) -> FileStorage:
    """Storage of (root, path) pairs."""
    paths = [path for _, path in listed]
    most, count = Counter(paths).most_common(1)[0]
    if count > 1:
        raise UserError(f"'{most}' is listed {count} times; do the folders overlap?")
    return FileStorage(_unique_names(listed), paths)


def _images(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    here = folder.resolve()
    if here in above:  # a link that leads back
        return
    try:
        entries = list(os.scandir(folder))
    except PermissionError:
        if not above:
            raise UserError(f"data folder '{folder}' cannot be read: Permission denied") from None
        _logger.warning("left out '%s': no permission to look into it", folder)  # e.g. lost+found
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            yield from _images(path, above | {here})
        elif path.suffix.lower() in EXTENSIONS:
            yield path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle
        return False


def _unique_names(listed: Sequence[tuple[Path, Path]]) -> list[str]:
    """Path below the root without ending; with it, and with the root, where that is ambiguous."""
    levels = [
        [path.relative_to(root).with_suffix("").as_posix() for root, path in listed],
        [path.relative_to(root).as_posix() for root, path in listed],
        [path.as_posix().lstrip("/") for _, path in listed],
    ]
    names = levels[0]
    for finer in levels[1:]:
        seen: dict[str, int] = {}
        for name in names:
            seen[name] = seen.get(name, 0) + 1
        names = [f if seen[n] > 1 else n for n, f in zip(names, finer, strict=True)]
    return names
