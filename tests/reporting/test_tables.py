from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from realsr_mtl.reporting.tables import Row, format_table, metric_names, summarise, write_csv

BETTER = {"psnr": "higher", "lpips": "lower"}


def _rows(*values: tuple[float, float], network: str = "net_g") -> list[Row]:
    return [
        {
            "iter": 5,
            "dataset": "set",
            "task": f"t{i}",
            "network": network,
            "images": 4,
            "psnr": psnr,
            "lpips": lpips,
        }
        for i, (psnr, lpips) in enumerate(values)
    ]


def test_summary_knows_which_end_is_worst() -> None:
    summary = summarise(_rows((20, 0.5), (26, 0.1)), BETTER)
    assert summary["mean"] == {"psnr": 23, "lpips": 0.3}
    assert summary["worst"] == {"psnr": 20, "lpips": 0.5}
    assert summary["spread"]["psnr"] == 3
    assert summary["spread"]["lpips"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("published", "average"),
    [((27.94, 34.90, 33.92, 31.26, 28.00), 31.20), ((29.31, 28.83, 30.17), 29.44)],
)
def test_the_mean_is_the_average_of_published_tables(
    published: tuple[float, ...], average: float
) -> None:
    """AirNet on five tasks, TransWeather on three: the tasks count equally."""
    mean = summarise(_rows(*((psnr, 0) for psnr in published)), BETTER)["mean"]["psnr"]
    assert round(mean, 2) == average


def test_infinite_values_do_not_break_the_summary() -> None:
    summary = summarise(_rows((math.inf, 0), (26, 0.1)), BETTER)
    assert summary["mean"]["psnr"] == math.inf
    assert math.isnan(summary["spread"]["psnr"])


def test_table_shows_tasks_summary_and_difference_to_the_baseline() -> None:
    text = format_table(
        _rows((20, 0.5), (26, 0.1)), BETTER, _rows((21, 0.5), (24, 0.2), network="bicubic")
    )
    lines = text.splitlines()
    assert lines[0].split() == ["task", "images", "psnr", "lpips"]
    assert lines[2].split() == ["t0", "4", "20.0000", "(-1.0000)", "0.5000", "(+0.0000)"]
    assert lines[-3].split() == ["mean", "23.0000", "(+0.5000)", "0.3000", "(-0.0500)"]
    assert [line.split()[0] for line in lines[-2:]] == ["worst", "spread"]
    assert len({len(line) for line in (lines[0], lines[1], lines[2], lines[3])}) == 1


def test_csv_has_the_columns_of_the_json_lines(tmp_path: Path) -> None:
    rows = _rows((20, 0.5), (26.123456789012345, 0.1))
    write_csv(tmp_path / "m.csv", rows)
    with (tmp_path / "m.csv").open() as file:
        read = list(csv.DictReader(file))
    assert list(read[0]) == ["iter", "dataset", "task", "network", "images", "psnr", "lpips"]
    assert float(read[1]["psnr"]) == rows[1]["psnr"]
    assert metric_names(rows) == ["psnr", "lpips"]
