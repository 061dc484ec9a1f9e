"""Running a network on images of any size, whole or in overlapping tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from realsr_mtl.archs import pad_multiple
from realsr_mtl.archs.layers import reflect_to_multiple
from realsr_mtl.errors import UserError


@dataclass(frozen=True)
class Tile:
    """Tiles of ``size`` LQ pixels, each run with ``pad`` LQ pixels of real context around it."""

    size: int
    pad: int


@torch.no_grad()
def restore(
    network: nn.Module, lq: Tensor, scale: int, device: torch.device, tile: Tile | None = None
) -> Tensor:
    """Restore one image, or several of one size.

    Args:
        network: in eval mode, on ``device``.
        lq: ``[B, 3, h, w]`` on the CPU.
        scale: HR over LQ side.
        device: where the network is.
        tile: run tile by tile; the peak memory is that of one tile and the result is exactly the
            whole image's where ``pad`` covers the network's reach.

    Returns:
        ``[B, 3, scale h, scale w]`` float32 on the CPU, not clamped.
    """
    try:
        if tile is None or max(lq.shape[-2:]) <= tile.size:
            return _run(network, lq, scale, device)
        multiple = pad_multiple(network)  # tiles that start elsewhere would be unshuffled otherwise
        tile = Tile(*(-(-side // multiple) * multiple for side in (tile.size, tile.pad)))
        height, width = lq.shape[-2:]
        result = torch.empty(*lq.shape[:2], height * scale, width * scale)
        for top, bottom in _spans(height, tile.size):
            for left, right in _spans(width, tile.size):
                y0, x0 = max(0, top - tile.pad), max(0, left - tile.pad)
                y1, x1 = min(height, bottom + tile.pad), min(width, right + tile.pad)
                out = _run(network, lq[..., y0:y1, x0:x1], scale, device)
                result[..., top * scale : bottom * scale, left * scale : right * scale] = out[
                    ...,
                    (top - y0) * scale : (bottom - y0) * scale,
                    (left - x0) * scale : (right - x0) * scale,
                ]
        return result
    except torch.OutOfMemoryError as error:
        size = f"{lq.shape[-1]} x {lq.shape[-2]}"
        raise UserError(
            f"out of GPU memory on an image of {size}; set val: {{tile: {{tile_size: 256}}}} or a "
            "smaller tile_size"
        ) from error


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Float32 without TF32 and with repeatable algorithms, whatever training has switched on.

    A table must not depend on whether train.py or test.py made it.
    """
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic
    matmul = torch.get_float32_matmul_precision()
    cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic = False, False, True
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic = before
        torch.set_float32_matmul_precision(matmul)


@contextmanager
def image_threads(device: torch.device) -> Iterator[Callable[..., Iterator[Any]]]:
    """A ``map`` over images; on a CPU every image has one thread, and several run side by side.

    Convolutions give other last bits with other numbers of threads, and rounding to 8 bits turns
    some of them into other pixels. One thread an image makes tables equal, however many cores or
    processes there are.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu":
        yield map
        return
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads) as pool:
            yield pool.map
    finally:
        torch.set_num_threads(threads)


def _spans(length: int, size: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, size):
        yield start, min(length, start + size)


def _run(network: nn.Module, lq: Tensor, scale: int, device: torch.device) -> Tensor:
    height, width = lq.shape[-2:]
    multiple = pad_multiple(network)
    padded = reflect_to_multiple(lq, multiple).to(device)
    out: Tensor = network(padded)
    return out[..., : height * scale, : width * scale].float().cpu()
