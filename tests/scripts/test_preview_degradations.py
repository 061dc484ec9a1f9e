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


def _captions(kind: str, count: int = 200, **options: float) -> tuple[list[str], list[dict]]:
    sampler = SAMPLERS.build({"type": kind, **options}, 4)
    records = sampler.sample(torch.arange(count), RandomStreams(0))
    return SCRIPT.captions(records, (64, 48)), records.to_json()


@pytest.mark.parametrize("kind", ["RealESRGAN", "Gated"])
def test_captions_name_what_was_drawn(kind: str) -> None:
    for text, record in zip(*_captions(kind), strict=True):
        assert "nan" not in text.lower() and "None" not in text
        scale, quality = record["resize_scale1"], record["jpeg_quality2"]
        assert ("no resize" if scale is None else f"x{scale:.2f}") in text
        assert ("no JPEG" if quality is None else f"JPEG {quality:.0f}") in text
        if record["gaussian_sigma2"] == 0:
            assert "no noise" in text
        assert ("Poisson" in text) == (1 in (record["noise_type1"], record["noise_type2"]))
        sinc = text.splitlines()[-1].find("sinc")
        assert (sinc < text.splitlines()[-1].find("JPEG")) == (record["final_order"] == 0)


def test_captions_of_other_spaces_list_the_steps() -> None:
    for text, record in zip(*_captions("BSRGAN"), strict=True):
        words = text.replace("\n", " ")
        assert words.endswith(f"JPEG {record['jpeg_quality2']:.0f}")
        assert ("correlated" in words) == (record["noise_type"] == 2)
        assert max(map(len, text.splitlines())) <= 36
    (text,), _ = _captions("FirstOrder", 1, kernel_range=[9], blur_sigma=[2, 2])
    assert text.startswith("blur 9 px, MATLAB bicubic to 16x12,")
    (text,), _ = _captions("FirstOrder", 1, downscale="s-fold")
    assert "1 pixel in 4" in text
    assert _captions("Classical", 1)[0] == ["MATLAB bicubic to 16x12"]
    (text,), _ = _captions("AllInOne", 1, kinds=["noise15"])
    assert text == "MATLAB bicubic to 16x12, Gauss 15.0,\ntruncate"


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
