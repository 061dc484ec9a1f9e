from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.seal.pool import Family
from realsr_mtl.tasks import CaseTasks, cases_text
from realsr_mtl.training.seal import LineTraining, choose_cases, line_training
from tests.training.seal._plans import benchmark, chosen

FILE = Path("experiments/tiny/lines/lines.json")


def training(*overrides: str, overwrite: bool = False, **seal: Any) -> LineTraining:
    own = benchmark(*overrides, overwrite=overwrite, **seal)
    cases = own.cases() if own.case_file.exists() else chosen(own)
    return LineTraining(own, own.families, cases, Processes())


def content() -> dict[str, Any]:
    return json.loads(FILE.read_text())


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """Every training: line, case and seed, in order."""
    made: list[tuple[str, str, int]] = []
    original = LineTraining._network

    def counted(self, line, case, seed, title):
        made.append((line, case, seed))
        return original(self, line, case, seed, title)

    monkeypatch.setattr(LineTraining, "_network", counted)
    return made


@pytest.fixture
def in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that have hardly learnt anything are taken as they are."""
    monkeypatch.setattr(LineTraining, "_gap", lambda self, value: 1.0)


def test_lines_are_trained_for_every_case(in_order, tries):
    own = training()
    lines = own.run()
    assert lines.names == own.scorer.cases.names
    assert lines.acceptance["psnr"].shape == lines.excellence["ssim"].shape == (3,)
    assert [(line, seed) for line, _, seed in tries] == 3 * [("acceptance", 3), ("excellence", 3)]
    found = content()
    assert found["lines_of"] == ["psnr", "ssim"]
    assert found["about"]["acceptance"]["num_feat"] == 4
    assert found["about"]["recipe"]["total_iter"] == 2
    for value in found["values"].values():
        assert value["bicubic"].keys() == {"psnr", "ssim"}
        assert (value["steps"], value["attempts"]) == (2, 1)
    assert sorted(file.name for file in FILE.parent.iterdir()) == [
        "lines.json",
        "settings.json",
        "warm_acceptance.pth",
        "warm_excellence.pth",
    ]


def test_both_networks_of_a_case_see_the_same_samples_of_that_case_alone(in_order, monkeypatch):
    batches: list[Any] = []
    original = line_training.fine_tune

    def watched(plan, images, tasks, sampling, processes, title=""):
        sample = tasks.sample

        def kept(index, streams, task=None):
            found = sample(index, streams, task)
            batches.append((title, index.tolist(), found[0].tolist(), found[1].to_json()))
            return found

        tasks.sample = kept
        try:
            return original(plan, images, tasks, sampling, processes, title)
        finally:
            del tasks.sample

    monkeypatch.setattr(line_training, "fine_tune", watched)
    own = training(cases=2)
    own.run()
    title = f"1 of 2: {own.scorer.cases.names[0]}, "
    small, large = (
        [batch[1:] for batch in batches if batch[0] == title + line]
        for line in ("acceptance", "excellence")
    )
    assert small == large
    assert len(small) == 2  # steps
    records = [record for _, _, batch in small for record in batch]
    assert {task for _, tasks, _ in small for task in tasks} == {0}
    assert len({record["resize_scale1"] for record in records}) == 1
    seeds = [record["noise_seed1"] for record in records]
    assert len(set(seeds)) == len(seeds)
    tested = own.scorer._set(own.scorer.cases.names[0])
    frozen = [tested.load(i).parameters for i in range(len(tested))]
    assert {int(p["noise_seed1"]) for p in frozen if p is not None}.isdisjoint(seeds)


def test_a_killed_run_goes_on_with_the_next_case(in_order, tries, monkeypatch):
    score = line_training.CaseScorer.score

    def killed(self, network, case):
        if len(tries) == 4:
            raise KeyError("kill")
        return score(self, network, case)

    monkeypatch.setattr(line_training.CaseScorer, "score", killed)
    with pytest.raises(KeyError):
        training().run()
    assert len(content()["values"]) == 1
    kept = content()["values"]
    monkeypatch.setattr(line_training.CaseScorer, "score", score)
    tries.clear()
    warm = {file: file.stat().st_mtime_ns for file in FILE.parent.glob("warm_*")}
    training().run()
    assert len(tries) == 4  # two networks for each of the two cases that were missing
    assert content()["values"].items() >= kept.items()
    assert {file: file.stat().st_mtime_ns for file in FILE.parent.glob("warm_*")} == warm
    whole = FILE.read_bytes()
    FILE.unlink()
    training().run()
    assert FILE.read_bytes() == whole
    tries.clear()
    assert training().run().names == list(content()["values"])
    assert tries == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (["train:total_iter=3"], "recipe:total_iter = 2, now it is 3"),
        (["train:optim_g:lr=1e-2"], "train:optim_g:lr = 0.001"),
        (["manual_seed=4"], "seed = 3, now it is 4"),
        (["datasets:val:seed=6"], "results for images = "),
        (["datasets:val:max_images=1"], "results for images = "),
        (["val:metrics:psnr:crop_border=4"], "metrics:psnr:crop_border = 0, now it is 4"),
        (["seal:acceptance:num_feat=6"], "acceptance:num_feat = 4, now it is 6"),
        (["network_g:num_feat=6"], "excellence:num_feat = 8, now it is 6"),
        (["seal:warm_iter=3"], "warm_iter = 2, now it is 3"),
    ],
)
def test_other_images_metrics_recipes_or_networks_are_an_error(
    in_order, tries, monkeypatch, change, place
):
    def nothing_to_do(self, about):
        return {name: {} for name in self._cases.names}

    monkeypatch.setattr(LineTraining, "_known", nothing_to_do)
    monkeypatch.setattr(line_training, "read_lines_file", lambda file: None)
    training().run()
    before = FILE.read_bytes()
    with pytest.raises(UserError, match=place):
        training(*change).run()
    assert FILE.read_bytes() == before
    training(*change, overwrite=True).run()


def test_speed_and_names_are_not_part_of_the_recipe(in_order, tries):
    training(cases=2).run()
    before = len(tries)
    training("datasets:train:pin_memory=false", "train:compile=false", "name=tiny", cases=2).run()
    assert len(tries) == before


def test_new_cases_are_added_and_changed_ones_are_an_error(in_order, tries):
    own = benchmark(cases=4)
    cases = chosen(own)
    records = [entry["record"] for entry in cases.to_json()]
    own.case_file.write_text(cases_text(cases.cases[:2], records[:2]))
    training(cases=4).run()
    tries.clear()
    own.case_file.write_text(cases_text(cases.cases, records))
    assert len(training(cases=4).run().names) == 4
    assert {case for _, case, _ in tries} == set(cases.names[2:])
    assert content()["about"]["cases"] == cases.digest
    swapped = [records[1], records[0], *records[2:]]
    own.case_file.write_text(cases_text(cases.cases, swapped))
    with pytest.raises(UserError, match=f"'{cases.names[0]}', which .* has with other parameters"):
        training(cases=4).run()
    own.case_file.write_text(cases_text(cases.cases[1:], records[1:]))
    with pytest.raises(UserError, match=f"'{cases.names[0]}', which .* has no more"):
        training(cases=4).run()
    training(cases=4, overwrite=True).run()
    assert list(content()["values"]) == cases.names[1:]


def test_a_case_in_the_wrong_order_is_trained_once_more_and_then_left(tries, monkeypatch, caplog):
    monkeypatch.setattr(LineTraining, "_gap", lambda self, value: -0.3)
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    training(cases=2).run()
    name = next(iter(content()["values"]))
    assert [own for own in tries if own[1] == name] == [
        ("acceptance", name, 3),
        ("excellence", name, 3),
        ("acceptance", name, 4),
        ("excellence", name, 4),
    ]
    value = content()["values"][name]
    assert (value["attempts"], value["seed"]) == (2, 4)
    assert "trained once more with another seed" in caplog.text
    assert "it will not count" in caplog.text


def test_from_scratch_and_several_families(in_order):
    own = benchmark(cases=4, warm_iter=3)
    both = [Family("a", {"type": "RealESRGAN"}, 0.5), Family("b", {"type": "BSRGAN"}, 0.5)]
    cases = choose_cases(own, both)
    LineTraining(own, {family.name: family for family in both}, cases, Processes()).run()
    assert set(content()["about"]["recipe"]["families"]) == {"a", "b"}
    scratch = benchmark(cases=2, warm_iter=0, folder="scratch")
    LineTraining(scratch, scratch.families, chosen(scratch), Processes()).run()
    assert not list(Path("scratch/lines").glob("warm_*"))


def test_a_loss_or_a_score_that_is_not_finite_is_named(in_order):
    own = training()
    with pytest.raises(UserError, match=r"case 'x' scores .*inf"):
        own._finite({"psnr": float("inf")}, "x")


def test_the_noise_of_a_sample_differs_from_step_to_step():
    cases: CaseTasks = chosen(benchmark())
    index, task = torch.arange(2), torch.zeros(2, dtype=torch.int64)
    _, records = cases.sample(index, RandomStreams(3), task)
    assert records["noise_seed1"][0] != records["noise_seed1"][1]
