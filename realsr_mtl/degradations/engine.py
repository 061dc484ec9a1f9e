"""Runs the steps of a pipeline: sample by sample on a CPU, all samples at once elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor

from realsr_mtl.degradations.boxes import Box, Size
from realsr_mtl.degradations.operators import canvas
from realsr_mtl.degradations.operators.canvas import (
    Pixels,
    on_canvas,
    samples,
    side_by_side,
    to_image,
    to_pixels,
)
from realsr_mtl.degradations.operators.quantise import from_bytes, quantise, to_float
from realsr_mtl.degradations.operators.sharpen import (
    REACH,
    THRESHOLD,
    WEIGHT,
    sharpen_pixels,
    usm_sharpen,
)
from realsr_mtl.degradations.steps import Step

Program = Sequence[Step | None]
"""The steps of one sample; None where its record leaves a step of the pipeline out."""


def run(hq: Tensor, programs: Sequence[Program]) -> Tensor:
    """Degrade whole images ``[B, C, H, W]``, float or uint8, to results of one size."""
    if canvas.by_arrays(hq):
        return quantise(torch.stack([to_image(p) for p in side_by_side(_image, hq, programs)]))
    with _float32():
        return quantise(_run_on_canvas(to_float(hq), programs))


def run_on_patches(
    hq: Tensor, programs: Sequence[Program], corners: Tensor, side: int, scale: int, sharpen: bool
) -> tuple[Tensor, Tensor]:
    """Patches of what `run` gives, and the HR patches that belong to them.

    On a CPU nothing is computed but the pixels that a patch depends on: the patch and the reach of
    all filters, resizes and JPEG blocks around it, as far as the image goes.

    Args:
        hq: ``[B, C, H, W]`` float32, or uint8.
        programs: the steps of every sample.
        corners: int64 ``[B, 2]``, top and left pixel of every patch in the LQ image.
        side: of the patch in LQ pixels.
        scale: HR over LQ side.
        sharpen: sharpen the HR image first; the HR patch is sharpened, too.

    Returns:
        LQ ``[B, C, side, side]`` and HR ``[B, C, side * scale, side * scale]``.
    """
    boxes = [Box(top, left, top + side, left + side) for top, left in corners.tolist()]
    if canvas.by_arrays(hq):
        pairs = side_by_side(partial(_patch, scale=scale, sharpen=sharpen), hq, programs, boxes)
        lq, gt = (torch.stack([to_image(pair[i]) for pair in pairs]) for i in (0, 1))
        return quantise(lq), gt.contiguous()
    hq = to_float(hq).contiguous()
    with _float32():
        hq = usm_sharpen(hq) if sharpen else hq
        whole = quantise(_run_on_canvas(hq, programs))
    large = [box.times(scale) for box in boxes]
    return _cut(whole, boxes), _cut(hq, large)


def _image(image: Tensor, program: Program) -> Pixels:
    size = (image.shape[1], image.shape[2])
    return Plan(program, size, None).run(_part(image, Box.whole(size)))


def _patch(
    image: Tensor, program: Program, wanted: Box, scale: int, sharpen: bool
) -> tuple[Pixels, Pixels]:
    size = (image.shape[1], image.shape[2])
    plan = Plan(program, size, wanted)
    large = wanted.times(scale)
    around = plan.boxes[0].union(large)
    if sharpen:
        wide = around.grown(REACH, size)
        pixels = sharpen_pixels(_part(image, wide), wide, size, around, WEIGHT, THRESHOLD)
    else:
        pixels = _part(image, around)
    return plan.run(around.cut(pixels, plan.boxes[0])), around.cut(pixels, large)


class Plan:
    """Which part of every intermediate image one sample needs.

    Attributes:
        boxes: the part of the input of every step, and at the end the wanted part of the result.
    """

    def __init__(self, program: Program, size: Size, wanted: Box | None) -> None:
        self._steps = [step for step in program if step is not None]
        self._sizes = [size]
        for step in self._steps:
            self._sizes.append(step.new_size(self._sizes[-1]))
        self.boxes = [wanted or Box.whole(self._sizes[-1])]
        for step, before in zip(reversed(self._steps), reversed(self._sizes[:-1]), strict=True):
            self.boxes.insert(0, step.needs(self.boxes[0], before))

    def run(self, pixels: Pixels) -> Pixels:
        """From the first box of the HR image to the wanted part of the result."""
        for i, step in enumerate(self._steps):
            pixels = step.on_pixels(pixels, self.boxes[i], self._sizes[i], self.boxes[i + 1])
        return pixels


def _run_on_canvas(hq: Tensor, programs: Sequence[Program]) -> Tensor:
    """Step by step; the samples that take the same kind of step take it together."""
    image, sizes = hq, canvas.whole(hq)
    for steps in zip(*programs, strict=True):
        kinds = list(dict.fromkeys(type(step) for step in steps if step is not None))
        if len(kinds) == 1 and None not in steps:
            image, sizes = kinds[0].on_canvas(steps, image, sizes)
            continue
        done: dict[int, Tensor] = dict(enumerate(samples(image, sizes)))
        for kind in kinds:
            chosen = [i for i, step in enumerate(steps) if type(step) is kind]
            part, own = on_canvas([done[i] for i in chosen])
            part, own = kind.on_canvas([steps[i] for i in chosen], part, own)
            done.update(zip(chosen, samples(part, own), strict=True))
        image, sizes = on_canvas([done[i] for i in range(len(steps))])
    return image


def _part(image: Tensor, box: Box) -> Pixels:
    """A part of ``[C, H, W]``, uint8 or float, as an array."""
    part = image[:, box.top : box.bottom, box.left : box.right]
    if part.dtype == torch.uint8:
        return from_bytes(part.permute(1, 2, 0).contiguous().numpy())
    return to_pixels(part)


def _cut(images: Tensor, boxes: Sequence[Box]) -> Tensor:
    parts = zip(images, boxes, strict=True)
    return torch.stack([i[:, b.top : b.bottom, b.left : b.right] for i, b in parts])


@contextmanager
def _float32() -> Iterator[None]:
    """Full float32 and no autocast, whatever the network around it uses."""
    convolutions, products = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with torch.autocast("cuda", enabled=False):
            yield
    finally:
        torch.backends.cudnn.allow_tf32 = convolutions
        torch.backends.cuda.matmul.allow_tf32 = products
