from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.degradations import SAMPLERS
from realsr_mtl.errors import UserError
from realsr_mtl.tasks import (
    Case,
    Points,
    cases_text,
    check_file_apart,
    check_points_apart,
    points_text,
    read_cases,
)
from tests.tasks._cases import FILE, cases, drawn


def test_a_file_of_cases_is_read_back():
    own = cases()
    found = read_cases(FILE)
    assert found.names == own.names
    assert found.cases == own.cases
    assert found.to_json() == own.to_json()
    assert found.digest == own.digest
    assert found.families == {"RealESRGAN": {"type": "RealESRGAN"}, "BSRGAN": {"type": "BSRGAN"}}
    assert float(found.masses.sum()) == pytest.approx(1)


def test_cases_of_one_space_are_also_a_file_of_points():
    lines = (cases(), FILE.read_text().splitlines()[:3])[1]
    Path("part.jsonl").write_text("\n".join(lines))
    sampler = SAMPLERS.build({"type": "RealESRGAN"}, 4)
    points = Points(sampler, file="part.jsonl")
    assert points.names == ["RealESRGAN0", "RealESRGAN1", "RealESRGAN2"]
    assert points.records.to_json() == drawn().records.to_json()
    with pytest.raises(ValueError, match="must share pipeline"):
        Points(sampler, file=str(FILE))


def test_points_that_are_cases_are_refused():
    own = cases()
    check_points_apart(own, drawn(seed=1), "the points")
    with pytest.raises(
        UserError, match=r"3 cases of the report are also in the points, e.g. 'RealE"
    ):
        check_points_apart(own, drawn(), "the points")


def test_files_that_share_a_record_or_the_pool_are_refused():
    own = cases()
    other = Path("points.jsonl")
    other.write_text(points_text(drawn(seed=1)))
    check_file_apart(own, other)
    other.write_text(points_text(drawn(count=1)))
    with pytest.raises(UserError, match=r"also in 'points.jsonl', e.g. 'RealESRGAN0' as 'p0000'"):
        check_file_apart(own, other)
    record = drawn(seed=1).records.to_json()[:1]
    for seed in (5, 6):
        case = Case("x", "RealESRGAN", 1, {"type": "RealESRGAN"}, {}, 1, seed)
        other.write_text(cases_text([case], record))
        if seed == 6:
            check_file_apart(own, other)
        else:
            with pytest.raises(UserError, match="same pool, seed 5"):
                check_file_apart(own, other)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: "", "holds no case"),
        (lambda text: "[]", "not made of JSON objects"),
        (lambda text: "{", "not made of JSON lines"),
        (lambda text: points_text(drawn()), "must have task, case"),
        (lambda text: text + text, "two cases of one name"),
        (lambda text: text.replace('"jpeg_quality2": ', '"jpeg_quality2": 1'), "cannot be drawn"),
        (lambda text: text.replace('"type": "BSRGAN"', '"type": "Nothing"'), "Nothing"),
    ],
)
def test_other_files_are_refused(change, sentence):
    cases()
    FILE.write_text(change(FILE.read_text()))
    with pytest.raises(UserError, match=sentence):
        read_cases(FILE)


def test_no_file():
    with pytest.raises(UserError, match=r"does not exist .*seal.py cases"):
        read_cases("none.jsonl")
