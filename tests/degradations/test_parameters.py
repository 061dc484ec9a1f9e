from __future__ import annotations

import json

import pytest
import torch

from realsr_mtl.degradations import DegradationParameters, degrade
from tests._inputs import photographs
from tests.degradations._records import draws


def _equal(first: DegradationParameters, second: DegradationParameters) -> bool:
    same = first.values.keys() == second.values.keys()
    return same and all(
        torch.equal(a.view(torch.int64), second[name].view(torch.int64))
        for name, a in first.values.items()
    )


def _through_json(parameters: DegradationParameters) -> DegradationParameters:
    text = json.dumps(parameters.to_json(), allow_nan=False)
    return DegradationParameters.from_json(json.loads(text))


def test_json_keeps_every_bit():
    records = draws().select(range(2_000))
    assert records["sigma_x1"].isnan().any()  # null in JSON
    again = _through_json(records)
    assert _equal(again, records)
    assert {n: t.dtype for n, t in again.values.items()} == {
        n: t.dtype for n, t in records.values.items()
    }
    assert (again.pipeline, again.scale) == ("second_order", 4)


def test_replay_from_json_is_exact():
    images = photographs(6, 32, 40)
    records = draws().select(range(6))
    lq = degrade(images, records)
    assert torch.equal(degrade(images, _through_json(records)), lq)
    for i in range(6):  # each record alone, as a column of nulls has no other type to go by
        assert torch.equal(
            degrade(images[i : i + 1], _through_json(records.select([i]))), lq[i][None]
        )


def test_select_takes_records_in_order():
    records = draws().select([3, 0, 3])
    assert len(records) == 3
    assert _equal(records, draws().select(torch.tensor([3, 0, 3])))
    assert records["noise_seed1"].tolist() == draws()["noise_seed1"][[3, 0, 3]].tolist()


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "share pipeline and scale"),
        ([{"pipeline": "a", "scale": 4}, {"pipeline": "a", "scale": 2}], "share pipeline"),
        ([{"pipeline": "a", "scale": 4, "x": 1}, {"pipeline": "a", "scale": 4}], "same parameters"),
        ([{"pipeline": "a", "scale": 4}, {"pipeline": "a", "scale": 4, "x": 1}], "same parameters"),
    ],
)
def test_records_of_different_kinds_make_no_batch(records, message):
    with pytest.raises(ValueError, match=message):
        DegradationParameters.from_json(records)
