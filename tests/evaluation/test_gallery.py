from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from realsr_mtl.archs import build_network
from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.data import ImageFolder
from realsr_mtl.degradations import SAMPLERS
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation import Evaluator, Inference
from realsr_mtl.evaluation.evaluator import image_rows
from realsr_mtl.evaluation.frozen import EvaluationSet
from realsr_mtl.evaluation.gallery import choose, draw_gallery, error_levels
from realsr_mtl.metrics import PSNR
from realsr_mtl.processes import Processes
from realsr_mtl.reporting.gallery import Gallery, read_gallery
from realsr_mtl.reporting.scores import ImageRow
from realsr_mtl.tasks import TASK_SETS
from tests._options import CUTS

NETWORK = build_network({"type": "SRVGGNetCompact", "num_feat": 4, "num_conv": 1}, 4, 0).eval()


def _set(folder: Path) -> EvaluationSet:
    sampler = SAMPLERS.build({"type": "RealESRGAN"}, 4)
    tasks = TASK_SETS.build({"type": "Partition", "cuts": CUTS}, sampler)
    return EvaluationSet("set", ImageFolder(4, dataroot_gt=str(folder)), 4, tasks)


def _draw(dataset: EvaluationSet, rows: list[ImageRow], **options: object) -> Gallery:
    return draw_gallery(
        dataset,
        NETWORK,
        torch.device("cpu"),
        Inference(),
        choose(rows, "psnr", "higher"),
        [],
        Path("report"),
        metric="psnr",
        iteration=9,
        **options,
    )


@pytest.fixture
def dataset(make_images: Callable[..., Path]) -> EvaluationSet:
    return _set(make_images("hr", count=3, size=(160, 200)))


def _rows(dataset: EvaluationSet) -> list[ImageRow]:
    evaluator = Evaluator([dataset], {"psnr": PSNR()}, Processes(), progress=False)
    return image_rows(evaluator.score_network(NETWORK))["set"]


def test_worst_and_best_follow_the_direction_of_the_metric() -> None:
    rows = [ImageRow(n, "t", "", {"psnr": v}) for n, v in (("a", 2.0), ("b", 1.0), ("c", 3.0))]
    rows.append(ImageRow("d", "alone", "", {"psnr": 1.0}))
    names = {
        better: {t: [(k, r.image) for k, r in e] for t, e in choose(rows, "psnr", better).items()}
        for better in ("higher", "lower")
    }
    assert names["higher"] == {"t": [("worst", "b"), ("best", "c")], "alone": [("only", "d")]}
    assert names["lower"]["t"] == [("worst", "c"), ("best", "b")]
    assert choose(rows, "lpips", "lower") == {}


def test_pictures_show_the_same_window_where_the_error_is_largest(dataset: EvaluationSet) -> None:
    gallery = _draw(dataset, _rows(dataset))
    assert read_gallery(Path("report")) == gallery
    assert [(e.task, e.kind) for e in gallery.examples] == [
        ("mild", "worst"), ("mild", "best"), ("noise2", "worst"), ("noise2", "best"),
    ]  # fmt: skip
    example = gallery.examples[0]
    assert [tile.name for tile in example.tiles] == ["LQ", "bicubic", "restored", "HR", "error"]
    assert example.record["resize_scale1"] > 0
    files = [Path("report/images") / tile.file for tile in example.tiles]
    shapes = [cv2.imread(str(file)).shape for file in files]
    assert shapes == [(32, 32, 3), *[(128, 128, 3)] * 4]
    entry = next(i for i in range(len(dataset)) if dataset.describe(i) == (example.image, "mild"))
    hr = cv2.imread(str(files[3]))[..., ::-1]
    gt = dataset.load(entry).gt
    assert gt is not None
    windows = np.lib.stride_tricks.sliding_window_view(gt, (128, 128, 3))[::4, ::4, 0]
    assert any((w == hr).all() for row in windows for w in row)


def test_the_budget_leaves_tasks_out_and_says_so(dataset: EvaluationSet) -> None:
    gallery = _draw(dataset, _rows(dataset), budget=1, notes=["First."])
    assert {e.task for e in gallery.examples} == {"mild"}
    assert gallery.notes == ["First.", "1 of 2 tasks are left out, to keep the page small."]


def test_other_pixels_than_those_scored_are_refused(dataset: EvaluationSet) -> None:
    rows = [replace(row, checksum="other") for row in _rows(dataset)]
    with pytest.raises(UserError, match="has other pixels than at the validation"):
        _draw(dataset, rows)
    rows = [replace(row, image="gone") for row in rows]
    with pytest.raises(UserError, match="'set' has no image 'gone' under task 'mild'"):
        _draw(dataset, rows)


def test_the_error_is_clipped_at_64_levels() -> None:
    reference = np.zeros((1, 3, 3), np.uint8)
    restored = reference.copy()
    restored[0, 1] = 32
    restored[0, 2] = 200
    assert error_levels(restored, reference).tolist() == [[0, 128, 255]]
