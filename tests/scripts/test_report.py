from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from realsr_mtl.training import train
from tests._options import arguments, write_options
from tests.scripts import load_script

SCRIPT = load_script("report")


@pytest.fixture
def _trained(make_images: Callable[..., Path]) -> None:
    make_images("hr", count=5, size=(48, 56))
    make_images("val", count=3, size=(40, 48), first=20)
    write_options()
    assert train(arguments("train:total_iter=3")) == 0


@pytest.mark.usefixtures("_trained")
def test_the_examples_are_those_that_were_scored(capsys: pytest.CaptureFixture[str]) -> None:
    assert SCRIPT.main(["experiments/tiny"]) == 0
    assert "index.html (" in capsys.readouterr().out
    text = Path("experiments/tiny/report/index.html").read_text()
    assert text.count("Degradation record") == 4
    assert "Worst: img_02" in text and "(bicubic " in text
    assert "were not kept" not in text
    for folder in ("experiments/tiny/models/net_g_3.pth",):
        Path(folder).unlink()
    assert SCRIPT.main(["experiments/tiny"]) == 0
    assert "were not kept" in Path("experiments/tiny/report/index.html").read_text()


@pytest.mark.usefixtures("_trained")
def test_without_weights_there_is_a_report_without_images(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for file in Path("experiments/tiny/models").iterdir():
        file.unlink()
    assert SCRIPT.main(["experiments/tiny"]) == 2
    assert "leave the pictures out (--no-images)" in capsys.readouterr().err
    assert SCRIPT.main(["experiments/tiny", "--no-images"]) == 0
    assert 'id="examples"' not in Path("experiments/tiny/report/index.html").read_text()


@pytest.mark.usefixtures("_trained")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--dataset", "other"], "holds no scores of single images of 'other'"),
        (["--metric", "lpips"], "no image of 'val' has a score called 'lpips'"),
    ],
)
def test_mistakes_are_one_sentence(
    options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SCRIPT.main(["experiments/tiny", *options]) == 2
    assert sentence in capsys.readouterr().err


def test_a_folder_without_a_run_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert SCRIPT.main(["nothing"]) == 2
    assert "'nothing' is no folder of train.py or test.py" in capsys.readouterr().err
