"""From the columns of a batch of records to the steps of one stage, a step or None per sample."""

from __future__ import annotations

import math

import torch

from realsr_mtl.degradations.boxes import Size
from realsr_mtl.degradations.operators import KERNEL_TYPES, NOISE_TYPES, blur_kernels
from realsr_mtl.degradations.operators.blur import trimmed
from realsr_mtl.degradations.parameters import DegradationParameters
from realsr_mtl.degradations.steps import Blur, GaussianNoise, Jpeg, PoissonNoise, Resize, Step

_KERNEL = ("kernel_type", "kernel_size", "sigma_x", "sigma_y", "rotation", "beta", "cutoff")
_NO_BLUR = KERNEL_TYPES.index("none")


def blurs(parameters: DegradationParameters, *stages: int | str) -> list[list[Step | None]]:
    """The blurs of some stages: 1 reads ``kernel_type1``, ..., "final" ``final_kernel_type``, ...

    All kernels are made in one go.
    """
    rows = [_kernel_columns(parameters, stage) for stage in stages]
    columns = [torch.cat(column) for column in zip(*rows, strict=True)]
    kind, size, sigma_x, sigma_y, rotation, beta, cutoff = columns
    kernels = blur_kernels(kind, size, sigma_x, sigma_y, rotation, beta, cutoff).numpy()
    steps: list[Step | None] = [
        None if code == _NO_BLUR else Blur(trimmed(kernel))
        for kernel, code in zip(kernels, kind.tolist(), strict=True)
    ]
    batch = len(parameters)
    return [steps[i * batch : (i + 1) * batch] for i in range(len(stages))]


def _kernel_columns(parameters: DegradationParameters, stage: int | str) -> list[torch.Tensor]:
    if stage != "final":
        return [parameters[f"{name}{stage}"] for name in _KERNEL]
    unused = torch.ones_like(parameters["final_cutoff"])
    given = {name: parameters[f"final_{name}"] for name in ("kernel_type", "kernel_size", "cutoff")}
    return [given.get(name, unused) for name in _KERNEL]


def resizes(parameters: DegradationParameters, stage: int) -> list[Step | None]:
    """A resize by ``resize_scale1`` of the present size, in the mode ``resize_mode1``."""
    return [
        None if math.isnan(factor) else Resize(int(mode), factor=factor)
        for mode, factor in _columns(parameters, f"resize_mode{stage}", f"resize_scale{stage}")
    ]


def resizes_of(parameters: DegradationParameters, stage: int, size: Size) -> list[Step | None]:
    """A resize to ``resize_scale2`` times the given size, rounded down."""
    return [
        None
        if math.isnan(factor)
        else Resize(int(mode), size=(max(1, int(size[0] * factor)), max(1, int(size[1] * factor))))
        for mode, factor in _columns(parameters, f"resize_mode{stage}", f"resize_scale{stage}")
    ]


def noises(parameters: DegradationParameters, stage: int) -> list[Step | None]:
    """Gaussian or Poisson noise; Gaussian noise of strength 0 is no step."""
    names = ("noise_type", "gray_noise", "noise_seed", "gaussian_sigma", "poisson_scale")
    steps: list[Step | None] = []
    for kind, grey, seed, sigma, scale in _columns(parameters, *(f"{n}{stage}" for n in names)):
        if NOISE_TYPES[int(kind)] == "poisson":
            steps.append(PoissonNoise(scale, grey > 0.5, int(seed)))
        else:
            steps.append(GaussianNoise(sigma, grey > 0.5, int(seed)) if sigma else None)
    return steps


def jpegs(parameters: DegradationParameters, stage: int) -> list[Step | None]:
    """A compression with ``jpeg_quality1``."""
    (qualities,) = zip(*_columns(parameters, f"jpeg_quality{stage}"), strict=True)
    return [None if math.isnan(quality) else Jpeg(int(quality)) for quality in qualities]


def _columns(parameters: DegradationParameters, *names: str) -> list[tuple[float, ...]]:
    return list(zip(*(parameters[name].tolist() for name in names), strict=True))
