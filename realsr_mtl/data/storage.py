"""Where encoded images lie: files on disk, or an LMDB as BasicSR makes it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from realsr_mtl.data.reading import EXTENSIONS, ImageError, read_bytes
from realsr_mtl.errors import UnavailableError, UserError


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


@dataclass
class LmdbStorage:
    """BasicSR's LMDB folder: keys listed in its meta_info.txt."""

    root: Path
    names: list[str]

    def read(self, position: int) -> bytes:
        """Bytes stored under the key."""
        with _environment(self.root.resolve()).begin(write=False) as transaction:
            code = transaction.get(self.names[position].encode())
        if code is None:
            raise ImageError(f"{self.source(position)} is listed in meta_info.txt but not stored")
        return bytes(code)

    def source(self, position: int) -> str:
        """LMDB and key."""
        return f"{self.root}:{self.names[position]}"


def open_storage(roots: str | Sequence[str], meta_info: str | None = None) -> Storage:
    """List the images of folders (searched with their sub-folders) or of one LMDB.

    Hidden files and folders (``._a.png`` of macOS, ``.ipynb_checkpoints``) are left out, links to
    folders are followed.

    Args:
        roots: one folder, several, or one ``.lmdb`` folder.
        meta_info: text file with one image path below the (first) root per line; BasicSR's
            trailing ``(h,w,c)`` is allowed. Default: every image found.

    Raises:
        UserError: a missing or empty folder, a missing listed file, a file listed twice.
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
        keys = _lmdb_keys(folders[0], meta_info)
        _environment(folders[0].resolve())  # fails here rather than in a loader process
        return LmdbStorage(folders[0], keys)
    if meta_info:
        listed = [(folders[0], folders[0] / line) for line in read_list(Path(meta_info))]
        absent = [path for _, path in listed if not path.is_file()]
        if absent:
            raise UserError(
                f"{len(absent)} of {len(listed)} files in '{meta_info}' do not exist, "
                f"e.g. '{absent[0]}'"
            )
        if not listed:
            raise UserError(f"meta_info file '{meta_info}' lists no image")
    else:
        listed = [(folder, path) for folder in folders for path in sorted(_images(folder))]
        empty = {str(folder) for folder in folders} - {str(folder) for folder, _ in listed}
        if empty:
            raise UserError(
                f"no image in {', '.join(map(repr, sorted(empty)))}; "
                f"known endings: {', '.join(sorted(EXTENSIONS))}"
            )
    paths = [path for _, path in listed]
    most, count = Counter(paths).most_common(1)[0]
    if count > 1:
        raise UserError(f"'{most}' is listed {count} times; do the folders overlap?")
    return FileStorage(_unique_names(listed), paths)


def read_list(path: Path) -> list[str]:
    """Image paths of a meta_info file, without a trailing ``(h,w,c)`` and what follows it."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()  # Windows writes a signature
    except OSError as error:
        raise UserError(f"meta_info file '{path}' cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"meta_info file '{path}' is not text in UTF-8") from None
    return [re.sub(r"\s+\(\d+,\d+,\d+\).*$", "", line.strip()) for line in lines if line.strip()]


def _images(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    here = folder.resolve()
    if here in above:  # a link that leads back
        return
    try:
        entries = list(os.scandir(folder))
    except PermissionError:  # lost+found at the root of a disk
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _images(path, above | {here})
        elif path.suffix.lower() in EXTENSIONS and entry.is_file():
            yield path


def _lmdb_keys(root: Path, meta_info: str | None) -> list[str]:
    _lmdb()
    keys = [_key(line) for line in read_list(root / "meta_info.txt")]
    if not keys:
        raise UserError(f"the LMDB '{root}' is empty")
    if meta_info is None:
        return keys
    wanted = [_key(line) for line in read_list(Path(meta_info))]
    absent = sorted(set(wanted) - set(keys))
    if absent:
        raise UserError(
            f"{len(absent)} of {len(wanted)} images in '{meta_info}' are not in '{root}', "
            f"e.g. '{absent[0]}'"
        )
    return wanted


def _key(line: str) -> str:
    return PurePosixPath(line).with_suffix("").as_posix()


_environments: dict[Path, tuple[int, Any]] = {}


def _environment(root: Path) -> Any:
    """The open LMDB. A process must not open one twice, nor use what it inherited by a fork."""
    process, environment = _environments.get(root, (0, None))
    if process != os.getpid():
        lmdb = _lmdb()
        try:
            if environment is not None:
                environment.close()  # here only; the parent's stays open
            environment = lmdb.open(
                str(root), readonly=True, lock=False, readahead=False, meminit=False
            )
        except lmdb.Error as error:
            raise UserError(f"'{root}' cannot be opened as an LMDB: {error}") from None
        _environments[root] = os.getpid(), environment
    return environment


def _lmdb() -> Any:
    try:
        import lmdb
    except ImportError:
        raise UnavailableError("reading an LMDB needs: pip install lmdb") from None
    return lmdb


def _unique_names(listed: Sequence[tuple[Path, Path]]) -> list[str]:
    """Path below the root without ending; with it, and with the root, where that is ambiguous."""
    levels = [
        [_below(root, path).with_suffix("").as_posix() for root, path in listed],
        [_below(root, path).as_posix() for root, path in listed],
        [path.as_posix().lstrip("/") for _, path in listed],
    ]
    names = levels[0]
    for finer in levels[1:]:
        seen: dict[str, int] = {}
        for name in names:
            seen[name] = seen.get(name, 0) + 1
        names = [f if seen[n] > 1 else n for n, f in zip(names, finer, strict=True)]
    return names


def _below(root: Path, path: Path) -> Path:
    if path.is_relative_to(root):
        return path.relative_to(root)
    return path.relative_to(path.anchor)  # a list may hold absolute paths
