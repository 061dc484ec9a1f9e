from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from realsr_mtl.degradations import SAMPLERS, RandomStreams, degrade
from realsr_mtl.errors import UserError
from realsr_mtl.tasks import (
    Case,
    CaseTasks,
    Points,
    PointTasks,
    cases_text,
    check_file_apart,
    check_points_apart,
    draw_points,
    points_text,
    read_cases,
)
from realsr_mtl.tasks.cases import record_digest
from tests._inputs import photographs

FILE = Path("cases.jsonl")
STREAMS = RandomStreams(0)


def drawn(kind: str = "RealESRGAN", count: int = 3, seed: int = 0) -> PointTasks:
    return draw_points(SAMPLERS.build({"type": kind}, 4), count, seed)


def cases(seed: int | None = 5) -> CaseTasks:
    """Three of one space and two of another."""
    made, records = [], []
    for kind, count in (("RealESRGAN", 3), ("BSRGAN", 2)):
        for number, record in enumerate(drawn(kind, count).records.to_json()):
            space = {"type": kind}
            made.append(Case(f"{kind}{number}", kind, 0.2, space, {"noise": "low"}, 7, seed))
            records.append(record)
    FILE.write_text(cases_text(made, records))
    return CaseTasks(made, records)


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


def test_every_case_gives_its_record_with_noise_of_the_sample():
    own, image = cases(), photographs(1, 48, 48)
    for place in (1, 4):
        task, index = torch.tensor([place]), torch.tensor([77])
        _, record = own.sample(index, STREAMS, task)
        assert record_digest(record.to_json()[0]) == own.digests[place]
        again = own.sample(index, STREAMS, task)[1]
        assert torch.equal(degrade(image, record), degrade(image, again))
        other = own.sample(index + 1, STREAMS, task)[1]
        assert record_digest(other.to_json()[0]) == own.digests[place]
        assert not torch.equal(degrade(image, record), degrade(image, other))
        assert degrade(image, record).shape == (1, 3, 12, 12)


def test_several_of_one_space_in_a_batch_but_not_of_two():
    own, index = cases(), torch.arange(2)
    _, records = own.sample(index, STREAMS, torch.tensor([4, 3]))
    found = [record_digest(record) for record in records.to_json()]
    assert found == [own.digests[4], own.digests[3]]
    with pytest.raises(UserError, match="BSRGAN and RealESRGAN cannot be in one batch"):
        own.sample(index, STREAMS, torch.tensor([0, 3]))


def test_cases_are_not_for_training():
    with pytest.raises(UserError, match="there to be reported on"):
        cases().sample(torch.arange(2), STREAMS)


def test_the_checksum_knows_names_and_records_but_no_order():
    own = cases()
    order = [2, 0, 1, 4, 3]
    entries = [json.loads(line) for line in FILE.read_text().splitlines()]
    records = [{k: v for k, v in e.items() if k not in ("task", "case")} for e in entries]
    turned = CaseTasks([own.cases[i] for i in order], [records[i] for i in order])
    assert turned.digest == own.digest
    assert CaseTasks(own.cases[:4], records[:4]).digest != own.digest
    assert record_digest({**records[0], "noise_seed1": 3}) == own.digests[0]
    assert record_digest({**records[0], "resize_scale1": 0.123}) != own.digests[0]


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
