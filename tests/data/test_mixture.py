from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realsr_mtl.data import DATASETS, Mixture

Make = Callable[..., Path]


@pytest.fixture
def sets(make_images: Make) -> list[dict[str, Any]]:
    for name, count in (("rain", 2), ("haze", 3), ("more", 1)):
        make_images(f"{name}/gt", count=count, size=(40, 48))
        make_images(f"{name}/lq", count=count, size=(40, 48), first=0)
    return [
        {"type": "PairedImages", "task": task, "dataroot_gt": f"{f}/gt", "dataroot_lq": f"{f}/lq"}
        for f, task in (("rain", "rain"), ("haze", "haze"), ("more", "rain"))
    ]


def build(sets: list[dict[str, Any]], **options: Any) -> Mixture:
    images = DATASETS.build({"type": "Mixture", "sets": sets, **options}, 1)
    assert isinstance(images, Mixture)
    return images


def counts(images: Mixture) -> dict[str, int]:
    labels = [images.tasks[images.task(i)] for i in range(len(images))]
    return {task: labels.count(task) for task in images.tasks}


def test_sets_of_one_task_are_put_together(sets: list[dict[str, Any]]):
    images = build(sets)
    assert counts(images) == {"rain": 3, "haze": 3}
    assert len(set(images.names)) == 6
    assert len(images.gt_sources()) == 6
    seen = [images.load(i) for i in range(6)]
    assert [sample.name for sample in seen] == list(images.names)
    other = DATASETS.build(sets[1], 1).load(2)
    assert np.array_equal(seen[5].gt, other.gt) and np.array_equal(seen[5].lq, other.lq)


def test_sets_are_repeated_and_tasks_balanced(sets: list[dict[str, Any]]):
    sets[2]["repeat"] = 7
    assert counts(build(sets)) == {"rain": 9, "haze": 3}
    images = build(sets, balance=True)
    assert counts(images) == {"rain": 9, "haze": 9}
    haze = [images.load(i).gt.tobytes() for i in range(9, 18)]
    assert haze[:3] * 3 == haze and len(set(haze)) == 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"repeat": 0}, "repeat must be a whole number of at least 1"),
        ({"type": "PairedImage"}, "sets:0:type: no data set is called"),
        ({"dataroot_gt": "nowhere"}, "nowhere"),
        ({"dataroot": "x"}, "sets:0:dataroot: unknown key"),
    ],
)
def test_wrong_sets_are_named(sets: list[dict[str, Any]], change: dict[str, Any], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        build([sets[0] | change])


def test_sets_without_pairs_are_refused(sets: list[dict[str, Any]]):
    with pytest.raises(ValueError, match="set 0 of the mixture has no pairs"):
        build([{"type": "ImageFolder", "dataroot_gt": "rain/gt"}])
    with pytest.raises(ValueError, match="at least one set"):
        build([])
