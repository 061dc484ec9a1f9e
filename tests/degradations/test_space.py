from __future__ import annotations

import pytest
import torch

from realsr_mtl.degradations import Interval, RandomStreams
from realsr_mtl.degradations.distributions import choice, constant, integers, mix, uniform
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.degradations.space import Branch, Draw, Parameter, Space
from tests._asserts import assert_frequency, assert_same_distribution

PARAMETERS = [Parameter(name, "1", "A number.") for name in ("kind", "a", "b", "scale", "unused")]
SPACE = Space(
    [*PARAMETERS, Parameter("quality", "1", "A whole number.", True)],
    [
        Draw(
            "noise",
            (
                Branch(0.3, {"kind": constant(0), "a": uniform(0, 1)}),
                Branch(0.0, {"kind": constant(9)}),
                Branch(0.7, {"kind": constant(1), "b": uniform(0, 2), "a": choice((5, 6))}),
            ),
        ),
        Draw("resize", (Branch(1, {"scale": mix([(0.4, uniform(0.5, 1)), (0.6, constant(1))])}),)),
        Draw("jpeg", (Branch(1, {"quality": integers(1, 4)}),)),
    ],
)
REGIONS = [
    {},
    {"a": Interval(below=0.5)},
    {"a": Interval(min=0.5), "b": Interval(max=0.5)},
    {"scale": Interval(min=1)},
    {"scale": Interval(below=1), "quality": Interval(above=1.5, below=4)},
    {"kind": Interval(above=0)},
    {"b": Interval(max=0.5, absent=True)},
    {"b": Interval(max=0.5, absent=False)},
    {"unused": Interval(min=3, absent=True)},
]
MASSES = [1, 0.3 * 0.5, 0.3 * 0.5 + 0.7 * 0.25, 0.6, 0.4 * 0.5, 0.7, 0.3 + 0.7 / 4, 0.7 / 4, 1]


class _Extreme:
    """Streams that return one number only."""

    def __init__(self, value: float) -> None:
        self._value = value

    def uniform(self, _: str, index: torch.Tensor, count: int) -> torch.Tensor:
        return torch.full((len(index), count), self._value, dtype=torch.float64)


def _inside(values: dict[str, torch.Tensor], region: dict[str, Interval]) -> torch.Tensor:
    return torch.stack(
        [
            torch.ones_like(values["kind"]).bool(),
            *(i.contains(values[n]) for n, i in region.items()),
        ]
    ).all(0)


@pytest.mark.parametrize(("region", "mass"), zip(REGIONS, MASSES, strict=True))
def test_mass_is_the_probability_and_draws_are_exact(region, mass):
    streams = RandomStreams(5)
    index = torch.arange(20_000)
    base = SPACE.sampler([{}]).sample(torch.zeros_like(index), index, streams)
    assert SPACE.mass(region) == pytest.approx(mass)
    inside = _inside(base, region)
    assert_frequency(inside, mass)
    drawn = SPACE.sampler([region]).sample(torch.zeros_like(index), index + 20_000, streams)
    assert _inside(drawn, region).all()
    for name in SPACE.parameters:
        assert_same_distribution(drawn[name], base[name][inside])


def test_absent_parameters_are_nan_and_integers_whole():
    index = torch.arange(2_000)
    drawn = SPACE.sampler([{}]).sample(torch.zeros_like(index), index, RandomStreams(0))
    assert list(drawn) == list(SPACE.parameters)
    assert torch.equal(drawn["b"].isnan(), drawn["kind"] == 0)
    assert drawn["unused"].isnan().all() and not drawn["a"].isnan().any()
    assert set(drawn["quality"].tolist()) == {1, 2, 3, 4}
    assert not (drawn["kind"] == 9).any()


def test_mixed_regions_in_one_batch_equal_each_alone():
    streams, tables = RandomStreams(2), SPACE.sampler(REGIONS)
    index = torch.arange(600)
    region = index % len(REGIONS)
    mixed = tables.sample(region, index, streams)
    for r, bounds in enumerate(REGIONS):
        own = index[region == r]
        alone = SPACE.sampler([bounds]).sample(torch.zeros_like(own), own, streams)
        for name in SPACE.parameters:
            assert torch.equal(mixed[name][own].nan_to_num(-1), alone[name].nan_to_num(-1))


@pytest.mark.parametrize("u", [0.0, 2.0**-53, 0.3, 0.7, 1 - 2.0**-53])
def test_extreme_uniform_numbers_stay_inside(u):
    region = torch.arange(len(REGIONS))
    drawn = SPACE.sampler(REGIONS).sample(region, region, _Extreme(u))
    for r, bounds in enumerate(REGIONS):
        assert _inside(drawn, bounds)[r]
    assert set(drawn["kind"].tolist()) <= {0, 1}
    assert (drawn["scale"] <= 1).all() and (drawn["quality"] <= 4).all()
    whole = RealESRGAN(4, kernel_list=("aniso",), kernel_prob=(1,), sinc_prob=0).space
    values = whole.sampler([{}]).sample(region[:1], region[:1], _Extreme(u))
    assert 0.2 <= values["sigma_x1"] < 3 and 30 <= values["jpeg_quality1"] <= 95


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ({"scal": Interval(min=1)}, "'scal' is no parameter of this space; it has kind"),
        ({"scale": Interval(above=1)}, "no probability"),
        ({"unused": Interval(min=3, absent=False)}, "no probability"),
        ({"a": Interval(above=6), "b": Interval(above=2)}, "{'above': 6}.* no probability"),
    ],
)
def test_impossible_regions_are_refused(region, message):
    with pytest.raises(ValueError, match=message):
        SPACE.sampler([region])


def test_wrong_spaces_are_refused():
    one = Draw("one", (Branch(1, {"a": constant(1)}),))
    with pytest.raises(ValueError, match="'a' belongs to two draws"):
        Space(PARAMETERS, [one, Draw("two", one.branches)])
    with pytest.raises(ValueError, match=r"undescribed parameters: \{'a'\}"):
        Space([], [one])
    with pytest.raises(ValueError, match="negative"):
        Space(PARAMETERS, [Draw("one", (Branch(-1, {}), Branch(2, {})))])


def test_ranges_of_all_parameters():
    ranges = SPACE.ranges()
    assert ranges["unused"] is None and ranges["b"] == (0, 2) and ranges["kind"] == (0, 1)
    assert ranges["scale"] == (0.5, 1) and ranges["quality"] == (1, 4)
