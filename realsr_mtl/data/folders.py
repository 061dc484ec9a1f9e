"""Data sets of image folders (or LMDBs): HR only, LQ only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from realsr_mtl.data.dataset import DATASETS, CachedReader, ImageDataset, ImageSample
from realsr_mtl.data.reading import decode_as_is
from realsr_mtl.data.storage import FileStorage, Storage, open_storage

Roots = str | list[str]


@DATASETS.register(aliases=["RealESRGANDataset"])
class ImageFolder(ImageDataset):
    """HR images, degraded on the fly.

    Args:
        dataroot_gt: folder, list of folders (with sub-folders), or one .lmdb folder.
        meta_info: text file that lists the images to use, one path below the root per line.
        io_backend: BasicSR's key; the ending of the folder decides.
        cache: keep decoded images in memory.
    """

    has_gt, has_lq = True, False

    def __init__(
        self,
        scale: int,
        *,
        dataroot_gt: Roots,
        meta_info: str | None = None,
        io_backend: dict[str, Any] | None = None,
        cache: bool = False,
    ) -> None:
        check_backend(io_backend)
        self._gt = CachedReader(open_storage(dataroot_gt, meta_info), cache)
        self.names = self._gt.storage.names

    def load(self, position: int) -> ImageSample:
        """Read an HR image."""
        return ImageSample(self.names[position], self._gt.read(position), None)

    def preload(self) -> None:
        """Fill the cache."""
        self._gt.preload()


@DATASETS.register(aliases=["SingleImageDataset"])
class LQFolder(ImageDataset):
    """LQ images without reference, for test.py; grey, alpha and 16 bits are kept.

    Args:
        dataroot_lq: folder, list of folders (with sub-folders), one .lmdb folder, or one file.
        meta_info_file: text file that lists the images to use.
        io_backend: BasicSR's key; the ending of the folder decides.
        task: the task that all images belong to; a network with heads restores them with that
            task's.
    """

    has_gt, has_lq = False, True

    def __init__(
        self,
        scale: int,
        *,
        dataroot_lq: Roots,
        meta_info_file: str | None = None,
        io_backend: dict[str, Any] | None = None,
        task: str = "all",
    ) -> None:
        check_backend(io_backend)
        self._lq: Storage
        if isinstance(dataroot_lq, str) and (file := Path(dataroot_lq)).is_file():
            self._lq = FileStorage([file.stem], [file])
        else:
            self._lq = open_storage(dataroot_lq, meta_info_file)
        self.names = self._lq.names
        self.tasks = (task,)

    def load(self, position: int) -> ImageSample:
        """Read an LQ image."""
        pixels = decode_as_is(self._lq.read(position), self._lq.source(position))
        return ImageSample(self.names[position], None, pixels)


def check_backend(backend: dict[str, Any] | None) -> None:
    """Refuse an ``io_backend`` other than disk and lmdb."""
    kind = (backend or {}).get("type", "disk")
    if kind not in ("disk", "lmdb"):
        raise ValueError(f"io_backend type '{kind}' is not supported; there are disk and lmdb")
