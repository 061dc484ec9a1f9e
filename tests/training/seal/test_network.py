from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import PointTasks, points_text
from realsr_mtl.training import TrainingPlan
from realsr_mtl.training.seal import CaseScorer, score_network
from realsr_mtl.training.seal.network import check_lines_apply, check_network_apart
from tests._options import tiny
from tests.training.seal._plans import benchmark, chosen


class Nearest(nn.Module):
    def forward(self, x):
        return x.repeat_interleave(4, -1).repeat_interleave(4, -2)


@pytest.fixture
def scorer() -> CaseScorer:
    own = benchmark()
    return CaseScorer(own, chosen(own), Processes())


@pytest.fixture
def heard(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    return caplog


def plan(*overrides: str, **blocks) -> TrainingPlan:
    return TrainingPlan(tiny(overrides, **blocks))


def test_scores_of_all_cases_with_what_they_depend_on(scorer):
    found = score_network(scorer, Nearest(), "nearest", "file.pth")
    assert found.names == scorer.cases.names
    assert found.values["psnr"][2] == scorer.score(Nearest(), found.names[2])["psnr"]
    assert found.better == {"psnr": "higher", "ssim": "higher"}
    assert found.about["weights"] == "file.pth"
    bicubic = score_network(scorer, None, "bicubic")
    assert bicubic.about["inputs"] == found.about["inputs"]
    assert not np.allclose(bicubic.values["psnr"], found.values["psnr"])
    scorer.score = lambda network, case: {"psnr": float("inf"), "ssim": 1.0}  # type: ignore[method-assign]
    with pytest.raises(UserError, match="'x' has no finite psnr on case"):
        score_network(scorer, None, "x")


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


def test_lines_of_other_cases_images_or_metrics_are_refused(scorer, heard):
    scores = score_network(scorer, None, "bicubic")
    about = {k: scores.about[k] for k in ("cases", "images", "metrics")}
    inputs = scores.about["inputs_of_cases"]
    check_lines_apply(scores, about, inputs)
    check_lines_apply(scores, {"file": "line.csv"}, {})
    assert heard.text == ""
    for key in ("cases", "images"):
        with pytest.raises(UserError, match=f"trained for other {key}"):
            check_lines_apply(scores, {**about, key: "other"}, inputs)
    metrics = {"psnr": {**about["metrics"]["psnr"], "crop_border": 4}}
    with pytest.raises(UserError, match="another definition of 'psnr'"):
        check_lines_apply(scores, {**about, "metrics": metrics}, inputs)
    check_lines_apply(scores, about, {**inputs, scores.names[0]: "x"})
    assert "LQ images of 1 cases differ" in heard.text
