from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.tasks import cases_text
from tests.training.seal._plans import benchmark, chosen


def test_families_are_those_of_the_file_with_every_option():
    own = benchmark().families
    assert list(own) == ["RealESRGAN"]
    assert own["RealESRGAN"].space["noise_range"] == [1, 30]
    own = benchmark(families={"mine": {"type": "BSRGAN", "share": 2}}).families
    assert (own["mine"].share, own["mine"].space["type"]) == (2, "BSRGAN")
    assert "share" not in own["mine"].space


def test_the_least_gap_of_each_metric():
    assert benchmark().tau == {"psnr": 0.1, "ssim": 0.01}
    assert benchmark(tau={"psnr": 0.3}).tau["psnr"] == 0.3


def test_references_are_crops_of_the_probe_images():
    own = benchmark("datasets:probe:gt_size=36", references=2).references()
    assert len(own) == 2
    assert {tuple(image.shape) for image in own.values()} == {(3, 36, 36)}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["seal=null", "val:val_freq=1"], "there is no 'seal' block"),
        (["degradation=null"], "add a 'degradation' block"),
        (["strategy={sampling: {type: Uniform}}"], "leave the strategy out"),
        (["gt_usm=true"], "not sharpened"),
        (["train:scheduler={type: MultiStepLR, milestones: [1]}"], "leave the scheduler out"),
        (["datasets:val2={type: ImageFolder, dataroot_gt: probe}"], "one data set 'val', found 2"),
        (["val:metrics={}"], "a report needs metrics"),
        (["seal:tau={lpips: 0.1}"], "no metric 'lpips'"),
        (["seal:tau={psnr: 0}"], "a least gap is positive"),
        (["val:metrics={niqe: {type: NIQE}}"], "no metric has a least gap"),
        (["seal:acceptance={type: SEALAcceptanc}"], "did you mean 'SEALAcceptance'"),
        (["seal:families={x: {type: BSRGAN, sharee: 1}}"], "did you mean 'share'"),
        (["datasets:train:cases=x"], "cases are for reports"),
    ],
)
def test_options_that_do_not_fit(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        benchmark(*changes)


def test_no_image_is_in_two_of_the_three_sets():
    with pytest.raises(UserError, match="probe images are also in 'train'"):
        benchmark("datasets:probe:dataroot_gt=hr").references()
    with pytest.raises(UserError, match="probe images are also in 'val'"):
        benchmark("datasets:probe:dataroot_gt=val").references()
    with pytest.raises(UserError, match="images of the report are also trained on"):
        benchmark("datasets:val:dataroot_gt=hr").report_images()
    with pytest.raises(UserError, match="there are 2 images, seal:references asks for 3"):
        benchmark(references=3).references()


def test_cases_of_another_scale_are_refused():
    own = benchmark()
    with pytest.raises(UserError, match=r"seal.py cases"):
        own.cases()
    cases = chosen(own)
    other = [entry["record"] | {"scale": 2} for entry in cases.to_json()]
    own.case_file.write_text(cases_text(cases.cases, other))
    with pytest.raises(UserError, match="is for scale 2"):
        own.cases()


def test_a_validation_set_is_degraded_by_cases():
    chosen(benchmark())
    shutil.copy("experiments/tiny/cases.jsonl", "cases.jsonl")
    plan = benchmark("datasets:val:cases=cases.jsonl").plan
    found = plan._evaluation_set("val", plan.tasks(plan.sampler()), plan.targets(plan.network()))
    assert len(found) == 2 * 3
    assert found.tasks == [case.name for case in benchmark().cases().cases]
    assert found.load(1).lq.shape == (1, 3, 10, 12)
    assert found.load(1).lq.mul(255).round().div(255).equal(found.load(1).lq)
    with pytest.raises(UserError, match=r"'no.jsonl' does not exist"):
        plan.changed(["datasets:val:cases=no.jsonl"])._evaluation_set(
            "val", plan.tasks(plan.sampler()), plan.targets(plan.network())
        )
    assert Path("cases.jsonl").is_file()
