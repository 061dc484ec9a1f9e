"""The base of data sets, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from realsr_mtl.data.reading import ImageError, Pixels, decode
from realsr_mtl.data.storage import Storage
from realsr_mtl.registry import Registry


@dataclass(frozen=True)
class ImageSample:
    """One item of a data set, decoded.

    Attributes:
        name: unique in the data set.
        gt: HR image, or None (LQ-only sets).
        lq: LQ image, or None (HR sets, to be degraded).
        noise: where the LQ image is the HR image with Gaussian noise of its own for every sample,
            its standard deviation in grey levels of 255; else 0.
    """

    name: str
    gt: Pixels | None
    lq: Pixels | None
    noise: float = 0.0


class ImageDataset(ABC):
    """Images by position.

    Attributes:
        names: unique names of the items.
        has_gt, has_lq: which images the items have.
        tasks: the tasks that paired items belong to.
    """

    names: list[str]
    has_gt: bool
    has_lq: bool
    tasks: Sequence[str] = ("all",)

    def __len__(self) -> int:
        return len(self.names)

    @abstractmethod
    def load(self, position: int) -> ImageSample:
        """Read and decode an item.

        Raises:
            ImageError: the file cannot be used.
        """

    def task(self, position: int) -> int:
        """The task of a paired item, as position in `tasks`."""
        return 0

    def gt_sources(self) -> set[str]:
        """Where the HR images come from: full paths of files; empty for a set without HR."""
        reader = getattr(self, "_gt", None)
        if not isinstance(reader, CachedReader):
            return set()
        storage = reader.storage
        return {str(Path(storage.source(i)).resolve()) for i in range(len(storage.names))}

    def preload(self) -> None:  # noqa: B027 - a data set without a cache has nothing to do
        """Fill the in-memory cache, if the options ask for one."""


class CachedReader:
    """Decodes images of a storage, optionally keeping them in memory."""

    def __init__(self, storage: Storage, cache: bool) -> None:
        self.storage = storage
        self.cache = cache
        self._kept: dict[int, Pixels | ImageError] = {}

    def read(self, position: int) -> Pixels:
        """The decoded image."""
        kept = self._kept.get(position)
        if kept is None:
            try:
                kept = decode(self.storage.read(position), self.storage.source(position))
            except ImageError as error:
                kept = error
            if self.cache:
                self._kept[position] = kept
        if isinstance(kept, ImageError):
            raise kept.with_traceback(None)  # else every draw would lengthen the kept one
        return kept

    def preload(self) -> None:
        """Decode everything now, so that forked loader processes share the memory."""
        if not self.cache:
            return
        for position in range(len(self.storage.names)):
            try:
                self.read(position)
            except ImageError:
                continue  # kept, and reported when the image is drawn


DATASETS: Registry[ImageDataset] = Registry("data set")
