"""The second-order pipeline of Real-ESRGAN (Wang et al., ICCVW 2021), one record per sample."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from realsr_mtl.degradations.operators import (
    KERNEL_TYPES,
    blur,
    blur_kernels,
    gaussian_noise,
    jpeg,
    poisson_noise,
    resize,
)
from realsr_mtl.degradations.parameters import DegradationParameters

_NO_BLUR = KERNEL_TYPES.index("none")


def second_order(hq: Tensor, parameters: DegradationParameters) -> Tensor:
    """Blur, resize, noise, JPEG; blur, resize, noise; then resize-back, sinc and JPEG.

    The first resize is relative to the HR size, the second to the LQ size ``H / scale``. The final
    JPEG comes after (``final_order`` 0) or before (1) resize-back and sinc.
    """
    return torch.cat([_one(hq[i : i + 1], _Record(parameters, i)) for i in range(len(hq))])


class _Record:
    """Plain numbers of one sample; ``record("sigma_x", 2)`` reads ``sigma_x2``."""

    def __init__(self, parameters: DegradationParameters, position: int) -> None:
        self.scale = parameters.scale
        self._values = {k: v[position].item() for k, v in parameters.values.items()}

    def __call__(self, name: str, stage: int | str = "") -> Any:
        return self._values[f"{name}{stage}"]


def _one(image: Tensor, record: _Record) -> Tensor:
    height, width = (side // record.scale for side in image.shape[-2:])
    out = _blur(image, record, 1)
    out = resize(out, int(record("resize_mode", 1)), factor=record("resize_scale", 1))
    out = _noise(out, record, 1)
    out = _jpeg(out, record, 1)
    out = _blur(out, record, 2)
    factor = record("resize_scale", 2)
    size = (max(1, int(height * factor)), max(1, int(width * factor)))
    out = resize(out, int(record("resize_mode", 2)), size=size)
    out = _noise(out, record, 2)
    if record("final_order") == 0:
        out = _jpeg(_final(out, record, (height, width)), record, 2)
    else:
        out = _final(_jpeg(out, record, 2), record, (height, width))
    return (out * 255).round().clamp(0, 255) / 255


def _blur(image: Tensor, record: _Record, stage: int) -> Tensor:
    if record("kernel_type", stage) == _NO_BLUR:
        return image
    names = ("kernel_type", "kernel_size", "sigma_x", "sigma_y", "rotation", "beta", "cutoff")
    return _apply_kernel(image, [record(name, stage) for name in names])


def _final(image: Tensor, record: _Record, size: tuple[int, int]) -> Tensor:
    image = resize(image, int(record("final_mode")), size=size)
    if record("final_kernel_type") == _NO_BLUR:
        return image
    kind, side, cutoff = (record(f"final_{k}") for k in ("kernel_type", "kernel_size", "cutoff"))
    return _apply_kernel(image, [kind, side, 1.0, 1.0, 0.0, 1.0, cutoff])


def _apply_kernel(image: Tensor, values: list[float]) -> Tensor:
    columns = torch.tensor(values, dtype=torch.float64)[:, None]
    kernel = blur_kernels(*columns)
    side = int(values[1])  # convolve with the kernel's own size, not with its zero border
    margin = (kernel.shape[-1] - side) // 2
    own = kernel[:, margin : margin + side, margin : margin + side]
    return blur(image, own.contiguous().to(image.device))


def _noise(image: Tensor, record: _Record, stage: int) -> Tensor:
    grey = torch.tensor([record("gray_noise", stage) > 0.5], device=image.device)
    seed = torch.tensor([record("noise_seed", stage)], device=image.device)
    gaussian = record("noise_type", stage) == 0
    strength = record("gaussian_sigma" if gaussian else "poisson_scale", stage)
    add = gaussian_noise if gaussian else poisson_noise
    return add(image, torch.tensor([strength], device=image.device), grey, seed)


def _jpeg(image: Tensor, record: _Record, stage: int) -> Tensor:
    return jpeg(image, torch.tensor([record("jpeg_quality", stage)]))
