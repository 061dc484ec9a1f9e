"""Running a network on images of any size, with grey images, alpha and half precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from realsr_mtl.archs import limits
from realsr_mtl.archs.layers import reflect_to_multiple
from realsr_mtl.config.schema import ValOptions
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation.ensemble import self_ensemble
from realsr_mtl.evaluation.tiling import Tile, run_tiled

_TYPES = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Inference:
    """How a network is run; the defaults are those of every table.

    Attributes:
        tile: run tile by tile; default: the whole image at once.
        precision: autocast type of the network. bf16 has float32's range and 8 bits of precision;
            fp16 has 11, but large features overflow. It needs a GPU.
        self_ensemble: the mean over eight flips and transpositions, for eight times the time.
        outscale: size of the result over that of the input, rounded to whole pixels; default: the
            network's scale. Reached by an antialiased bicubic resize after the network.
        alpha: how transparency is up-scaled. By the network, as a grey image (Real-ESRGAN's
            default), so that its edges are as sharp as, and lie where, those of the colours do; or
            bicubic, in half the time.
    """

    tile: Tile | None = None
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    self_ensemble: bool = False
    outscale: float | None = None
    alpha: Literal["network", "bicubic"] = "network"

    def __post_init__(self) -> None:
        if self.precision not in _TYPES:
            raise UserError(f"precision is {', '.join(_TYPES)}; found '{self.precision}'")
        if self.alpha not in ("network", "bicubic"):
            raise UserError(f"alpha is network or bicubic; found '{self.alpha}'")
        if self.outscale is not None and not self.outscale > 0:
            raise UserError(f"outscale must be positive, found {self.outscale}")

    @staticmethod
    def of(val: ValOptions | None) -> Inference:
        """What the ``val`` block of an option file asks for."""
        if val is None:
            return Inference()
        given = val.tile
        tile = Tile(given.tile_size, given.tile_pad, given.tile_blend) if given else None
        return Inference(tile, val.precision, val.self_ensemble, val.outscale, val.alpha)

    def check(self, device: torch.device) -> None:
        """Refuse what a device cannot do.

        Raises:
            UserError: fp16 without a GPU.
        """
        if self.precision == "fp16" and device.type != "cuda":
            raise UserError("precision fp16 needs a GPU; use bf16 or float32")


@torch.no_grad()
def restore(
    network: nn.Module, lq: Tensor, scale: int, device: torch.device, how: Inference | None = None
) -> Tensor:
    """Restore one image, or several of one size.

    A grey image is given to the network as three equal channels, of whose results the mean counts.

    Args:
        network: RGB to RGB, in eval mode, on ``device``.
        lq: ``[B, C, h, w]`` in [0, 1] on the CPU; C is 1 (grey) or 3 (RGB), one more with alpha.
        scale: size of the network's output over that of its input.
        device: where the network is.
        how: default: whole, in float32.

    Returns:
        ``[B, C, H, W]`` float32 on the CPU, not clamped. H is ``scale h``, or ``outscale h``
        rounded, and W likewise.

    Raises:
        UserError: out of GPU memory, or a precision that does not do.
    """
    how = how or Inference()
    how.check(device)
    run = partial(_run, network, scale=scale, device=device, how=how)
    height, width = lq.shape[-2:]
    with_alpha = lq.shape[1] in (2, 4)
    try:
        out = run(lq[:, :-1] if with_alpha else lq)
        if with_alpha:
            out = torch.cat((out, _alpha(run, lq[:, -1:], scale, how.alpha)), 1)
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"out of GPU memory on an image of {width} x {height}; run it in tiles or in smaller "
            "ones: val: {tile: {tile_size: 256}} in an option file, tile=Tile(256) in Python"
        ) from error
    if how.outscale is None:
        return out
    return _resized(out, [max(1, round(side * how.outscale)) for side in (height, width)])


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


def _run(
    network: nn.Module, lq: Tensor, scale: int, device: torch.device, how: Inference
) -> Tensor:
    """Grey or RGB to the same, whole or in tiles."""
    run = partial(_run_once, network, scale=scale, device=device, precision=how.precision)
    if how.self_ensemble:  # inside the tiles, so that the eight results are no larger than one
        run = partial(self_ensemble, run)
    if how.tile is None or max(lq.shape[-2:]) <= how.tile.size:
        return run(lq)
    return run_tiled(run, lq, scale, how.tile, limits(network).multiple)


def _run_once(
    network: nn.Module, lq: Tensor, scale: int, device: torch.device, precision: str
) -> Tensor:
    height, width = lq.shape[-2:]
    wanted = limits(network)
    padded = reflect_to_multiple(lq, wanted.multiple, wanted.smallest).to(device)
    with torch.autocast(device.type, _TYPES[precision], enabled=precision != "float32"):
        out: Tensor = network(padded.expand(-1, 3, -1, -1).contiguous())
    out = out[..., : height * scale, : width * scale].float()
    if precision != "float32" and not out.isfinite().all():
        raise UserError(f"the network overflows in {precision}; use bf16 or float32")
    return (out.mean(1, keepdim=True) if lq.shape[1] == 1 else out).cpu()


def _alpha(run: Callable[[Tensor], Tensor], alpha: Tensor, scale: int, method: str) -> Tensor:
    """``[B, 1, h, w]`` to ``[B, 1, scale h, scale w]``, within the range of the LQ pixels around.

    A network that is off by one grey level must not make an opaque area transparent.
    """
    low, high = -F.max_pool2d(-alpha, 3, 1, 1), F.max_pool2d(alpha, 3, 1, 1)
    low, high = (F.interpolate(bound, scale_factor=scale) for bound in (low, high))
    if method == "bicubic" or torch.equal(low, high):
        out = _resized(alpha, list(low.shape[-2:]))
    else:
        out = run(alpha)
    return out.clamp(low, high)


def _resized(image: Tensor, size: list[int]) -> Tensor:
    """Antialiased bicubic resize (a = -0.5) to a size.

    Inside an image this is `imresize`, which multiplies by dense float64 matrices: 20 times slower
    on 6 megapixels.
    """
    return F.interpolate(image, size, mode="bicubic", antialias=True)
