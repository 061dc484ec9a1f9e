"""Data sets of image folders (or LMDBs): HR only, LQ only."""

from __future__ import annotations

from typing import Any

from realsr_mtl.data.dataset import DATASETS, CachedReader, ImageDataset, ImageSample
from realsr_mtl.data.storage import open_storage

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
    """LQ images without reference, for test.py.

    Args:
        dataroot_lq: folder, list of folders (with sub-folders), or one .lmdb folder.
        meta_info_file: text file that lists the images to use.
        io_backend: BasicSR's key; the ending of the folder decides.
    """

    has_gt, has_lq = False, True

    def __init__(
        self,
        scale: int,
        *,
        dataroot_lq: Roots,
        meta_info_file: str | None = None,
        io_backend: dict[str, Any] | None = None,
    ) -> None:
        check_backend(io_backend)
        self._lq = CachedReader(open_storage(dataroot_lq, meta_info_file), cache=False)
        self.names = self._lq.storage.names

    def load(self, position: int) -> ImageSample:
        """Read an LQ image."""
        return ImageSample(self.names[position], None, self._lq.read(position))


def check_backend(backend: dict[str, Any] | None) -> None:
    """Refuse an ``io_backend`` other than disk and lmdb."""
    kind = (backend or {}).get("type", "disk")
    if kind not in ("disk", "lmdb"):
        raise ValueError(f"io_backend type '{kind}' is not supported; there are disk and lmdb")
