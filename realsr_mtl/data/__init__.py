"""Image data: readers, data sets and the training stream."""

from realsr_mtl.data.dataset import DATASETS, ImageDataset, ImageSample
from realsr_mtl.data.folders import ImageFolder, LQFolder
from realsr_mtl.data.loader import StreamBatch, TrainingLoader
from realsr_mtl.data.mixture import Mixture
from realsr_mtl.data.noisy import NoisyImages
from realsr_mtl.data.pairs import PairedImages
from realsr_mtl.data.photographs import Photographs
from realsr_mtl.data.published import PublishedSet
from realsr_mtl.data.reading import ImageError, to_tensor

__all__ = [
    "DATASETS",
    "ImageDataset",
    "ImageError",
    "ImageFolder",
    "ImageSample",
    "LQFolder",
    "Mixture",
    "NoisyImages",
    "PairedImages",
    "Photographs",
    "PublishedSet",
    "StreamBatch",
    "TrainingLoader",
    "to_tensor",
]
