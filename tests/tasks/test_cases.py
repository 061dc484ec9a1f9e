from __future__ import annotations

import json

import pytest
import torch

from realsr_mtl.degradations import RandomStreams, degrade
from realsr_mtl.errors import UserError
from realsr_mtl.tasks import CaseTasks
from realsr_mtl.tasks.cases import record_digest
from tests._inputs import photographs
from tests.tasks._cases import FILE, cases

STREAMS = RandomStreams(0)


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
