from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from realsr_mtl.reporting.comparison import compare
from realsr_mtl.reporting.verdict import caveats, verdict
from tests.reporting._runs import table

TASKS = ("mild", "hard", "odd")


def _compare(gain, *, images: int = 40, seeds: int = 5, noise: float = 0.05, metric: str = "psnr"):
    rng = np.random.default_rng(5)
    base = rng.normal(25, 3, (1, images, len(gain))) + np.zeros((seeds, 1, 1))
    own = base + np.array(gain) + noise * rng.normal(0, 1, base.shape)
    tables = [table("base", base, TASKS[: len(gain)]), table("own", own, TASKS[: len(gain)])]
    return compare(
        tables, metric=metric, dataset="v", better="higher", masses=None, replicates=1000
    )


def _say(*arguments, **options) -> str:
    comparison = _compare(*arguments, **options)
    return verdict(comparison, comparison.differences[0])


def test_a_run_against_itself() -> None:
    assert _say((0, 0, 0), noise=0.0) == (
        "No difference: every psnr of own equals that of base, on 40 images in 3 tasks."
    )


@pytest.mark.parametrize(
    ("gain", "parts"),
    [
        ((0.5, 0.4, 0.3), ["own is better than base on average by 0.", "and on each of the 3"]),
        ((0.5, -0.3, 0.4), ["own is better", "but harms \'hard\' (-0.", "2 of 3 tasks are"]),
        ((-0.5, -0.4, -0.3), ["own is worse than base on average by 0.", "each of the 3 tasks"]),
        ((-0.5, 0.3, -0.4), ["own is worse", "but improves 'hard'", "2 of 3 tasks are harmed"]),
        ((0.3, -0.3, 0), ["Not decided with these 40 images and 5 seeds", "But it improves 'mild'",
                          "and it harms 'hard'"]),
        ((0.5,), ["own is better than base on average by 0.", " dB ["]),
    ],
)  # fmt: skip
def test_better_worse_and_at_whose_cost(gain: tuple[float, ...], parts: list[str]) -> None:
    text = _say(gain)
    for part in parts:
        assert part in text
    assert text.endswith(".") and ".." not in text


def test_undecided_says_how_large_a_difference_may_still_be() -> None:
    text = _say((0.001, -0.001, 0.0), noise=0.5, images=20)
    assert text.startswith(
        "Not decided with these 20 images and 5 seeds: on average over the tasks own"
    )
    assert "a difference of the mean beyond 0." in text
    assert text.endswith("No single task is decided either.")


def test_one_image_decides_nothing() -> None:
    assert "a single image gives no interval" in _say((1.0, 1.0), images=1)


@pytest.mark.parametrize("metric", ["psnr", "ssim"])
def test_only_psnr_is_in_db(metric: str) -> None:
    assert (" dB" in _say((1.0, 1.0, 1.0), metric=metric)) is (metric == "psnr")


def test_a_loss_of_size_is_named_without_its_sign() -> None:
    text = _say((-0.5,))
    inside = text.partition("[")[2].partition("]")[0]
    low, high = map(float, inside.split(","))
    assert 0 < low < 0.5 < high


def test_what_has_to_be_kept_in_mind() -> None:
    find = partial("\n".join)
    few = find(caveats(_compare((0.1, 0.1, 0.1), images=4, seeds=1)))
    assert "4 images: with fewer than 10 the intervals rest on" in few
    assert "One run each (own)" in few
    assert "Of 3 tasks without any difference, 0.2 would" in few
    several = find(caveats(_compare((0.1, 0.1, 0.1), seeds=2)))
    assert "2 seeds: the intervals allow for other seeds" in several
    assert "images: with" not in several
    assert caveats(_compare((0, 0, 0), noise=0.0)) == []


def test_other_seeds_are_mentioned() -> None:
    base = np.random.default_rng(5).normal(25, 3, (2, 20, 2))
    own = table("own", base + 0.1)
    other = type(own)("own", ("3", "4"), own.images, own.tasks, own.values)
    options = {"metric": "psnr", "dataset": "v", "better": "higher", "masses": None}
    found = compare([table("base", base), other], replicates=300, **options)
    assert any("have other seeds than those of base" in text for text in caveats(found))
