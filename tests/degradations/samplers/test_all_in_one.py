from __future__ import annotations

from typing import Any

import pytest
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.degradations.pipelines.all_in_one import KINDS
from realsr_mtl.degradations.samplers import SAMPLERS, AllInOne
from tests._asserts import assert_frequency, assert_uniform


def _draws(**options: Any):
    return AllInOne(1, **options).sample(torch.arange(60_000), RandomStreams(0))


def test_defaults_are_the_five_tasks_of_airnet():
    sampler = AllInOne(1)
    assert list(sampler.kinds) == ["noise15", "noise25", "noise50", "rain", "haze"]
    records = sampler.sample(torch.arange(60_000), RandomStreams(0))
    for name, region in sampler.kinds.items():
        inside = torch.ones(60_000, dtype=torch.bool)
        for parameter, interval in region.items():
            inside &= interval.contains(records[parameter]) & ~records[parameter].isnan()
        assert_frequency(inside, 0.2)
        assert sampler.space.mass(region) == pytest.approx(0.2), name


def test_probabilities_and_ranges_are_options():
    records = _draws(kinds=("noise", "rain"), kind_prob=(3, 1), noise_range=(10, 20))
    noise = records["kind"] == KINDS.index("noise")
    assert_frequency(noise, 0.75)
    assert_uniform(records["noise_sigma"][noise], 10, 20)
    assert_uniform(records["rain_length"][~noise], 8, 30)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"kinds": ["fog"]}, "'fog' is no kind of degradation"),
        ({"kinds": []}, "must be different names"),
        ({"kinds": ["rain", "rain"]}, "must be different names"),
        ({"kinds": ["noise", "noise15"]}, "noise holds every level"),
        ({"kind_prob": [1, 2]}, "5 kinds need as many positive probabilities"),
        ({"kind_prob": [1, 2, 0, 1, 1]}, "positive probabilities"),
        ({"noise_range": [50, 5]}, "run backwards"),
        ({"rain_density": [0, 0.1]}, r"must lie in \(0, 0.1\]"),
        ({"rain_length": [0.5, 3]}, "rain_length must be at least 1 pixel"),
        ({"drop_radius": [0, 3]}, "drop_radius must be at least 1 pixel"),
        ({"blur_length": [0, 3]}, "blur_length must be at least 1 pixel"),
        ({"colour_red": [0, 1]}, "colour_red must be positive"),
        ({"colour_blue": [1.2, 0.8]}, "run backwards"),
        ({"colour_gamma": [0, 1]}, "colour_gamma must be positive"),
        ({"colour_saturation": [-1, 1]}, "colour_saturation .* must not be negative"),
        ({"kinds": ["rain", "resize"]}, "resize is the down-scaling alone; at scale 1"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        SAMPLERS.build({"type": "Weather", **options}, 1)


def test_a_colour_cast_has_ranges_of_its_own():
    records = _draws(kinds=("haze", "colour"), colour_red=(0.9, 1.5))
    colour = records["kind"] == KINDS.index("colour")
    assert_uniform(records["colour_red"][colour], 0.9, 1.5)
    assert_uniform(records["colour_blue"][colour], 0.7, 1.3)
    assert_uniform(records["colour_gamma"][colour], 0.7, 1.4)
    assert_uniform(records["colour_saturation"][colour], 0.4, 1)
    assert torch.equal(records["colour_red"].isnan(), ~colour)


def test_resizing_alone_has_no_parameters():
    records = AllInOne(2, kinds=("resize",)).sample(torch.arange(3), RandomStreams(0))
    (row, *_) = records.to_json()
    given = {name: value for name, value in row.items() if value is not None}
    assert given.pop("noise_seed1") >= 0
    assert given == {"pipeline": "all_in_one", "scale": 2, "kind": KINDS.index("resize")}


def test_the_scale_changes_nothing_but_itself():
    first, second = (
        AllInOne(scale).sample(torch.arange(50), RandomStreams(0)).to_json() for scale in (1, 4)
    )
    assert [row | {"scale": 4} for row in first] == second
