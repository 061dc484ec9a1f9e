from __future__ import annotations

import pytest
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.degradations.samplers import Classical


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_every_record_is_the_same(scale):
    records = Classical(scale).sample(torch.arange(5), RandomStreams(0))
    assert (records.pipeline, records.scale, len(records)) == ("classical", scale, 5)
    assert records.values.keys() == {"resize_scale"}
    assert (records["resize_scale"] == 1 / scale).all()
