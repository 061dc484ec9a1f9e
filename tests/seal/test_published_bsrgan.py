from __future__ import annotations

import math

import numpy as np
import pytest

from realsr_mtl.degradations.pipelines.shuffle import orders
from realsr_mtl.seal.published_bsrgan import bsrgan_record
from tests.seal._centres import BASIS, BSRGAN


def test_every_field_has_its_place():
    record, notes = bsrgan_record(BSRGAN)
    basis = {f"colour_basis{i}": record.pop(f"colour_basis{i}") for i in range(1, 10)}
    names = ("jpeg", "blur1", "shrink", "noise", "settle", "blur2")  # 2 comes before 3
    assert record == {
        "halving": 4,
        "order": orders().index(names),
        "kernel_type1": 0,
        "kernel_size1": 9,
        "blur_sigma1": pytest.approx(1.4 / 2.8),
        "kernel_type2": 1,
        "kernel_size2": 13,
        "blur_variance_x2": 0.25,
        "blur_variance_y2": 1,
        "rotation2": 2.5,
        "shrink_type": 0,
        "shrink_factor": 0.5,
        "shrink_mode": 0,
        "settle_mode": 1,
        "noise_type": 2,
        "gaussian_sigma": 25,
        "colour_variance1": 0.9,
        "colour_variance2": 0.3,
        "colour_variance3": 0.5,
        "jpeg_quality2": 70,
    }
    assert "comes after" in notes[0]
    matrix = np.reshape(list(basis.values()), (3, 3))
    assert ((matrix >= 0) & (matrix <= 1)).all()
    written = np.reshape([float(x) for x in BASIS.split("_")], (3, 3))
    made = np.linalg.svd(matrix)[0]
    assert np.abs(made).round(9).tolist() == np.abs(written).round(9).tolist()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("rnum1_0.5_rnum2_0.75", "rnum1_0.1_rnum2_0.75", {"halving": 3}),
        ("rnum1_0.5_rnum2_0.75", "rnum1_0.1_rnum2_0.2", {"halving": 2, "blur_variance_x2": 1 / 3}),
        ("dp2_rnum_0.1", "dp2_rnum_0.8", {"shrink_type": 1}),
        ("dp4_rnum_0.5", "dp4_rnum_0.7", {"noise_type": 0, "gaussian_sigma": 12}),
        ("dp4_rnum_0.5", "dp4_rnum_0.3", {"noise_type": 1}),
        ("dp5_rnum_0.95", "dp5_rnum_0.2", {"jpeg_quality1": 40}),
    ],
)
def test_chances_choose_the_branch(old, new, found):
    text = BSRGAN.replace(old, new)
    if "rnum1_0.1" in new:
        text = text.replace("l2_8.0", "l2_6.0").replace("sf1_4.5", "sf1_2.5")
    if "dp2_rnum_0.8" in new:
        text = text.replace("blursigma_0 ", "blursigma_1.25 ")
    record, _ = bsrgan_record(text)
    assert {key: record[key] for key in found} == pytest.approx(found)


@pytest.mark.parametrize(
    ("old", "new", "error", "sentence"),
    [
        ("dp3_", "dp6_", ValueError, "the fields"),
        ("[5, 0, 3, 4, 2, 6, 1]", "[1, 0, 3]", ValueError, "no order"),
        ("dp3_interptype", "dp3_5", ValueError, "does not begin with a name"),
        ("l2_8.0", "l2_9.0", NotImplementedError, "9 is more than the 8"),
        ("_0.9_0.0_0.0", "_0.9_0.0", ValueError, "nine numbers"),
        ("U_-0.6", "U_0.6", ValueError, "not orthonormal"),
    ],
)
def test_what_cannot_be_read_is_named(old, new, error, sentence):
    with pytest.raises(error, match=sentence):
        bsrgan_record(BSRGAN.replace(old, new))


def test_a_basis_that_no_positive_matrix_has():
    half = math.sqrt(0.5)
    mixed = f"{half}_{half}_0.0_{-half}_{half}_0.0_0.0_0.0_1.0"
    with pytest.raises(NotImplementedError, match="no positive matrix"):
        bsrgan_record(BSRGAN.replace(BASIS, mixed))
