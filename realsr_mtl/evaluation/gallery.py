"""The best and the worst image of every task as small pictures, side by side."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from realsr_mtl.archs import for_task
from realsr_mtl.degradations.operators import imresize
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation.frozen import EvaluationSet, FrozenImage
from realsr_mtl.evaluation.images import as_rgb, write_image
from realsr_mtl.evaluation.inference import Inference, exact_arithmetic, restore
from realsr_mtl.metrics.base import Image, to_uint8
from realsr_mtl.reporting.gallery import FOLDER, Example, Gallery, Tile, write_gallery
from realsr_mtl.reporting.scores import ImageRow
from realsr_mtl.writing import write_atomically

SIDE = 128
"""Largest side of a picture in HR pixels."""

BUDGET = 2_600_000
"""Bytes of all pictures: with them a page stays below 5 MB."""

_ERROR = 64
"""Error in grey levels that the map shows in its brightest colour."""


def choose(
    rows: Sequence[ImageRow], metric: str, better: str
) -> dict[str, list[tuple[str, ImageRow]]]:
    """Task to its worst and best image by a metric; one of them where there is only one image."""
    tasks: dict[str, list[ImageRow]] = {}
    for row in rows:
        if metric in row.values:
            tasks.setdefault(row.task, []).append(row)
    found = {}
    for task, own in tasks.items():
        ordered = sorted(own, key=lambda row: row.values[metric], reverse=better == "lower")
        ends = [("worst", ordered[0]), ("best", ordered[-1])]
        found[task] = ends if len(own) > 1 else [("only", ordered[0])]
    return found


def draw_gallery(
    dataset: EvaluationSet,
    network: nn.Module,
    device: torch.device,
    how: Inference,
    chosen: Mapping[str, Sequence[tuple[str, ImageRow]]],
    bicubic: Sequence[ImageRow],
    report: Path,
    *,
    metric: str,
    iteration: int | None,
    notes: Sequence[str] = (),
    budget: int = BUDGET,
) -> Gallery:
    """Restore the chosen images again and write pictures of them.

    Args:
        dataset: the frozen images.
        network: on ``device``, in eval mode.
        device: of the network.
        how: as in the validation.
        chosen: as `choose` made it.
        bicubic: scores of bicubic up-scaling.
        report: folder; the pictures go to ``images`` in it.
        metric: by which they were chosen.
        iteration: of the validation.
        notes: sentences about all of them.
        budget: bytes; when they are spent, further tasks are left out, and a note says so.

    Raises:
        UserError: an image has other pixels than those that were scored.
    """
    place = {dataset.describe(entry): entry for entry in range(len(dataset))}
    plain = {(row.image, row.task): row.values for row in bicubic}
    examples: list[Example] = []
    spent = 0
    drawn: list[str] = []
    for task, ends in chosen.items():
        if spent >= budget:
            break
        drawn.append(task)
        for kind, row in ends:
            entry = place.get((row.image, task))
            if entry is None:
                raise UserError(f"'{dataset.name}' has no image '{row.image}' under task '{task}'")
            frozen = dataset.load(entry)
            if row.checksum and frozen.checksum != row.checksum:
                raise UserError(
                    f"image '{row.image}' under task '{task}' of '{dataset.name}' has other pixels "
                    "than at the validation (other files, or another kind of machine); leave the "
                    "pictures out (--no-images)"
                )
            with exact_arithmetic():
                output = restore(for_task(network, task), frozen.lq, frozen.scale, device, how)[0]
            tiles, size = _write_tiles(frozen, output, report / FOLDER, f"{len(examples) + 1:03d}")
            spent += size
            values = dict(row.values)
            before = dict(plain.get((row.image, task), {}))
            examples.append(Example(task, row.image, kind, values, before, tiles, _record(frozen)))
    left = len(chosen) - len(drawn)
    more = [f"{left} of {len(chosen)} tasks are left out, to keep the page small."] if left else []
    gallery = Gallery(dataset.name, metric, iteration, [*notes, *more], examples)
    write_gallery(gallery, report)
    return gallery


def _write_tiles(
    frozen: FrozenImage, output: Tensor, folder: Path, number: str
) -> tuple[list[Tile], int]:
    """Write the pictures of an image; how many bytes they take."""
    scale = frozen.scale
    restored = to_uint8(as_rgb(output))
    lq = to_uint8(as_rgb(frozen.lq[0]))
    larger = to_uint8(as_rgb(imresize(frozen.lq, scale)[0]))
    box = _window(restored, frozen.gt, scale)
    pictures: dict[str, npt.NDArray[Any]] = {
        "LQ": lq[tuple(slice(s.start // scale, s.stop // scale) for s in box)],
        "bicubic": larger[box],
        "restored": restored[box],
    }
    if frozen.gt is not None:
        pictures["HR"] = frozen.gt[box]
        pictures["error"] = error_levels(restored[box], frozen.gt[box])
    tiles, size = [], 0
    for name, picture in pictures.items():
        file = folder / f"{number}_{name.lower()}.png"
        write = _write_palette if name == "error" else write_image
        write(file, np.ascontiguousarray(picture))
        size += file.stat().st_size
        tiles.append(Tile(file.name, name))
    return tiles, size


def error_levels(restored: Image, reference: Image) -> npt.NDArray[np.uint8]:
    """Mean absolute error over the channels, ``[H, W]``; 255 is 64 grey levels and more."""
    error = np.abs(restored.astype(np.float64) - reference).mean(-1)
    return np.asarray((255 * np.clip(error / _ERROR, 0, 1)).round().astype(np.uint8))


def _write_palette(path: Path, levels: npt.NDArray[np.uint8]) -> None:
    """Write an error map, from black to bright, with a palette: a third of the size."""
    from matplotlib import colormaps
    from PIL import Image as Pillow

    picture = Pillow.fromarray(levels, "P")
    colours = colormaps["magma"](np.arange(256))[:, :3]
    picture.putpalette((255 * colours).round().astype(np.uint8).tobytes())
    code = io.BytesIO()
    picture.save(code, "PNG", optimize=True)
    write_atomically(code.getvalue(), path)


def _window(restored: Image, reference: Image | None, scale: int) -> tuple[slice, slice]:
    """Where the mean error is largest, on the grid of LQ pixels; the middle without reference."""
    height, width = restored.shape[:2]
    side = SIDE // scale * scale
    tall, wide = min(side, height // scale * scale), min(side, width // scale * scale)
    tops = range(0, height - tall + 1, scale * max(1, (height - tall) // (16 * scale)))
    lefts = range(0, width - wide + 1, scale * max(1, (width - wide) // (16 * scale)))
    if reference is None:
        top, left = tops[len(tops) // 2], lefts[len(lefts) // 2]
    else:
        error = np.abs(restored.astype(np.float64) - reference).mean(-1)
        sums = np.pad(error.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        _, top, left = max(
            (
                sums[t + tall, le + wide] - sums[t, le + wide] - sums[t + tall, le] + sums[t, le],
                t,
                le,
            )
            for t in tops
            for le in lefts
        )
    return slice(top, top + tall), slice(left, left + wide)


def _record(frozen: FrozenImage) -> dict[str, Any]:
    """The degradation record without what it lacks."""
    if frozen.parameters is None:
        return {}
    (record,) = frozen.parameters.to_json()
    return {name: value for name, value in record.items() if value is not None}
