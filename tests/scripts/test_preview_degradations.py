from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.degradations import SAMPLERS, RandomStreams
from tests._options import TINY, write_options
from tests.scripts import load_script

SCRIPT = load_script("preview_degradations")


def test_a_row_for_each_task_and_a_column_for_each_sample(make_images: Callable[..., Path]) -> None:
    make_images("hr", count=3)
    write_options()
    sizes = []
    for samples in (2, 4):
        arguments = ["-opt", "tiny.yml", "--samples", str(samples), "--size", "48"]
        assert SCRIPT.main([*arguments, "--output", f"{samples}.png"]) == 0
        sizes.append(cv2.imread(f"{samples}.png").shape)
    assert sizes[1][1] > 1.7 * sizes[0][1]
    assert sizes[0][0] == sizes[1][0]


def test_captions_name_what_was_drawn() -> None:
    sampler = SAMPLERS.build({"type": "RealESRGAN"}, 4)
    records = sampler.sample(torch.arange(200), RandomStreams(0)).to_json()
    for record in records:
        text = SCRIPT.caption(record)
        assert "nan" not in text.lower()
        assert f"x{record['resize_scale1']:.2f}" in text
        assert f"JPEG {record['jpeg_quality2']:.0f}" in text
        assert ("Gauss" in text) == (0 in (record["noise_type1"], record["noise_type2"]))
    classical = SAMPLERS.build({"type": "Classical"}, 4).sample(torch.arange(1), RandomStreams(0))
    assert SCRIPT.caption(classical.to_json()[0]) == "resize_scale 0.25"


@pytest.mark.parametrize(
    ("overrides", "arguments", "sentence"),
    [
        ({}, ["--size", "30"], "multiple of scale 4"),
        ({"degradation": None, "tasks": None}, [], "no 'degradation' block"),
        (
            {"datasets": {"val": TINY["datasets"]["val"] | {"dataroot_gt": "no"}}},
            [],
            "'no' does not",
        ),
    ],
)
def test_mistakes_end_in_a_sentence(
    overrides: dict[str, object],
    arguments: list[str],
    sentence: str,
    make_images: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_images("hr")
    write_options(**overrides)
    assert SCRIPT.main(["-opt", "tiny.yml", *arguments]) == 2
    assert sentence in capsys.readouterr().err
