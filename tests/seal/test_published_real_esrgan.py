from __future__ import annotations

import pytest

from realsr_mtl.degradations import SAMPLERS
from realsr_mtl.seal.published_real_esrgan import FLAT, real_esrgan_record
from tests.seal._centres import REAL_ESRGAN


def changed(**words: str) -> str:
    parts = REAL_ESRGAN.split("_")
    for place, word in words.items():
        parts[int(place[1:])] = word
    return "_".join(parts)


def test_every_word_has_its_place():
    record, notes = real_esrgan_record(REAL_ESRGAN)
    assert record == {
        "kernel_type1": 1,
        "kernel_size1": 11,
        "sigma_x1": 1.46,
        "sigma_y1": 0.21,
        "rotation1": 0.5,
        "resize_scale1": 1.2,
        "resize_mode1": 1,
        "noise_type1": 0,
        "gaussian_sigma1": 3.43,
        "gray_noise1": 0,
        "jpeg_quality1": 50,
        "kernel_type2": 6,
        "kernel_size2": 9,
        "cutoff2": 1.9,
        "resize_scale2": pytest.approx(1.2 * 0.5 * 4),
        "resize_mode2": 2,
        "noise_type2": 1,
        "poisson_scale2": 2.25,
        "gray_noise2": 1,
        "final_order": 1,
        "final_mode": 0,
        "jpeg_quality2": 64,
        "final_kernel_type": 7,
    }
    assert any("fraction is cut off" in note for note in notes)


@pytest.mark.parametrize(("kind", "beta"), [("2", 0.7), ("3", 0.7), ("4", 1.25), ("5", 1.25)])
def test_the_shape_of_a_kernel_is_frozen(kind, beta):
    record, notes = real_esrgan_record(changed(w5=kind))
    assert record["beta1"] == beta
    assert any("drawn anew" in note for note in notes)
    assert ("sigma_y1" in record) == (kind in "35")


def test_the_last_sinc_and_cutoffs_that_were_rounded_out_of_their_range():
    record, _ = real_esrgan_record(changed(w50="1", w51="9", w52="3.14", w11="0.63", w3="1"))
    assert record["final_kernel_size"] == 9
    assert record["final_cutoff"] == 3.14
    assert record["cutoff1"] > 0.6283


@pytest.mark.parametrize(
    ("words", "error", "sentence"),
    [
        ({"w49": "2"}, NotImplementedError, "final order 2"),
        ({"w23": "0"}, NotImplementedError, "JPEG is switched off"),
        ({"w22": "PNG"}, ValueError, "word 22 is 'PNG', not 'JPEG'"),
        ({"w57": ".png_x"}, ValueError, "58 words, this one 59"),
        ({"w15": "nearest"}, ValueError, "nearest"),
    ],
)
def test_what_cannot_be_read_is_named(words, error, sentence):
    with pytest.raises(error, match=sentence):
        real_esrgan_record(changed(**words))


def test_the_flat_preset_is_a_space():
    space = SAMPLERS.build(FLAT, 4).space
    assert space.ranges()["gaussian_sigma2"] == (1, 40)
