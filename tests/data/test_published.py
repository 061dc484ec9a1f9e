from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import realsr_mtl
from realsr_mtl.config.reader import read_yaml
from realsr_mtl.data import DATASETS, PublishedSet
from realsr_mtl.data.layouts import LAYOUTS
from realsr_mtl.data.reading import decode
from realsr_mtl.errors import UserError
from tests.data._published import PAIRS, lay_out

TASKS = {
    "Rain100L": ["rain"],
    "SOTS": ["haze"],
    "OTS": ["haze"],
    "GoPro": ["blur"],
    "LOL": ["low_light"],
    "AllWeather": ["raindrop", "rain_fog", "snow"],
    "Snow100K_L": ["snow"],
    "Outdoor_Rain": ["rain_fog"],
    "RainDrop_A": ["raindrop"],
}
RECIPES = Path(realsr_mtl.__file__).parents[1] / "options/train/all_in_one"


def pixels(path: str) -> np.ndarray:
    return decode(Path(path).read_bytes(), path)


def options(name: str, root: str = "data") -> dict[str, Any]:
    noise = {} if LAYOUTS[name].lq else {"sigma": 25}
    return {"type": "PublishedSet", "set": name, "dataroot": root, **noise}


def build(name: str, root: str = "data") -> PublishedSet:
    images = DATASETS.build(options(name, root), 1)
    assert isinstance(images, PublishedSet)
    return images


@pytest.mark.parametrize("name", LAYOUTS)
def test_images_are_found_and_paired(name: str):
    lay_out("data")  # all of them: sets of one root do not mix
    images = build(name)
    assert len(images) == len(set(images.names)) == len(PAIRS[name])
    loaded = sorted((images.load(i) for i in range(len(images))), key=lambda s: s.name)
    for sample, (lq, gt) in zip(loaded, sorted(PAIRS[name]), strict=True):
        assert np.array_equal(sample.gt, pixels(f"data/{gt}"))
        if lq:
            assert sample.noise == 0
            assert np.array_equal(sample.lq, pixels(f"data/{lq}"))
        else:
            assert sample.noise == 25 and sample.lq is None
    expected = TASKS.get(name.removesuffix("_train"), ["noise25"])
    assert list(images.tasks) == expected
    assert {images.task(i) for i in range(len(images))} == set(range(len(expected)))
    assert {str(Path("data", gt).resolve()) for _, gt in PAIRS[name]} <= images.gt_sources()


def test_every_weather_is_told_by_its_file_name():
    lay_out("data", "AllWeather")
    images = build("AllWeather")
    found = {images.names[i]: images.tasks[images.task(i)] for i in range(3)}
    assert found == {"7_rain": "raindrop", "im_0001_s80_a04": "rain_fog", "city_00012": "snow"}


@pytest.mark.parametrize(
    ("name", "folder", "own", "packed"),
    [
        ("Outdoor_Rain", "test/test1/gt", "im_0301", ["im_0301_s80_a04", "im_0301_s85_a05"]),
        ("RainDrop_A", "test/rain_drop_test/gt", "0_clean", ["0_rain"]),
    ],
)
def test_hr_images_under_the_names_of_the_lq_images_are_found_too(
    name: str, folder: str, own: str, packed: list[str]
):
    lay_out("data", name)
    before = build(name)
    expected = before.load(0).gt
    original = Path("data", folder, f"{own}.png")
    for other in packed:
        original.with_stem(other).write_bytes(original.read_bytes())
    original.unlink()
    after = build(name)
    assert after.names == before.names
    assert np.array_equal(after.load(0).gt, expected)


def test_cached_images_outlive_their_files():
    lay_out("data", "LOL", "BSD68")
    for name in ("LOL", "BSD68"):
        images = DATASETS.build({**options(name), "cache": True}, 1)
        images.preload()
        for lq, gt in PAIRS[name]:
            for file in filter(None, (lq, gt)):
                Path("data", file).unlink()
        assert images.load(0).gt is not None


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_missing_folder_is_one_sentence_with_the_layout(name: str):
    lay_out("data", name)
    layout = LAYOUTS[name]
    Path("data", layout.gt).rename("elsewhere")
    with pytest.raises(UserError) as caught:
        build(name)
    sentence = str(caught.value)
    assert sentence.startswith(f"{name}: ") and "\n" not in sentence and ". " not in sentence
    assert f"'data/{layout.gt}' does not exist" in sentence
    assert sentence.endswith(f"; the layout below 'data' is {layout.picture}")


def test_a_missing_partner_is_named_with_the_set():
    lay_out("data", "Rain100L_train")
    Path("data/Train/Derain/gt/norain-12.png").unlink()
    with pytest.raises(
        UserError, match=r"Rain100L_train: .*'norain-12'.* Train/Derain/rainy/rain-N"
    ):
        build("Rain100L_train")


def test_another_number_of_images_is_a_warning(caplog: pytest.LogCaptureFixture):
    lay_out("data", "SOTS", "LOL")
    with caplog.at_level(logging.WARNING, "realsr_mtl"):
        build("SOTS")
    assert caplog.messages == ["SOTS has 2 images in 'data/test/dehaze/input'; 500 are published"]


def test_the_published_number_is_no_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    lay_out("data", "SOTS")
    layout = LAYOUTS["SOTS"]
    fitting = type(layout)(2, layout.gt, layout.lq, layout.picture, "haze", layout.namings)
    monkeypatch.setitem(LAYOUTS, "SOTS", fitting)
    build("SOTS")
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("change", "scale", "sentence"),
    [
        ({"set": "SOTS"}, 1, "SOTS has LQ images of its own; leave out sigma"),
        ({"sigma": None}, 1, "BSD68 is a set of clean images; give the level of the noise, sigma"),
        ({"sigma": 0}, 1, "greater than 0"),
        ({"set": "BSD86"}, 1, "'BSD68'.*found 'BSD86'"),
        ({}, 4, "restoration keeps the size; scale is 1, not 4"),
    ],
)
def test_wrong_options_are_refused(change: dict[str, Any], scale: int, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        DATASETS.build({**options("BSD68"), **change}, scale)


@pytest.mark.parametrize("host", ["airnet", "promptir", "nafnet", "transweather"])
def test_the_recipes_find_their_sets_and_validate_on_their_tasks(host: str):
    for root in ("datasets/all_in_one", "datasets/allweather"):
        lay_out(root)
    sets = {}
    for phase, block in read_yaml(RECIPES / host / "art.yml")[0]["datasets"].items():
        keys = ("type", "set", "dataroot", "sets", "balance")
        sets[phase] = DATASETS.build({k: block[k] for k in keys if k in block}, 1)
    assert list(sets) == ["train", "val"]
    assert set(sets["train"].tasks) == set(sets["val"].tasks)
