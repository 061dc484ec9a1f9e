"""Published sets of restoration by their names, in the layouts they are kept in."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from pydantic import Field

from realsr_mtl.data.dataset import DATASETS, ImageDataset, ImageSample
from realsr_mtl.data.layouts import LAYOUTS, Layout, Naming, SetName
from realsr_mtl.data.noisy import NoisyImages
from realsr_mtl.data.pairs import PairedImages
from realsr_mtl.errors import UserError

_logger = logging.getLogger(__name__)


@DATASETS.register()
class PublishedSet(ImageDataset):
    """A published set of pairs at full size, with its tasks and its known number of images.

    Layouts are those of AirNet and PromptIR (noise, rain, haze) and of TransWeather (weather);
    GoPro (Nah et al., CVPR 2017) and LOL (Wei et al., BMVC 2018) lie as they were released. For
    other layouts there is `PairedImages`. Another number of images than published is reported, no
    error. Uncertain: the numbers of GoPro, LOL, RainDrop, SOTS, BSD68, Urban100 and Rain100L are
    those that papers quote, not counted; and the HR images of Outdoor_Rain and RainDrop_A are in
    use both under their original names and under those of the LQ images: either is taken.

    Tasks: noise and the level (noise25), rain, haze, blur, low_light; raindrop, rain_fog and snow
    of AllWeather (by file name) and of its three test sets.

    Args:
        set: for training BSD400_WED (clean images for noise), Rain100L_train, OTS (of RESIDE),
            GoPro_train, LOL_train, AllWeather; for tests BSD68 and Urban100 (noise), Rain100L, SOTS
            (outdoor), GoPro, LOL, Snow100K_L, Outdoor_Rain (Test1), RainDrop_A.
        dataroot: the folder above the layout; several sets may share it. datasets/README.md shows
            what lies below.
        sigma: standard deviation of the noise in grey levels of 255; for BSD400_WED, BSD68 and
            Urban100 only.
        cache: keep decoded images in memory.
    """

    has_gt, has_lq = True, True

    def __init__(
        self,
        scale: int,
        *,
        set: SetName,
        dataroot: str,
        sigma: Annotated[float | None, Field(gt=0)] = None,
        cache: bool = False,
    ) -> None:
        if scale != 1:
            raise ValueError(f"restoration keeps the size; scale is 1, not {scale}")
        layout = LAYOUTS[set]
        if sigma is None and layout.lq is None:
            raise ValueError(f"{set} is a set of clean images; give the level of the noise, sigma")
        if sigma is not None and layout.lq is not None:
            raise ValueError(f"{set} has LQ images of its own; leave out sigma")
        try:
            self._images = _noisy_or_paired(layout, Path(dataroot), sigma, cache)
        except UserError as error:
            raise UserError(
                f"{set}: {error}; the layout below '{dataroot}' is {layout.picture}"
            ) from None
        self.names, self.tasks = self._images.names, self._images.tasks
        if len(self) != layout.count:
            _logger.warning(
                "%s has %s images in '%s'; %s are published",
                set,
                f"{len(self):,}",
                Path(dataroot, layout.lq or layout.gt),
                f"{layout.count:,}",
            )

    def task(self, position: int) -> int:
        """The task of a pair."""
        return self._images.task(position)

    def load(self, position: int) -> ImageSample:
        """Read a pair, or a clean image that gets noise."""
        return self._images.load(position)

    def gt_sources(self) -> set[str]:
        """Where the HR images come from."""
        return self._images.gt_sources()

    def preload(self) -> None:
        """Fill the caches."""
        self._images.preload()


def _noisy_or_paired(layout: Layout, root: Path, sigma: float | None, cache: bool) -> ImageDataset:
    gt = str(root / layout.gt)
    if layout.lq is None:
        assert sigma is not None
        return NoisyImages(1, sigma=sigma, dataroot_gt=gt, cache=cache)

    def paired(naming: Naming) -> PairedImages:
        assert layout.lq is not None
        return PairedImages(
            1,
            dataroot_gt=gt,
            dataroot_lq=str(root / layout.lq),
            gt_of=naming,
            task=layout.task,
            task_rule=None if layout.task else "allweather",
            cache=cache,
        )

    *others, last = layout.namings
    for naming in others:
        try:
            return paired(naming)
        except UserError:
            continue  # the next naming, then
    return paired(last)
