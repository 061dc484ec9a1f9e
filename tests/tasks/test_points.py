from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from realsr_mtl.degradations import SAMPLERS, RandomStreams, degrade
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.tasks import TASK_SETS, PointTasks, draw_points, points_text, read_points
from tests._inputs import photographs

INDEX = torch.arange(40)


def test_points_depend_on_seed_and_number_alone():
    few, many = draw_points(RealESRGAN(4), 5, 1), draw_points(RealESRGAN(4), 60, 1)
    assert few.names == many.names[:5] == ["p0000", "p0001", "p0002", "p0003", "p0004"]
    assert few.records.to_json() == many.records.to_json()[:5]
    other = draw_points(RealESRGAN(4), 5, 2)
    assert other.records.to_json() != few.records.to_json()
    assert not any(name.startswith("noise_seed") for name in few.records.values)


def test_points_follow_the_distribution_of_the_space():
    """Point 2 of tgsr.md section 14, on the tasks themselves."""
    records = draw_points(RealESRGAN(4), 20_000, 0).records
    share = {
        "first sinc": (records["kernel_type1"] == 6, 0.1),
        "second blur off": (records["kernel_type2"] == 7, 0.2),
        "last sinc": (records["final_kernel_type"] == 6, 0.8),
        "grey": (records["gray_noise1"] == 1, 0.4),
        "larger": (records["resize_scale1"] > 1, 0.2),
        "JPEG first": (records["final_order"] == 1, 0.5),
    }
    for name, (hits, wanted) in share.items():
        assert hits.double().mean().item() == pytest.approx(wanted, abs=0.012), name


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_a_file_of_points_gives_the_same_lq_images(name: str, tmp_path: Path):
    """Points 1, 3 and 5: one immutable record a task, saved and loaded bit for bit."""
    sampler = SAMPLERS.build({"type": name}, 4)
    points = draw_points(sampler, 7, 3)
    file = tmp_path / "points.jsonl"
    file.write_text(points_text(points))
    read = TASK_SETS.build({"type": "Points", "file": str(file)}, sampler)
    assert isinstance(read, PointTasks)
    hq, task = photographs(7, 48, 48), torch.arange(7)
    _, first = points.sample(task, RandomStreams(5), task)
    _, second = read.sample(task, RandomStreams(5), task)
    assert first.to_json() == second.to_json()
    assert torch.equal(degrade(hq, first), degrade(hq, second))
    assert torch.equal(degrade(hq, first), degrade(hq, first))  # nothing is used up


def test_only_the_noise_differs_between_samples_of_a_task():
    points = draw_points(RealESRGAN(4), 3, 0)
    task = torch.full((2,), 1)
    _, records = points.sample(torch.tensor([8, 9]), RandomStreams(0), task)
    first, second = records.to_json()
    differing = {name for name in first if first[name] != second[name]}
    assert differing == {"noise_seed1", "noise_seed2"}
    assert points.name_of(first) == points.name_of(second) == "p0001"
    assert points.name_of({**first, "jpeg_quality1": 1.0}) == ""


def test_natural_draws_are_uniform_and_may_be_shared_by_samples_in_a_row():
    points = draw_points(RealESRGAN(4), 4, 0)
    task, records = points.sample(torch.arange(4000), RandomStreams(0))
    assert torch.bincount(task).double() / 4000 == pytest.approx([0.25] * 4, abs=0.03)
    assert points.name_of(records.select([9]).to_json()[0]) == points.names[int(task[9])]
    together, _ = points.part([3, 1], together=8).sample(INDEX, RandomStreams(0))
    rows = together.view(5, 8)
    assert (rows == rows[:, :1]).all() and rows.unique().numel() == 2


def test_parts_keep_names_and_records():
    points = draw_points(RealESRGAN(4), 5, 0)
    part = points.part([4, 2])
    assert part.names == ["p0004", "p0002"] and part.masses.tolist() == [0.5, 0.5]
    assert part.to_json() == [
        {**points.to_json()[4], "mass": 0.5},
        {**points.to_json()[2], "mass": 0.5},
    ]


def _lines(**change: object) -> list[str]:
    lines = points_text(draw_points(RealESRGAN(4), 2, 0)).splitlines()
    return [json.dumps(json.loads(lines[0]) | change), lines[1]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "'points.jsonl' does not exist"),
        ("nonsense", "is not made of JSON lines"),
        ("[]", "must have task, pipeline, scale"),
        ('{"task": "a"}', "must have task, pipeline, scale"),
        ("", "has no task"),
        ("\n".join(_lines(task="p0001")), "two tasks of one name"),
        ("\n".join(_lines(scale=2)), "share pipeline and scale"),
        ("\n".join(_lines(more=1)), "must have the same parameters"),
        ("\n".join(_lines(sigma_x1="much")), "'sigma_x1' must be a number or null, found 'much'"),
        ("\n".join(_lines(pipeline="classical")[:1]), "belongs to another degradation"),
        ("\n".join(_lines(resize_mode1=7)), "'p0000' .*'resize1' cannot be drawn"),
        ("\n".join(_lines(noise_type1=None)), "'noise1' cannot be drawn"),
        ("\n".join(_lines(jpeg_quality1=150)), "'jpeg1' cannot be drawn"),
        ("\n".join(_lines(jpeg_quality1=50.5)), "'jpeg1' cannot be drawn"),
    ],
)
def test_bad_files_are_refused(text: str | None, sentence: str):
    if text is not None:
        Path("points.jsonl").write_text(text)
    with pytest.raises(ValueError, match=sentence):
        TASK_SETS.build({"type": "Points", "file": "points.jsonl"}, RealESRGAN(4))


def test_paired_data_has_no_points():
    with pytest.raises(ValueError, match="paired data has none"):
        TASK_SETS.build({"type": "Points", "file": "x"}, None)


def test_reading_gives_names_and_records():
    Path("p.jsonl").write_text(points_text(draw_points(RealESRGAN(2), 3, 0)))
    names, records = read_points("p.jsonl", RealESRGAN(2))
    assert names == ["p0000", "p0001", "p0002"] and records.scale == 2
