from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.errors import OptionError
from realsr_mtl.tasks import TASK_SETS, Partition, Regions


def write(entries) -> str:
    Path("tasks.json").write_text(json.dumps(entries))
    return "tasks.json"


def test_the_file_of_a_run_folder_gives_the_same_tasks():
    sampler = RealESRGAN(4)
    partition = Partition(sampler)
    regions = Regions(sampler, file=write(partition.to_json()))
    assert regions.names == partition.names
    assert torch.equal(regions.masses, partition.masses)
    assert regions.to_json() == partition.to_json()


HALF = {"name": "a", "region": {"resize_scale2": {"min": 0.6}}}
OTHER = {"name": "b", "region": {"resize_scale2": {"below": 0.6}}}


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([HALF], r"hold 0\.\d+ of this degradation space"),
        ([HALF, OTHER, {**HALF, "name": "c"}], r"hold 1\.\d+ of this degradation space"),
        ([HALF, {**OTHER, "name": "a"}], "two of one name"),
        ([], "has no task"),
        ({"tasks": []}, "is not a list of"),
        ([{"name": "a"}], "is not a list of"),
        ([{"name": "a", "region": {"resize_scale2": {"least": 1}}}], "is not a list of"),
        ([{"name": "a", "region": {"no_such": {"min": 1}}}], "'no_such' is no parameter"),
    ],
)
def test_wrong_files_are_explained(entries, sentence):
    file = write(entries)
    with pytest.raises(OptionError, match=sentence):
        TASK_SETS.build({"type": "Regions", "file": file}, RealESRGAN(4))


def test_regions_that_overlap_as_much_as_they_leave_out_are_refused():
    halves = [
        {"name": "a", "region": {"final_order": {"max": 0}}},
        {"name": "b", "region": {"noise_type1": {"max": 0}}},
    ]
    with pytest.raises(ValueError, match=r"tasks\.json'.*lies in no task or in more than one"):
        Regions(RealESRGAN(4), file=write(halves))


@pytest.mark.parametrize(("content", "sentence"), [(None, "does not exist"), ("{", "is no JSON")])
def test_missing_and_broken_files(content, sentence):
    if content is not None:
        Path("tasks.json").write_text(content)
    with pytest.raises(ValueError, match=sentence):
        Regions(RealESRGAN(4), file="tasks.json")


def test_pairs_have_no_regions():
    with pytest.raises(ValueError, match="paired data has none"):
        Regions(None, file="tasks.json")
