"""The photographs that ship inside scikit-image: real data without a download."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from realsr_mtl.data.dataset import DATASETS, CachedReader, ImageDataset, ImageSample
from realsr_mtl.data.storage import FileStorage

PHOTOGRAPHS: dict[str, tuple[str, ...]] = {
    "train": (
        "astronaut.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "motorcycle_left.png",
        "motorcycle_right.png",
        "retina.jpg",
        "rocket.jpg",
    ),
    "val": ("chelsea.png", "coffee.png"),
    "probe": ("astronaut.png",),
}
"""Colour photographs of scikit-image's wheel; no scene is in both parts."""

PHOTOGRAPHS["fit"] = tuple(n for n in PHOTOGRAPHS["train"] if n not in PHOTOGRAPHS["probe"])


@DATASETS.register()
class Photographs(ImageDataset):
    """HR photographs of scikit-image, for the quick start and for tests; always kept in memory.

    Args:
        split: train (7 images) or val (2 images of other scenes); for strategies that measure
            the network while training, train falls into fit (6) and probe (1).
    """

    has_gt, has_lq = True, False

    def __init__(self, scale: int, *, split: Literal["train", "val", "fit", "probe"]) -> None:
        import skimage

        folder = Path(skimage.__file__).parent / "data"
        files = [folder / name for name in PHOTOGRAPHS[split]]
        self._gt = CachedReader(FileStorage([f.stem for f in files], files), cache=True)
        self.names = self._gt.storage.names

    def load(self, position: int) -> ImageSample:
        """Read an HR image."""
        return ImageSample(self.names[position], self._gt.read(position), None)
