"""Published sets in miniature, in their layouts."""

from __future__ import annotations

from tests._inputs import photograph
from tests.data._files import write

PAIRS: dict[str, list[tuple[str, str]]] = {
    "BSD400_WED": [("", f"Train/Denoise/{name}") for name in ("00001.bmp", "2018.jpg")],
    "Rain100L_train": [
        (f"Train/Derain/rainy/rain-{n}.png", f"Train/Derain/gt/norain-{n}.png") for n in (1, 12)
    ],
    "OTS": [
        (f"Train/Dehaze/synthetic/{name}.jpg", f"Train/Dehaze/original/{clean}.jpg")
        for name, clean in (
            ("part1/0025_0.8_0.04", "0025"),
            ("part1/0025_1_0.2", "0025"),
            ("part2/3068_0.95_0.1", "3068"),
        )
    ],
    "GoPro_train": [
        (f"GOPRO_Large/train/{name}.png", f"GOPRO_Large/train/{clean}.png")
        for name, clean in (
            ("GOPR0372_07_00/blur/000047", "GOPR0372_07_00/sharp/000047"),
            ("GOPR0374_11_01/blur/000047", "GOPR0374_11_01/sharp/000047"),
        )
    ],
    "LOL_train": [(f"our485/low/{n}.png", f"our485/high/{n}.png") for n in (2, 5)],
    "AllWeather": [
        (f"train/allweather/input/{name}", f"train/allweather/gt/{name}")
        for name in ("7_rain.png", "im_0001_s80_a04.png", "city_00012.jpg")
    ],
    "BSD68": [("", "test/denoise/bsd68/3096.jpg")],
    "Urban100": [("", "test/denoise/urban100/img_001.png")],
    "Rain100L": [("test/derain/Rain100L/input/1.png", "test/derain/Rain100L/target/1.png")],
    "SOTS": [
        (f"test/dehaze/input/{name}.jpg", "test/dehaze/target/0007.png")
        for name in ("0007_0.8_0.2", "0007_1_0.08")
    ],
    "GoPro": [
        (
            "GOPRO_Large/test/GOPR0384_11_00/blur/1.png",
            "GOPRO_Large/test/GOPR0384_11_00/sharp/1.png",
        )
    ],
    "LOL": [("eval15/low/1.png", "eval15/high/1.png")],
    "Snow100K_L": [("test/Snow100K-L/input/city_1.jpg", "test/Snow100K-L/gt/city_1.jpg")],
    "Outdoor_Rain": [
        (f"test/test1/input/im_0301_{what}.png", "test/test1/gt/im_0301.png")
        for what in ("s80_a04", "s85_a05")
    ],
    "RainDrop_A": [("test/rain_drop_test/input/0_rain.png", "test/rain_drop_test/gt/0_clean.png")],
}
"""LQ and HR file of every pair, below the root; no LQ file where noise is added."""

STRAY = {
    "GoPro_train": "GOPRO_Large/train/GOPR0372_07_00/blur_gamma/000047.png",
    "GoPro": "GOPRO_Large/test/GOPR0384_11_00/blur_gamma/1.png",
    "OTS": "Train/Dehaze/original/9999.jpg",
}
"""A file of the set that belongs to no pair."""


def lay_out(root: str, *names: str, size: tuple[int, int] = (16, 20)) -> None:
    """Write the pairs of some sets, or of all, below a root; LQ and HR images differ."""
    for name in names or PAIRS:
        for lq, gt in PAIRS[name]:
            write(f"{root}/{gt}", photograph(*size, seed=len(gt)))
            if lq:
                write(f"{root}/{lq}", photograph(*size, seed=100 + len(lq)))
        if name in STRAY:
            write(f"{root}/{STRAY[name]}", photograph(*size))
