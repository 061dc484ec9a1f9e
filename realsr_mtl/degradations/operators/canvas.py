"""Images of several sizes in one tensor, and the same images as arrays.

A batch whose samples differ in size lies on a common *canvas* ``[B, C, H, W]``: sample ``i`` fills
the top left ``sizes[i]`` pixels, and what lies beyond is neither read nor defined. ``sizes`` is an
int64 CPU tensor ``[B, 2]`` of heights and widths; None stands for the whole canvas.

On a CPU every operator works sample by sample on arrays ``[h, w, C]`` with OpenCV, so a sample
cannot depend on its batch; on other devices it works on the canvas, with operations whose result
per pixel depends neither on the batch nor on the size of the canvas.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2

T = TypeVar("T")

Pixels = npt.NDArray[np.float32]
"""``[H, W, C]``, contiguous."""


def by_arrays(image: Tensor) -> bool:
    """Whether an image is processed as arrays."""
    return image.device.type == "cpu"


def whole(image: Tensor) -> Tensor:
    """The sizes of samples that fill their canvas."""
    return torch.tensor([image.shape[-2:]] * len(image), dtype=torch.int64)


def to_pixels(image: Tensor) -> Pixels:
    """``[C, H, W]`` on the CPU as an array; a view where the memory is laid out that way."""
    image = image.detach().float()
    if image.stride(-1) == 1 and image.shape[0] == 3:  # OpenCV interleaves planes faster
        return np.asarray(cv2.merge([plane.numpy() for plane in image])).reshape(
            *image.shape[1:], 3
        )
    return np.ascontiguousarray(image.permute(1, 2, 0).numpy())


def to_image(pixels: Pixels) -> Tensor:
    """``[C, H, W]`` view of an array."""
    return torch.from_numpy(pixels).permute(2, 0, 1)


def on_canvas(images: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Put images ``[C, h, w]`` on a common canvas; returns it and their sizes."""
    sizes = torch.tensor([image.shape[-2:] for image in images], dtype=torch.int64)
    height, width = sizes.amax(0).tolist()
    if bool((sizes == sizes[0]).all()):
        return (images[0][None] if len(images) == 1 else torch.stack(list(images))), sizes
    canvas = images[0].new_zeros(len(images), images[0].shape[0], height, width)
    for place, image in zip(canvas, images, strict=True):
        place[:, : image.shape[-2], : image.shape[-1]] = image
    return canvas, sizes


def samples(image: Tensor, sizes: Tensor | None) -> list[Tensor]:
    """The samples ``[C, h, w]`` of a canvas (views)."""
    if sizes is None:
        return list(image)
    pairs = zip(image, sizes.tolist(), strict=True)
    return [sample[:, :height, :width] for sample, (height, width) in pairs]


def map_pixels(
    function: Callable[[int, Pixels], Pixels], image: Tensor, sizes: Tensor | None
) -> Tensor:
    """Apply a function of sample number and array to every sample of a CPU canvas."""
    parts = samples(image, sizes)
    results = side_by_side(lambda i, part: function(i, to_pixels(part)), range(len(parts)), parts)
    return on_canvas([to_image(pixels) for pixels in results])[0]


def side_by_side(function: Callable[..., T], *columns: Iterable[Any]) -> list[T]:
    """The function of every sample, on as many threads as torch uses."""
    rows, threads = list(zip(*columns, strict=True)), torch.get_num_threads()
    if min(len(rows), threads) < 2:
        return [function(*row) for row in rows]
    return list(_pool(os.getpid(), threads).map(lambda row: function(*row), rows))


@functools.cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """One pool per process: a forked one has none of its parent's threads."""
    return ThreadPoolExecutor(threads, thread_name_prefix="degrade")


def column(values: Tensor, image: Tensor) -> Tensor:
    """Per-sample numbers ``[B]`` as ``[B, 1, 1, 1]`` float32 on the device of the image."""
    return values.to(image.device, torch.float32)[:, None, None, None]
