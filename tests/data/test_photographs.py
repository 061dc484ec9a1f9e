from __future__ import annotations

import hashlib

import numpy as np
import pytest

from realsr_mtl.data import Photographs
from realsr_mtl.data.photographs import PHOTOGRAPHS


@pytest.fixture(scope="module")
def parts():
    return {split: Photographs(4, split=split) for split in PHOTOGRAPHS}


def test_parts_share_no_name_and_no_pixels(parts):
    train, val = parts["train"], parts["val"]
    assert len(train) >= 5
    assert len(val) >= 2
    assert not set(train.names) & set(val.names)
    scenes = [{name.split("_")[0] for name in part.names} for part in (train, val)]
    assert not scenes[0] & scenes[1]
    digests = {
        hashlib.sha256(part.load(i).gt.tobytes()).digest()
        for part in (train, val)
        for i in range(len(part))
    }
    assert len(digests) == len(train) + len(val)


def test_fit_and_probe_divide_the_training_part(parts):
    fit, probe = parts["fit"], parts["probe"]
    assert sorted(fit.names + probe.names) == sorted(parts["train"].names)
    assert not {n.split("_")[0] for n in fit.names} & {n.split("_")[0] for n in probe.names}
    assert not fit.gt_sources() & probe.gt_sources()


@pytest.mark.parametrize("split", sorted(PHOTOGRAPHS))
def test_photographs_are_colour_and_large_enough_to_crop(parts, split):
    images = parts[split]
    for position in range(len(images)):
        sample = images.load(position)
        assert sample.lq is None
        assert sample.gt.dtype == np.uint8
        assert min(sample.gt.shape[:2]) >= 256
        assert np.ptp(sample.gt.astype(int), axis=-1).mean() > 4  # grey images have 0
        assert images.load(position).gt is sample.gt  # kept in memory
