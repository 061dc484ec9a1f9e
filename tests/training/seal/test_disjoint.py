from __future__ import annotations

import json
from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import PointTasks, points_text
from realsr_mtl.training import TrainingPlan
from realsr_mtl.training.seal import check_network_apart
from tests._options import tiny


def plan(*overrides: str, **blocks) -> TrainingPlan:
    return TrainingPlan(tiny(overrides, **blocks))


def test_images_of_the_report_are_not_those_of_the_training(scorer, heard):
    check_network_apart(scorer, plan())
    with pytest.raises(UserError, match="2 images of the report are in this set"):
        check_network_apart(scorer, plan("datasets:train:dataroot_gt=val"))
    check_network_apart(scorer, plan("datasets:train:dataroot_gt=elsewhere"))
    assert "whether 'train' holds images of the report is not known" in heard.text


def test_cases_of_the_report_are_not_points_of_the_training(scorer):
    sampler = plan().sampler()
    assert sampler is not None
    cases = scorer.cases
    points = PointTasks(sampler, cases.names, cases._records["RealESRGAN"])
    Path("points.jsonl").write_text(points_text(points))
    own = plan(tasks={"type": "Points", "file": "points.jsonl"})
    with pytest.raises(UserError, match="3 cases of the report are also in the points that 'tiny'"):
        check_network_apart(scorer, own)
    groups = {"points": "points.jsonl", "groups": [{"name": "G1", "points": cases.names[:1]}]}
    Path("groups.json").write_text(json.dumps(groups))
    grouped = {"grouping": {"type": "GivenGroups", "file": "groups.json"}}
    with pytest.raises(UserError, match="also in the points that 'tiny'"):
        check_network_apart(scorer, plan(strategy=grouped))


def test_training_on_cases_that_the_validation_reports_on_is_refused(scorer):
    sampler = plan().sampler()
    assert sampler is not None
    cases = scorer.cases
    points = PointTasks(sampler, cases.names, cases._records["RealESRGAN"])
    Path("points.jsonl").write_text(points_text(points))
    file = f"datasets:val:cases={scorer.benchmark.case_file}"
    own = plan(file, tasks={"type": "Points", "file": "points.jsonl"})
    with pytest.raises(UserError, match="also in the points of this training"):
        own.training_tasks(own.tasks(own.sampler()), Processes())
    other = plan(file)
    other.training_tasks(other.tasks(other.sampler()), Processes())
