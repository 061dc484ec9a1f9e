"""The data set of HR and LQ image pairs."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from realsr_mtl.data.dataset import DATASETS, CachedReader, ImageDataset, ImageSample
from realsr_mtl.data.folders import check_backend
from realsr_mtl.data.labels import label_files
from realsr_mtl.data.lists import read_pairs
from realsr_mtl.data.reading import ImageError, Pixels
from realsr_mtl.data.storage import Storage, listed_files, open_storage
from realsr_mtl.errors import UserError


@DATASETS.register(aliases=["PairedImageDataset", "RealESRGANPairedDataset"])
class PairedImages(ImageDataset):
    r"""HR and LQ images paired by name, whatever their endings.

    Args:
        dataroot_gt: HR folder or .lmdb folder.
        dataroot_lq: LQ folder or .lmdb folder.
        meta_info_file: text file that lists the HR images to use.
        meta_info: the same, or Real-ESRGAN's list of pairs: lines like ``gt/a.png, lq/a.png`` below
            the two roots.
        filename_tmpl: LQ name from the HR name, e.g. '{}x4'.
        gt_of: HR name from the LQ name, where several LQ images share an HR image: a regular
            expression and its replacement, on paths below the roots without ending, e.g.
            ``['.*?(\d+)_[^/]*$', '\1']`` for RESIDE or ``['rain-', 'norain-']`` for Rain100L. Where
            both roots are one folder, the images whose name it changes are the LQ images, e.g.
            ``['/blur/', '/sharp/']`` for GoPro.
        task: the task that all pairs belong to.
        task_rule: the task of each pair from its LQ file: folder (the first folder below the
            root), allweather (the rule of that set), or a list of ``{task: snow, ends: .jpg}`` and
            ``{task: rain, starts: im}``, of which the first that fits counts.
        io_backend: BasicSR's key; the ending of the folder decides.
        cache: keep decoded images in memory.
    """

    has_gt, has_lq = True, True

    def __init__(
        self,
        scale: int,
        *,
        dataroot_gt: str,
        dataroot_lq: str,
        meta_info_file: str | None = None,
        meta_info: str | None = None,
        filename_tmpl: str = "{}",
        gt_of: tuple[str, str] | None = None,
        task: str | None = None,
        task_rule: Literal["folder", "allweather"] | list[dict[str, str]] | None = None,
        io_backend: dict[str, Any] | None = None,
        cache: bool = False,
    ) -> None:
        check_backend(io_backend)
        self._scale = scale
        listing = meta_info_file or meta_info
        pairs = read_pairs(Path(meta_info)) if meta_info else None
        if gt_of and (pairs or listing or filename_tmpl != "{}"):
            raise ValueError("gt_of names the HR images; leave out filename_tmpl and lists")
        if pairs is not None:
            gt: Storage = listed_files(Path(dataroot_gt), [g for g, _ in pairs], str(meta_info))
            lq: Storage = listed_files(Path(dataroot_lq), [q for _, q in pairs], str(meta_info))
            self._items = [(i, i) for i in range(len(pairs))]
        else:
            gt, lq = open_storage(dataroot_gt, listing), open_storage(dataroot_lq)
            if gt_of:
                one_root = Path(dataroot_gt) == Path(dataroot_lq)
                self._items = _with_shared_references(gt.names, lq.names, *gt_of, one_root)
            else:
                self._items = _pair(gt.names, lq.names, filename_tmpl, listing is None)
        self._gt, self._lq = CachedReader(gt, cache), CachedReader(lq, cache)
        self.names = [lq.names[own] if gt_of else gt.names[hr] for hr, own in self._items]
        if task and task_rule:
            raise ValueError("the task is given by 'task' or by 'task_rule', not both")
        self._labels = [0] * len(self.names)
        if task:
            self.tasks = [task]
        elif task_rule:
            files = [Path(lq.source(own)) for _, own in self._items]
            self.tasks, self._labels = label_files(files, Path(dataroot_lq), task_rule)

    def task(self, position: int) -> int:
        """The task of a pair."""
        return self._labels[position]

    def load(self, position: int) -> ImageSample:
        """Read a pair; an HR image larger by less than the scale is cut to fit."""
        reference, own = self._items[position]
        gt, lq = self._gt.read(reference), self._lq.read(own)
        height, width = lq.shape[0] * self._scale, lq.shape[1] * self._scale
        slack = gt.shape[0] - height, gt.shape[1] - width
        if not all(0 <= s < self._scale for s in slack):
            raise ImageError(
                f"'{self._gt.storage.source(reference)}' is {gt.shape[1]} x {gt.shape[0]} but "
                f"x{self._scale} its LQ image is {width} x {height}"
            )
        return ImageSample(self.names[position], _cut(gt, height, width), lq)

    def preload(self) -> None:
        """Fill the caches."""
        self._gt.preload()
        self._lq.preload()


def _with_shared_references(
    gt: list[str], lq: list[str], pattern: str, replacement: str, one_root: bool
) -> list[tuple[int, int]]:
    """Positions of the HR image of every LQ image, and its own.

    In one root with the HR images, the LQ images are those that have another name than theirs.
    """
    try:
        wanted = [re.sub(pattern, replacement, name) for name in lq]
    except re.error as error:
        raise ValueError(f"gt_of '{pattern}' is no regular expression: {error}") from None
    position = {name: i for i, name in enumerate(gt)}
    items = []
    for own, (name, reference) in enumerate(zip(lq, wanted, strict=True)):
        if one_root and reference == name:
            continue
        if reference not in position:
            raise UserError(
                f"the LQ image '{name}' asks for an HR image '{reference}', which is not there; "
                f"gt_of replaces '{pattern}' by '{replacement}'"
            )
        items.append((position[reference], own))
    if not items:
        raise UserError(
            f"gt_of '{pattern}' changes no name (e.g. '{lq[0]}'); where LQ and HR images share a "
            "folder, it tells them apart"
        )
    return items


def _pair(gt: list[str], lq: list[str], template: str, all_lq: bool) -> list[tuple[int, int]]:
    """Positions of every HR image and its partner; linear in the number of files."""
    if template.count("{}") != 1:
        raise ValueError(f"filename_tmpl '{template}' must hold '{{}}' once")
    position = {name: i for i, name in enumerate(lq)}
    wanted = []
    for name in gt:
        path = PurePosixPath(name)
        wanted.append(path.with_name(template.replace("{}", path.name)).as_posix())
    lonely_gt = [g for g, w in zip(gt, wanted, strict=True) if w not in position]
    lonely_lq = sorted(set(lq) - set(wanted)) if all_lq else []
    if lonely_gt or lonely_lq:
        parts = [
            f"{len(names)} {side} without partner (e.g. {', '.join(names[:3])})"
            for side, names in (("HR images", lonely_gt), ("LQ images", lonely_lq))
            if names
        ]
        raise UserError(
            f"folders do not pair up: {' and '.join(parts)}; filename_tmpl '{template}' makes the "
            "LQ name from the HR name"
        )
    return [(reference, position[name]) for reference, name in enumerate(wanted)]


def _cut(image: Pixels, height: int, width: int) -> Pixels:
    return image[:height, :width]
