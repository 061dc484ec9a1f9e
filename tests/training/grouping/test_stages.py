from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation import ProbeSet
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import Targets, read_groups, read_points
from realsr_mtl.training.fine_tune import fine_tune
from realsr_mtl.training.grouping import GroupSearch, stages
from realsr_mtl.training.grouping.indicator import FineTuneIndicator
from realsr_mtl.training.probing import build_probes
from tests.training.grouping._plans import grouping_plan, prepare

ROOT = Path("groups")


@pytest.fixture(autouse=True)
def _prepared(make_images: Callable[..., Path]) -> None:
    prepare(make_images)


def search(*overrides: str, overwrite: bool = False, **options: Any) -> GroupSearch:
    found = GroupSearch(grouping_plan(*overrides, **options), Processes(), overwrite)
    found.run()
    return found


def contents() -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in ROOT.iterdir()}


def rows() -> list[dict[str, str]]:
    with (ROOT / "tasks.csv").open() as file:
        return list(csv.DictReader(file))


def test_all_stages_leave_plain_files():
    """Points 12, 13, 14 and 15."""
    search()
    table = rows()
    assert [row["task"] for row in table] == [f"p{i:04d}" for i in range(5)]
    low = [row for row in table if row["unsatisfactory"] == "1"]
    assert len(low) == 4  # ceil(0.8 * 5)
    highest = max(float(row["indicator"]) for row in low)
    assert all(float(r["indicator"]) >= highest for r in table if r["unsatisfactory"] == "0")
    points, groups = read_groups(ROOT / "groups.json", RealESRGAN(4))
    assert {name: len(own) for name, own in groups.items()} == {"G1": 2, "G2": 2}
    for name, members in groups.items():
        assert [row["task"] for row in table if row["group"] == name] == [
            points.names[i] for i in sorted(members)
        ]
    first = {row["task"]: float(row["improvement_1"]) for row in low}
    left = {row["task"] for row in low if row["improvement_2"]}
    assert left == first.keys() - {points.names[i] for i in groups["G1"]}
    assert min(first[points.names[i]] for i in groups["G1"]) >= max(first[t] for t in left)
    control = json.loads((ROOT / "random_groups.json").read_text())["groups"]
    assert [(g["name"], len(g["points"])) for g in control] == [("G1", 2), ("G2", 2)]


def test_improvement_is_psnr_after_minus_before_a_training_from_the_start_on_what_is_left():
    """Points 12 and 13, by hand for the second round."""
    found = search()
    names, _ = read_points(ROOT / "points.jsonl", RealESRGAN(4))
    kept = json.loads((ROOT / "round_2.json").read_text())
    left = [names.index(name) for name in kept]
    joint = found.plan.changed(["train:total_iter=4", "train:optim_g:lr=1e-3"])
    points = found.points()
    tasks = points.part(left, together=4)
    learner = fine_tune(joint, joint.images("train"), tasks, {"type": "Natural"}, Processes())
    probes = build_probes(joint, points.part(left), Targets(4), Processes())
    gains = probes.psnr(learner.evaluated) - probes.psnr(joint.pretrained())
    assert list(kept.values()) == pytest.approx(gains.tolist(), abs=1e-9)
    assert any(abs(gain) > 1e-4 for gain in kept.values())


def test_a_second_call_does_nothing_anew_and_the_results_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
):
    search()
    before = contents()

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("was done already")

    monkeypatch.setattr(FineTuneIndicator, "scores", never)
    monkeypatch.setattr(ProbeSet, "psnr", never)
    monkeypatch.setattr(stages, "fine_tune", never)
    search()
    assert contents() == before


class _KilledError(Exception):
    pass


def test_a_killed_search_goes_on_after_every_task_and_round(monkeypatch: pytest.MonkeyPatch):
    """Point 15."""
    search()
    whole = contents()
    for file in ROOT.iterdir():
        file.unlink()
    scored: list[int] = []
    true_scores, true_tune = FineTuneIndicator.scores, fine_tune

    def scores(self: FineTuneIndicator, tasks: list[int]) -> Any:
        if len(scored) in (2, 4):
            scored.append(-1)
            raise _KilledError
        scored.extend(tasks)
        return true_scores(self, tasks)

    rounds: list[str] = []

    def tune(*arguments: Any) -> Any:
        rounds.append(arguments[-1])
        if len(rounds) == 2:
            raise _KilledError
        return true_tune(*arguments)

    monkeypatch.setattr(FineTuneIndicator, "scores", scores)
    monkeypatch.setattr(stages, "fine_tune", tune)
    for _ in range(3):
        with pytest.raises(_KilledError):
            search()
    search()
    assert [task for task in scored if task >= 0] == [0, 1, 2, 3, 4]
    assert [title[:7] for title in rounds] == ["round 1", "round 2", "round 2"]
    assert contents() == whole


def test_the_same_options_give_the_same_groups_and_another_seed_other_points():
    search()
    whole = contents()
    search(folder="again")
    assert all((Path("again") / name).read_bytes() == text for name, text in whole.items())
    search(folder="other", seed=1)
    assert (Path("other") / "points.jsonl").read_bytes() != whole["points.jsonl"]


def test_changed_options_are_refused_and_discard_what_rests_on_them():
    search()
    before = contents()
    with pytest.raises(UserError, match="indicator_iter = 3, now it is 2"):
        search(indicator_iter=2)
    with pytest.raises(UserError, match="joint_iter = 4, now it is 5"):
        search(joint_iter=5)
    assert contents() == before
    search(joint_iter=5, overwrite=True)
    assert contents()["indicator.jsonl"] == before["indicator.jsonl"]
    assert contents()["round_1.json"] != before["round_1.json"]
    torch.save(
        {"params": {k: v * 1.01 for k, v in torch.load("start.pth")["params"].items()}}, "start.pth"
    )
    with pytest.raises(UserError, match="weights"):
        search(joint_iter=5)


def test_other_thresholds_use_the_rounds_that_fit(monkeypatch: pytest.MonkeyPatch):
    search()
    before, calls = contents(), []

    def tune(*arguments: Any) -> Any:
        calls.append(arguments[-1])
        return fine_tune(*arguments)

    monkeypatch.setattr(stages, "fine_tune", tune)
    search(thresholds=[0.6])
    after = contents()
    assert calls == [] and "round_2.json" not in after
    assert after["round_1.json"] == before["round_1.json"]
    assert len(json.loads(after["groups.json"])["groups"]) == 1
    search(thresholds=[0.3, 0.2])  # another group leaves, so the second round is another
    assert [title[:7] for title in calls] == ["round 2"]


def test_results_that_nothing_is_known_about_are_not_lost():
    search()
    (ROOT / "settings.json").unlink()
    with pytest.raises(UserError, match=r"does not say which options made 'points.jsonl'"):
        search()
    search(overwrite=True)


def test_edited_points_are_noticed():
    search()
    text = (ROOT / "points.jsonl").read_text().splitlines()
    record = json.loads(text[0])
    record["jpeg_quality1"] = 31.0 if record["jpeg_quality1"] != 31 else 32.0
    (ROOT / "points.jsonl").write_text("\n".join([json.dumps(record), *text[1:]]) + "\n")
    with pytest.raises(UserError, match=r"points\.jsonl = "):
        search()


def test_the_option_file_may_change_while_the_search_runs():
    found = GroupSearch(grouping_plan(), Processes())
    Path("tiny.yml").write_text("nonsense")
    found.run()


def test_speed_options_do_not_matter():
    search()
    search("datasets:train:num_worker_per_gpu=1", side_by_side=2)


def test_the_cheap_indicator_and_the_single_pass():
    search(indicator="gradient", gradient_batches=2, rounds="single")
    assert all(row["loss_after"] == "" for row in rows())
    low = [row for row in rows() if row["unsatisfactory"] == "1"]
    assert not (ROOT / "round_2.json").exists()
    assert all(r["improvement_2"] in ("", r["improvement_1"]) for r in low)


def test_without_a_group_the_sentence_says_how_far_tasks_came():
    with pytest.raises(UserError, match=r"no task improves .*the largest improvement is .* dB"):
        search(thresholds=[50], unit="dB")
    assert (ROOT / "tasks.csv").exists() and not (ROOT / "groups.json").exists()
    with pytest.raises(UserError, match="no task is unsatisfactory"):
        search(threshold=1e-6, overwrite=True)


def test_an_average_that_follows_too_slowly_is_mentioned(caplog: pytest.LogCaptureFixture):
    search("train:ema_decay=0.999")
    assert "still holds 100 % of the starting weights" in caplog.text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("strategy={grouping: {type: GivenGroups, file: x}}", "has no 'strategy: grouping: "),
        ("path={}", "has no path:pretrain_network_g"),
        ("path:pretrain_network_g=no.pth", "'no.pth' does not exist"),
        ("datasets:probe:dataroot_gt=val", "probe images are also in 'val'"),
        (
            "datasets:train={type: PairedImages, dataroot_gt: hr, dataroot_lq: hr, gt_size: 32}",
            "point tasks need HR images alone",
        ),
        ("train:precision=fp16", "not scaled for fp16"),
    ],
)
def test_mistakes_are_found_before_any_work(change: str, sentence: str):
    with pytest.raises(UserError, match=sentence):
        GroupSearch(grouping_plan(change), Processes())
    assert not ROOT.exists()
