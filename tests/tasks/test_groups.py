from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.errors import UserError
from realsr_mtl.tasks import TASK_SETS, Groups, GroupTasks, draw_points, points_text, read_groups

POINTS = 9
GROUPS = {"G1": ["p0002"], "G3": ["p0000", "p0005", "p0007", "p0008"]}


def write(groups: Any = GROUPS, **more: Any) -> str:
    """``groups.json`` and its points in the current folder."""
    Path("points.jsonl").write_text(points_text(draw_points(RealESRGAN(4), POINTS, 0)))
    entries = (
        [{"name": n, "points": p} for n, p in groups.items()]
        if isinstance(groups, dict)
        else groups
    )
    Path("groups.json").write_text(json.dumps({"points": "points.jsonl", "groups": entries} | more))
    return "groups.json"


def training(together: int = 1, groups: dict[str, list[str]] = GROUPS) -> GroupTasks:
    sampler = RealESRGAN(4)
    return GroupTasks(sampler, *read_groups(write(groups), sampler), together)


def names_of(tasks: GroupTasks, records: Any) -> list[str]:
    return [tasks.points.name_of(record) for record in records.to_json()]


def _chi_square(counts: Sequence[float]) -> float:
    mean = sum(counts) / len(counts)
    return sum((c - mean) ** 2 / mean for c in counts)


def test_groups_are_drawn_uniformly_whatever_their_size():
    """Point 16: 14 or 200 points, a group has the same chance; so have the points of a group."""
    tasks = training()
    index = torch.arange(30_000)
    task, records = tasks.sample(index, RandomStreams(0))
    assert tasks.names == ["G0", "G1", "G3"]
    assert _chi_square(torch.bincount(task).tolist()) < 9.21  # 1 % with two degrees of freedom
    counts = [
        names_of(tasks, records.select(index[task == 2][:4000])).count(n) for n in GROUPS["G3"]
    ]
    assert sum(counts) == 4000 and _chi_square(counts) < 11.34  # three degrees of freedom


def test_g0_is_the_living_space():
    """Point 17: new parameters for every sample, those of the plain sampler."""
    tasks, index, streams = training(together=8), torch.arange(64), RandomStreams(4)
    task, records = tasks.sample(index, streams, torch.zeros_like(index))
    assert records.to_json() == RealESRGAN(4).sample(index, streams).to_json()
    assert (task == 0).all() and len(records["sigma_x1"].unique()) > 50


def test_a_step_has_one_group_and_one_point():
    tasks, streams = training(together=8), RandomStreams(0)
    task, records = tasks.sample(torch.arange(80), streams)
    assert (task.view(10, 8) == task.view(10, 8)[:, :1]).all() and len(task.unique()) == 3
    names = names_of(tasks, records)
    for step in range(10):
        own = set(names[8 * step : 8 * step + 8])
        group = tasks.names[int(task[8 * step])]
        assert own == {""} if group == "G0" else (len(own) == 1 and own <= set(GROUPS[group]))
    half, _ = tasks.sample(torch.arange(40, 80), streams)  # whatever the process and the batch
    assert torch.equal(half, task[40:])


def test_with_g0_alone_training_is_the_baselines():
    """Point 18."""
    sampler, streams, index = RealESRGAN(4), RandomStreams(3), torch.arange(32)
    tasks = GroupTasks(sampler, draw_points(sampler, 3, 0), {}, together=8)
    task, records = tasks.sample(index, streams)
    assert (task == 0).all()
    assert records.to_json() == sampler.sample(index, streams).to_json()


def test_the_set_to_validate_on_keeps_natural_draws_and_shows_g0_by_points():
    tasks = TASK_SETS.build({"type": "Groups", "file": write()}, RealESRGAN(4))
    assert isinstance(tasks, Groups)
    assert tasks.masses.tolist() == [1, 0, 0]
    index, streams = torch.arange(300), RandomStreams(1)
    task, records = tasks.sample(index, streams)
    assert (task == 0).all()
    assert records.to_json() == RealESRGAN(4).sample(index, streams).to_json()
    _, records = tasks.sample(index, streams, torch.zeros_like(index))
    assert set(names_of(tasks, records)) == {"p0001", "p0003", "p0004", "p0006"}
    _, records = tasks.sample(index, streams, torch.full_like(index, 1))
    assert set(names_of(tasks, records)) == {"p0002"}


def test_without_points_left_g0_is_drawn_from_the_space():
    every = [f"p{i:04d}" for i in range(POINTS)]
    tasks = TASK_SETS.build({"type": "Groups", "file": write({"G1": every})}, RealESRGAN(4))
    index = torch.arange(5)
    _, records = tasks.sample(index, RandomStreams(0), torch.zeros_like(index))
    assert records.to_json() == RealESRGAN(4).sample(index, RandomStreams(0)).to_json()


def test_json_lists_the_points():
    entries = json.loads(json.dumps(training().to_json()))
    assert [entry["points"] for entry in entries] == [None, *GROUPS.values()]
    assert [entry["mass"] for entry in entries] == [1 / 3] * 3


@pytest.mark.parametrize(
    ("groups", "more", "sentence"),
    [
        ({"G1": ["p0001"], "G2": ["p0001"]}, {}, "'p0001' is in 'G1' and in 'G2'"),
        ({"G1": ["p9"]}, {}, "has no point 'p9'"),
        ({"G1": []}, {}, "'G1' is G0 or empty"),
        ({"G0": ["p0001"]}, {}, "'G0' is G0 or empty"),
        ({}, {}, "has no group"),
        ([{"name": "a", "points": ["p0001"]}] * 2, {}, "two of one name"),
        ([{"name": "a"}], {}, "is not of the form"),
        (GROUPS, {"points": "nowhere.jsonl"}, "'nowhere.jsonl' does not exist"),
    ],
)
def test_bad_files_are_refused(groups: Any, more: dict[str, Any], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        TASK_SETS.build({"type": "Groups", "file": write(groups, **more)}, RealESRGAN(4))


def test_missing_and_foreign_files_are_refused():
    with pytest.raises(ValueError, match=r"does not exist .*scripts/task_grouping.py"):
        read_groups("no.json", RealESRGAN(4))
    Path("bad.json").write_text("{")
    with pytest.raises(ValueError, match="is no JSON"):
        read_groups("bad.json", RealESRGAN(4))
    with pytest.raises(ValueError, match="belongs to another degradation"):
        read_groups(write(), RealESRGAN(2))
    with pytest.raises(ValueError, match="paired data has none"):
        TASK_SETS.build({"type": "Groups", "file": write()}, None)


@pytest.mark.parametrize("points", ["../points.jsonl", "/etc/passwd", "..", "a/b", "a\0b", ""])
def test_the_points_lie_beside_the_groups(points: str) -> None:
    Path("inner").mkdir()
    file = Path(write(points=points)).rename("inner/groups.json")
    with pytest.raises(ValueError, match=r"its points are in a file beside it"):
        read_groups(file, RealESRGAN(4))


@pytest.mark.parametrize("name", ["../G1", "a/b", "/tmp/x"])
def test_groups_are_named_like_files(name: str) -> None:
    with pytest.raises(ValueError, match="unusable name"):
        Groups(RealESRGAN(4), file=write({name: ["p0002"]}))


HOSTILE = (
    *(
        None,
        True,
        0,
        -1,
        1e308,
        10**30,
        float("nan"),
        float("inf"),
        "",
        "x" * 10**5,
        "\0",
        "\ud800",
    ),
    *([], [[]], {}, {"a": 1}, [None], "../../etc/passwd"),
)


@pytest.mark.parametrize("seed", range(8))
def test_mutated_files_give_groups_or_one_sentence(seed: int) -> None:
    draw, refused = random.Random(seed), 0
    file = Path(write())
    good, lines = file.read_text(), Path("points.jsonl").read_text().splitlines()
    for _ in range(40):
        content, entries = json.loads(good), [json.loads(line) for line in lines]
        value: Any = draw.choice((content, *entries, *content["groups"]))
        value[draw.choice(list(value))] = draw.choice(HOSTILE)
        file.write_text(json.dumps(content))
        Path("points.jsonl").write_text("".join(f"{json.dumps(e)}\n" for e in entries))
        if draw.random() < 0.1:
            file.write_text(draw.choice(("[" * 10**5, "", "{", "9" * 5000, "[1]", "5", "\ufeff{}")))
        try:
            TASK_SETS.build({"type": "Groups", "file": str(file)}, RealESRGAN(4))
        except UserError as error:
            refused += 1
            assert str(error).isprintable()
            assert len(str(error)) < 2100
    assert refused > 20
