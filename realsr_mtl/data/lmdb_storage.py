"""Images in an LMDB as BasicSR makes it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from realsr_mtl.data.lists import Entry, read_list
from realsr_mtl.data.reading import ImageError
from realsr_mtl.errors import UnavailableError, UserError


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


def open_lmdb(root: Path, meta_info: str | None) -> LmdbStorage:
    """Open a ``.lmdb`` folder; ``meta_info`` chooses among its keys."""
    keys = _lmdb_keys(root, meta_info)
    _environment(root.resolve())  # fails here rather than in a loader process
    return LmdbStorage(root, keys)


def _lmdb_keys(root: Path, meta_info: str | None) -> list[str]:
    _lmdb()
    keys = [_key(entry, root) for entry in read_list(root / "meta_info.txt")]
    if not keys:
        raise UserError(f"the LMDB '{root}' is empty")
    if meta_info is None:
        return keys
    wanted = [_key(entry, root) for entry in read_list(Path(meta_info))]
    absent = sorted(set(wanted) - set(keys))
    if absent:
        raise UserError(
            f"{len(absent)} of {len(wanted)} images in '{meta_info}' are not in '{root}', "
            f"e.g. '{absent[0]}'"
        )
    return wanted


def _key(entry: Entry, root: Path) -> str:
    """The key of an image; it becomes a file name, too, and may not lead out of a folder."""
    entry.below(root)
    return PurePosixPath(entry.text).with_suffix("").as_posix()


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
