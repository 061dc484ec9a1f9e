from __future__ import annotations

from pathlib import Path

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.reporting.curves import COLOURS
from realsr_mtl.reporting.figures import (
    draw_heat_maps,
    save_small,
    small_figure,
    validation_columns,
)
from realsr_mtl.reporting.tables import Row


def _row(iteration: int | None, task: str, psnr: float | None, dataset: str = "set") -> Row:
    return {
        "iter": iteration,
        "dataset": dataset,
        "task": task,
        "network": "bicubic" if iteration is None else "net_g",
        "images": 2,
        "psnr": psnr,
        "ssim": 0.5,
    }


def test_one_picture_per_data_set_with_the_colours_of_the_values(tmp_path: Path) -> None:
    rows = [_row(None, "a", 20.0), _row(None, "b", 25.0), _row(10, "a", 22.0), _row(10, "b", None)]
    files = draw_heat_maps([*rows, _row(10, "a", 1.0, "other")], tmp_path / "report")
    assert [f.name for f in files] == ["validation_set.png", "validation_other.png"]
    picture = cv2.imread(str(files[0]))
    assert min(picture.shape[:2]) > 100
    colours = picture.reshape(-1, 3)
    for bgr in ((84, 1, 68), (37, 231, 253)):  # both ends of viridis: the lowest, the highest value
        assert (abs(colours.astype(int) - bgr).max(1) <= 2).any()


def test_a_palette_keeps_the_colours_of_thin_lines(tmp_path: Path) -> None:
    figure, axes = small_figure()
    for number, colour in enumerate(COLOURS):
        axes.plot([0, 1], [number, number], color=colour, linewidth=1.8)
    save_small(figure, tmp_path / "new/lines.png")
    pixels = cv2.imread(str(tmp_path / "new/lines.png")).reshape(-1, 3).astype(int)
    for colour in COLOURS:
        bgr = [int(colour[i : i + 2], 16) for i in (5, 3, 1)]
        assert abs(pixels - bgr).max(1).min() <= 8, colour


def test_many_validations_are_thinned_out_but_the_last_is_shown() -> None:
    rows = [_row(None, "a", 1.0), *(_row(i, "a", 2.0) for i in range(5, 505, 5))]
    columns = validation_columns(rows)
    assert len(columns) == 13
    assert columns[0] == (True, None)
    assert columns[-1] == (False, 500)
