from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realsr_mtl.data.reading import decode_as_is
from realsr_mtl.evaluation.images import write_image
from realsr_mtl.restoration import restore
from tests._inputs import photograph
from tests.data._hostile import write_hostile
from tests.scripts import load_script
from tests.test_restoration import trained

SCRIPT = load_script("restore")


def read(path: str) -> np.ndarray:
    return decode_as_is(Path(path).read_bytes(), path)


def test_a_folder_of_all_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    weights = trained()
    rgba = np.dstack((photograph(9, 8), photograph(9, 8, seed=1)[..., 0]))
    write_image(Path("in/sub/alpha.png"), rgba)
    write_image(Path("in/deep.png"), rgba[..., 0].astype(np.uint16) * 256)
    assert SCRIPT.main(["in", "experiments/run", "-o", "out"]) == 0
    assert "restored 2 images into out" in capsys.readouterr().out
    assert np.array_equal(read("out/sub/alpha.png"), restore(rgba, weights))
    assert (read("out/deep.png").dtype, read("out/deep.png").shape) == (np.uint16, (18, 16))


def test_one_file_with_options(make_images: Callable[..., Path]) -> None:
    file = make_images("in", count=1, size=(40, 30)) / "img_000.png"
    trained()
    options = ["--tile-size", "16", "--self-ensemble", "--precision", "bf16", "--outscale", "1"]
    assert SCRIPT.main([str(file), "experiments/run", *options, "--alpha", "bicubic"]) == 0
    assert read("restored/img_000.png").shape == (40, 30, 3)


def test_unreadable_images_are_named_and_the_others_restored(
    make_images: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (make_images("in", count=2) / "bad.png").write_bytes(b"no image")
    trained()
    assert SCRIPT.main(["in", "experiments/run"]) == 2
    assert len(list(Path("restored").iterdir())) == 2
    err = capsys.readouterr().err
    assert "bad.png' is not an image" in err
    assert "1 of 3 images could not be read" in err


def test_odd_files_are_restored_or_named(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = write_hostile(Path("odd"))
    Image.fromarray(photograph(1, 1)).save("odd/good_pixel.png")
    trained()
    assert SCRIPT.main(["odd", "experiments/run", "--tile-size", "64"]) == 2
    shapes = {
        path.stem.removeprefix("good_"): read(str(path)).shape[:2]
        for path in Path("restored").rglob("*.png")
        if path.is_file()
    }
    assert shapes == {
        **dict.fromkeys(("cmyk", "deep", "palette", "really_a_png", "below"), (48, 64)),
        "wide": (16, 60_000),
        "high": (60_000, 16),
        "pixel": (2, 2),
    }
    err = capsys.readouterr().err
    assert f"{len(reasons)} of {len(reasons) + len(shapes)} images could not be read" in err
    for reason in reasons.values():
        assert re.search(f"left out: .*{reason}", err)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["in", "experiments/run", "-o", "in"], "would overwrite"),
        (["in/img_000.png", "experiments/run", "-o", "./in"], "would overwrite"),
        (["nowhere", "experiments/run"], "'nowhere' does not exist"),
        (["in", "experiments/other"], "does not exist"),
        (["in", "experiments/run", "--tile-size", "0"], "a tile needs"),
        (["in", "experiments/run", "--device", "cpu", "--precision", "fp16"], "needs a GPU"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: list[str],
    sentence: str,
    make_images: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_images("in", count=1)
    trained()
    assert SCRIPT.main(arguments) == 2
    assert sentence in capsys.readouterr().err
    assert not Path("restored").exists()
