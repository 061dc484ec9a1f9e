"""The shuffled pipeline of BSRGAN (Zhang et al., ICCV 2021), one record per sample."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import numpy.typing as npt
import torch

from realsr_mtl.degradations.boxes import Size
from realsr_mtl.degradations.engine import Program
from realsr_mtl.degradations.operators import KERNEL_TYPES, RESIZE_MODES, blur_kernels
from realsr_mtl.degradations.operators.blur import trimmed
from realsr_mtl.degradations.parameters import DegradationParameters
from realsr_mtl.degradations.pipelines.stages import jpegs
from realsr_mtl.degradations.steps import (
    BicubicDownscale,
    Blur,
    Clamp,
    GaussianNoise,
    Resize,
    Step,
    Subsample,
)

HALVINGS = (*RESIZE_MODES, "matlab", "none")
"""How the image is halved before all else; a record holds the position in this list."""

NOISES = ("colour", "grey", "correlated")
"""Kinds of Gaussian noise; a record holds the position in this list."""

LARGEST_KERNEL = 25
_OPERATORS = ("blur1", "blur2", "shrink", "settle", "noise", "jpeg")
_SLOTS = 3  # the most steps that one operator takes


@functools.cache
def orders() -> list[tuple[str, ...]]:
    """The 360 orders of six operators in which "shrink" comes before "settle"."""
    every = itertools.permutations(_OPERATORS)
    return [order for order in every if order.index("shrink") < order.index("settle")]


def shuffle(parameters: DegradationParameters, size: Size) -> list[Program]:
    """Perhaps a halving; then two blurs, two resizes, noise and JPEG in any order; then JPEG."""
    columns = {name: values.tolist() for name, values in parameters.values.items()}
    records = [{name: c[i] for name, c in columns.items()} for i in range(len(parameters))]
    present = [2 if _halving(record) != "none" else parameters.scale for record in records]
    kernels = [_blur_kernels(parameters, torch.tensor(present), stage) for stage in (1, 2)]
    blurs = [[Blur(trimmed(kernel)) for kernel in own] for own in kernels]
    compressions = [jpegs(parameters, stage) for stage in (1, 2)]
    rows = zip(records, present, *blurs, *compressions, strict=True)
    return [_program(record, scale, size, *steps) for record, scale, *steps in rows]


def _halving(record: dict[str, float]) -> str:
    return HALVINGS[int(record["halving"])]


def _program(
    record: dict[str, float],
    scale: int,
    size: Size,
    first_blur: Step,
    second_blur: Step,
    first_jpeg: Step | None,
    last_jpeg: Step | None,
) -> Program:
    program: list[Step | None] = [None, None]
    halving = _halving(record)
    if halving != "none":
        size = (size[0] // 2, size[1] // 2)
        halve: Step = BicubicDownscale(2)
        if halving != "matlab":
            halve = Resize(RESIZE_MODES.index(halving), size=size)
        program = [halve, Clamp()]
    end = Resize(int(record["settle_mode"]), size=(size[0] // scale, size[1] // scale))
    operators: dict[str, list[Step | None]] = {
        "blur1": [first_blur],
        "blur2": [second_blur],
        "shrink": _shrink(record, scale, size),
        "settle": [end, Clamp()],
        "noise": [_noise(record)],
        "jpeg": [first_jpeg],
    }
    for name in orders()[int(record["order"])]:
        steps = operators[name]
        program += [*steps, *[None] * (_SLOTS - len(steps))]
    return [*program, last_jpeg]


def _shrink(record: dict[str, float], scale: int, size: Size) -> list[Step | None]:
    """A resize by 1 / (1 ... 2 scale), or a Gaussian centred between the pixels it then skips."""
    if record["shrink_type"] == 0:
        factor = 1 / (1 + record["shrink_factor"] * (2 * scale - 1))
        new = (max(1, int(factor * size[0])), max(1, int(factor * size[1])))
        return [Resize(int(record["shrink_mode"]), size=new), Clamp()]
    sigma = 0.1 + record["shrink_sigma"] * (0.6 * scale - 0.1)
    axis = np.arange(LARGEST_KERNEL) - LARGEST_KERNEL // 2
    line = np.exp(-(axis**2) / (2 * sigma**2))
    # the public code moves the sampled kernel by linear interpolation, and so do we
    place = np.minimum(np.arange(LARGEST_KERNEL) + (scale - 1) / 2, LARGEST_KERNEL - 1)
    moved = np.interp(place, np.arange(LARGEST_KERNEL), line)[::-1]
    kernel = np.outer(moved, moved) / moved.sum() ** 2
    return [Blur(trimmed(kernel.astype(np.float32))), Subsample(scale), Clamp()]


def _noise(record: dict[str, float]) -> Step:
    kind, seed = NOISES[int(record["noise_type"])], int(record["noise_seed1"])
    sigma = record["gaussian_sigma"]
    if kind != "correlated":
        return GaussianNoise(sigma, kind == "grey", seed)
    return GaussianNoise(sigma, False, seed, _mixing(record))


def _mixing(record: dict[str, float]) -> npt.NDArray[np.float32]:
    """The root of BSRGAN's random covariance of colours, ``|U^T diag(d) U|`` entry by entry."""
    share = np.diag([record[f"colour_variance{i}"] for i in (1, 2, 3)])
    entries = [record[f"colour_basis{i}"] for i in range(1, 10)]
    basis = np.linalg.svd(np.reshape(entries, (3, 3)))[0]
    covariance = np.abs(basis.T @ share @ basis)
    values, vectors = np.linalg.eigh(covariance)
    # the entries' absolute values need not be a covariance; its sampler takes |eigenvalues|, too
    root = (vectors * np.sqrt(np.abs(values))) @ vectors.T
    return np.asarray(root, dtype=np.float32)


def _blur_kernels(
    parameters: DegradationParameters, scale: torch.Tensor, stage: int
) -> npt.NDArray[np.float32]:
    """Widths are given as shares of what the present scale allows."""
    kind = parameters[f"kernel_type{stage}"]
    isotropic = kind == KERNEL_TYPES.index("iso")
    sigma = parameters[f"blur_sigma{stage}"] * (2 + 0.2 * scale)
    along, across = (
        (parameters[f"blur_variance_{axis}{stage}"] * (4 + scale)).sqrt() for axis in "xy"
    )
    along = torch.where(isotropic, sigma, along).clamp(min=1e-6)  # 0 is the unit pulse
    across = torch.where(isotropic, sigma, across).clamp(min=1e-6)
    unused = torch.ones_like(sigma)
    size, angle = parameters[f"kernel_size{stage}"], parameters[f"rotation{stage}"]
    kernels = blur_kernels(kind, size, along, across, angle, unused, unused, largest=LARGEST_KERNEL)
    return kernels.numpy()
