"""Where the images of published sets lie below a root, how they pair up, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SetName = Literal[
    "BSD400_WED",
    "Rain100L_train",
    "OTS",
    "GoPro_train",
    "LOL_train",
    "AllWeather",
    "BSD68",
    "Urban100",
    "Rain100L",
    "SOTS",
    "GoPro",
    "LOL",
    "Snow100K_L",
    "Outdoor_Rain",
    "RainDrop_A",
]
"""The sets with a layout, those for training first."""

Naming = tuple[str, str] | None
"""HR name from the LQ name as in `PairedImages`: an expression and its replacement; None: equal."""


@dataclass(frozen=True)
class Layout:
    """How a set is kept.

    Attributes:
        count: pairs as published; clean images of a set that noise is added to.
        gt, lq: HR and LQ folder below the root; no LQ folder where noise is added.
        picture: the layout in one line, for messages; endings may be others.
        task: the task of all pairs; None: noise of a level, or the tasks of the AllWeather rule.
        namings: in use for this set; the first that fits counts.
    """

    count: int
    gt: str
    lq: str | None
    picture: str
    task: str | None = None
    namings: tuple[Naming, ...] = (None,)


_HAZE: Naming = (r"^(?:.*/)?([^/_]+)_[^/]*$", r"\1")
_BLUR: Naming = ("/blur/", "/sharp/")

LAYOUTS: dict[SetName, Layout] = {
    "BSD400_WED": Layout(5144, "Train/Denoise", None, "Train/Denoise/NAME.jpg"),
    "Rain100L_train": Layout(
        200,
        "Train/Derain/gt",
        "Train/Derain/rainy",
        "Train/Derain/rainy/rain-N.png with Train/Derain/gt/norain-N.png",
        "rain",
        (("^rain-", "norain-"),),
    ),
    "OTS": Layout(
        72135,
        "Train/Dehaze/original",
        "Train/Dehaze/synthetic",
        "Train/Dehaze/synthetic/partP/ID_A_B.jpg with Train/Dehaze/original/ID.jpg",
        "haze",
        (_HAZE,),
    ),
    "GoPro_train": Layout(
        2103,
        "GOPRO_Large/train",
        "GOPRO_Large/train",
        "GOPRO_Large/train/SCENE/blur/N.png with GOPRO_Large/train/SCENE/sharp/N.png",
        "blur",
        (_BLUR,),
    ),
    "LOL_train": Layout(
        485, "our485/high", "our485/low", "our485/low/N.png with our485/high/N.png", "low_light"
    ),
    "AllWeather": Layout(
        18069,
        "train/allweather/gt",
        "train/allweather/input",
        "train/allweather/input/NAME with train/allweather/gt/NAME",
    ),
    "BSD68": Layout(68, "test/denoise/bsd68", None, "test/denoise/bsd68/N.jpg"),
    "Urban100": Layout(100, "test/denoise/urban100", None, "test/denoise/urban100/img_N.png"),
    "Rain100L": Layout(
        100,
        "test/derain/Rain100L/target",
        "test/derain/Rain100L/input",
        "test/derain/Rain100L/input/N.png with test/derain/Rain100L/target/N.png",
        "rain",
    ),
    "SOTS": Layout(
        500,
        "test/dehaze/target",
        "test/dehaze/input",
        "test/dehaze/input/ID_A_B.jpg with test/dehaze/target/ID.png",
        "haze",
        (_HAZE,),
    ),
    "GoPro": Layout(
        1111,
        "GOPRO_Large/test",
        "GOPRO_Large/test",
        "GOPRO_Large/test/SCENE/blur/N.png with GOPRO_Large/test/SCENE/sharp/N.png",
        "blur",
        (_BLUR,),
    ),
    "LOL": Layout(
        15, "eval15/high", "eval15/low", "eval15/low/N.png with eval15/high/N.png", "low_light"
    ),
    "Snow100K_L": Layout(
        16801,
        "test/Snow100K-L/gt",
        "test/Snow100K-L/input",
        "test/Snow100K-L/input/NAME.jpg with test/Snow100K-L/gt/NAME.jpg",
        "snow",
    ),
    "Outdoor_Rain": Layout(
        750,
        "test/test1/gt",
        "test/test1/input",
        "test/test1/input/im_N_sS_aA.png with test/test1/gt/im_N_sS_aA.png or im_N.png",
        "rain_fog",
        (None, (r"_s\d+_a\d+$", "")),
    ),
    "RainDrop_A": Layout(
        58,
        "test/rain_drop_test/gt",
        "test/rain_drop_test/input",
        "test/rain_drop_test/input/N_rain.png with ../gt/N_rain.png or N_clean.png",
        "raindrop",
        (None, ("_rain$", "_clean")),
    ),
}
"""The layouts of AirNet, PromptIR and TransWeather; GoPro and LOL as they were released.

The numbers of BSD400_WED, Rain100L_train, OTS, Snow100K_L and Outdoor_Rain were counted in lists of
public repositories, that of AllWeather is from TransWeather's; the others are usually quoted.
"""
