from __future__ import annotations

import numpy as np
import pytest
import torch

from realsr_mtl.degradations import SAMPLERS
from realsr_mtl.errors import UserError
from realsr_mtl.seal.pool import Family, degraded_histograms, draw_pool, parse_families
from realsr_mtl.tasks import draw_points
from realsr_mtl.tasks.cases import record_digest
from tests._inputs import photographs

OWN = Family("mine", {"type": "RealESRGAN", "noise_range": [1, 5]}, 1.0)
BOTH = [Family("RealESRGAN", {"type": "RealESRGAN"}, 3.0), Family("BSRGAN", {"type": "BSRGAN"}, 1)]


def test_a_larger_pool_begins_with_the_smaller_one():
    small, large = draw_pool(BOTH, 10, 4, seed=0), draw_pool(BOTH, 80, 4, seed=0)
    assert [small.json(i) for i in range(10)] == [large.json(i) for i in range(10)]
    assert small.families == large.families[:10]
    assert draw_pool(BOTH, 10, 4, seed=1).json(0) != small.json(0)
    assert 0.6 < large.families.count("RealESRGAN") / 80 < 0.9
    assert all(
        large.json(i)["pipeline"] == {"RealESRGAN": "second_order", "BSRGAN": "shuffle"}[name]
        for i, name in enumerate(large.families)
    )


def test_the_pool_shares_nothing_with_the_points_of_a_grouping_of_the_same_seed():
    sampler = SAMPLERS.build({"type": "RealESRGAN"}, 4)
    points = {record_digest(record) for record in draw_points(sampler, 20, 0).records.to_json()}
    pool = draw_pool(BOTH[:1], 20, 4, seed=0)
    assert points.isdisjoint({record_digest(pool.json(i)) for i in range(20)})


def test_histograms_are_those_of_each_record_in_any_number_of_threads():
    pool, images = draw_pool(BOTH, 6, 4, seed=0), list(photographs(2, 48, 48))
    found = degraded_histograms(pool, images)
    assert found.shape == (6, 2 * 768)
    assert found.sum(1) == pytest.approx(np.ones(6))
    assert len(np.unique(found, axis=0)) == 6
    torch.set_num_threads(2)
    try:
        assert (degraded_histograms(pool, images) == found).all()
    finally:
        torch.set_num_threads(1)


def test_families_of_a_command_line():
    found = parse_families(["mine=0.5", "BSRGAN=0.25", "flat=0.25"], {"mine": OWN})
    assert [(own.name, own.share) for own in found] == [
        ("mine", 0.5),
        ("BSRGAN", 0.25),
        ("flat", 0.25),
    ]
    assert found[0].space is OWN.space
    assert found[2].space["noise_range2"] == (1, 40)
    assert parse_families([], {}) == []


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (["BSRGAN"], "not of the form NAME=SHARE"),
        (["BSRGAN=-1"], "not of the form NAME=SHARE"),
        (["BSRGN=1"], "no degradation 'BSRGN'; did you mean 'BSRGAN'"),
        (["BSRGAN=1", "BSRGAN=2"], "twice"),
    ],
)
def test_mistakes_are_named(texts, sentence):
    with pytest.raises(UserError, match=sentence):
        parse_families(texts, {"mine": OWN})
