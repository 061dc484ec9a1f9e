from __future__ import annotations

import traceback

import numpy as np
import pytest

from realsr_mtl.data import DATASETS, ImageDataset, ImageError, ImageSample
from realsr_mtl.data.dataset import CachedReader
from realsr_mtl.errors import OptionError
from tests._inputs import photograph
from tests.data._files import encode_16_bit

IMAGE = photograph(6, 8).astype(np.uint16) * 256


class Counting:
    """A storage that counts the reads; the second image is damaged."""

    def __init__(self):
        self.names = ["good", "bad", "also good"]
        self.reads = [0, 0, 0]

    def read(self, position):
        self.reads[position] += 1
        return b"text" if position == 1 else encode_16_bit(IMAGE)

    def source(self, position):
        return f"folder/{self.names[position]}.png"


@pytest.mark.parametrize(("cache", "reads"), [(False, 3), (True, 1)])
def test_cache_reads_once_and_gives_the_same(cache, reads):
    reader = CachedReader(Counting(), cache)
    for _ in range(3):
        np.testing.assert_array_equal(reader.read(0), IMAGE)
        with pytest.raises(ImageError, match=r"'folder/bad\.png' is not an image"):
            reader.read(1)
    assert reader.storage.reads == [reads, reads, 0]


@pytest.mark.parametrize(("cache", "reads"), [(False, [0, 0, 0]), (True, [1, 1, 1])])
def test_preload_fills_the_cache_only(cache, reads):
    reader = CachedReader(Counting(), cache)
    reader.preload()
    assert reader.storage.reads == reads
    reader.preload()
    assert reader.storage.reads == reads


def test_a_kept_error_does_not_grow():
    reader = CachedReader(Counting(), cache=True)
    depths = []
    for _ in range(5):
        with pytest.raises(ImageError) as caught:
            reader.read(1)
        depths.append(len(traceback.extract_tb(caught.value.__traceback__)))
    assert len(set(depths[1:])) == 1


def test_data_sets_without_a_cache_preload_nothing():
    class Empty(ImageDataset):
        names, has_gt, has_lq = ["a", "b"], True, False

        def load(self, position):
            return ImageSample(self.names[position], photograph(4, 4), None)

    images = Empty()
    images.preload()
    assert len(images) == 2
    assert images.load(1).name == "b"


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"type": "ImageFoldr", "dataroot_gt": "a"}, "did you mean 'ImageFolder'"),
        ({"type": "ImageFolder", "dataroot": "a"}, "did you mean 'dataroot_gt'"),
        ({"type": "ImageFolder"}, "train:dataroot_gt: this key is required"),
        (
            {"type": "Photographs", "split": "test"},
            "'fit' or 'probe', found 'test'",
        ),
    ],
)
def test_wrong_blocks_are_explained(block, sentence):
    with pytest.raises(OptionError, match=sentence):
        DATASETS.build(block, 4, path=("train",))


@pytest.mark.parametrize(
    ("basicsr_name", "own"),
    [
        ("PairedImageDataset", "PairedImages"),
        ("SingleImageDataset", "LQFolder"),
        ("RealESRGANDataset", "ImageFolder"),
        ("RealESRGANPairedDataset", "PairedImages"),
    ],
)
def test_basicsr_names_are_known(basicsr_name, own):
    assert DATASETS.get(basicsr_name) is DATASETS.get(own)
