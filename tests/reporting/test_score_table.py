from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.reporting.score_table import check_same_images, score_table
from realsr_mtl.reporting.scores import ImageRow
from tests.reporting._runs import image_scores

ROWS = image_scores()


def test_the_table_is_seeds_by_images_by_tasks() -> None:
    table = score_table("x", "psnr", {"0": ROWS, "1": image_scores(1.0)})
    assert table.values.shape == (2, 12, 2)
    assert table.seeds == ("0", "1")
    assert table.tasks == ("mild", "hard")
    assert table.values[0, 3, 1] == ROWS[7].values["psnr"]
    assert table.task_means[0, 0] == pytest.approx(np.mean([r.values["psnr"] for r in ROWS[::2]]))
    assert table.present.all()


def test_an_image_may_belong_to_one_task_only() -> None:
    rows = [ImageRow("a", "rain", "1", {"psnr": 20}), ImageRow("b", "haze", "2", {"psnr": 30})]
    table = score_table("x", "psnr", {"0": rows})
    assert table.present.tolist() == [[True, False], [False, True]]
    assert table.task_means.tolist() == [[20, 30]]


def test_order_does_not_matter_but_pixels_and_images_do() -> None:
    check_same_images({"a": ROWS, "b": ROWS[::-1]})
    with pytest.raises(UserError, match=r"'a' was scored on image 'img11' .*'hard', 'b' was not"):
        check_same_images({"a": ROWS, "b": ROWS[:-1]})
    with pytest.raises(UserError, match=r"'b' was scored on image 'img11' .*'hard', 'a' was not"):
        check_same_images({"a": ROWS[:-1], "b": ROWS})
    other = [*ROWS[:-1], ImageRow("img11", "hard", "changed", ROWS[-1].values)]
    with pytest.raises(UserError, match="'hard' has other pixels in 'b' than in 'a'"):
        check_same_images({"a": ROWS, "b": other})
    with pytest.raises(UserError, match="'a' has two scores of 'img0'"):
        check_same_images({"a": [*ROWS, ROWS[0]]})


def test_tables_of_equal_images_line_up_whatever_the_order() -> None:
    one = score_table("x", "psnr", {"0": ROWS, "1": ROWS[::-1]})
    assert (one.values[0] == one.values[1]).all()


@pytest.mark.parametrize("value", [{}, {"psnr": float("inf")}, {"psnr": float("nan")}])
def test_scores_without_a_mean_are_refused(value: dict[str, float]) -> None:
    with pytest.raises(UserError, match="the psnr of image 'a' under task 't' of 'x' is"):
        score_table("x", "psnr", {"0": [ImageRow("a", "t", "1", value)]})
