from __future__ import annotations

import json
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from realsr_mtl.command import INTERRUPTED
from realsr_mtl.config.reader import read_yaml
from realsr_mtl.errors import UserError
from realsr_mtl.reporting.report import write_report
from realsr_mtl.reporting.run_record import read_sessions
from realsr_mtl.training.command import train
from realsr_mtl.training.trainer import Trainer
from tests._options import TINY, arguments, write_options

pytestmark = pytest.mark.usefixtures("images")


def test_options_tasks_and_log_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    write_options()
    assert train(arguments("train:total_iter=2")) == 0
    root = Path("experiments/tiny")
    resolved, _ = read_yaml(root / "config.yml")
    assert resolved["train"]["total_iter"] == 2
    assert "train:total_iter = 2" in (root / "config_diff.txt").read_text()
    tasks = json.loads((root / "tasks.json").read_text())
    assert [t["name"] for t in tasks] == ["mild", "noise2"]
    assert tasks[1]["region"]["gaussian_sigma2"] == {"above": 15}
    (log,) = root.glob("train_tiny_*.log")
    assert "end of training" in log.read_text()
    assert "end of training" in capsys.readouterr().out


def test_a_run_can_be_watched_and_says_how_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = []

    def page(folder: Path, small: bool) -> None:
        write_report(folder, small)
        pages.append((folder / "report/index.html").read_text())

    monkeypatch.setattr("realsr_mtl.training.validation.write_report", page)
    write_options()
    assert train(arguments("train:total_iter=6")) == 0
    assert ["running, or killed" in text for text in pages] == [True, True, False]
    assert 'class="badge good">finished' in pages[-1]
    train(arguments("train:total_iter=7", auto_resume=True))
    first, second = read_sessions(Path("experiments/tiny"))
    assert (first["status"], first["from_iteration"], first["to_iteration"]) == ("finished", 0, 6)
    assert (second["from_iteration"], second["to_iteration"]) == (6, 7)


def test_feeding_the_resolved_options_back_reproduces_the_run() -> None:
    write_options()
    train(arguments("train:total_iter=3"))
    first = Path("experiments/tiny/metrics.jsonl").read_text()
    Path("tiny.yml").write_text(Path("experiments/tiny/config.yml").read_text())
    train(arguments("name=again"))
    assert Path("experiments/again/metrics.jsonl").read_text() == first


def test_check_builds_and_trains_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    write_options()
    assert train(arguments("datasets:train:dataroot_gt=not_there", check=True)) == 0
    out = capsys.readouterr().out
    assert "tasks: 2 (mild, noise2)" in out
    assert "nothing was trained" in out
    assert not Path("experiments").exists()
    with pytest.raises(UserError, match="x2 but scale is 4"):
        train(arguments("network_g:upscale=2", check=True))


def test_auto_resume_goes_on_and_a_new_start_archives(capsys: pytest.CaptureFixture[str]) -> None:
    write_options()
    train(arguments("train:total_iter=3"))
    train(arguments(auto_resume=True))
    assert "resumed from" in capsys.readouterr().out
    assert Path("experiments/tiny/training_states/6.state").exists()
    train(arguments("train:total_iter=3"))
    assert len(list(Path("experiments").glob("tiny_archived_*"))) == 1


def test_auto_resume_follows_the_experiments_root() -> None:
    write_options()
    train(arguments("path:experiments_root=runs", "train:total_iter=3"))
    train(arguments("path:experiments_root=runs", auto_resume=True))
    assert Path("runs/tiny/training_states/6.state").exists()
    assert not list(Path("runs").glob("*archived*"))


def test_an_interrupted_run_has_its_own_status(monkeypatch: pytest.MonkeyPatch) -> None:
    write_options()
    monkeypatch.setattr(Trainer, "run", lambda self: False)
    assert train(arguments()) == INTERRUPTED


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("datasets:train:dataroot_gt=nowhere", "data folder 'nowhere' does not exist"),
        ("datasets:val:dataroot_gt=nowhere", "data folder 'nowhere' does not exist"),
        ("path:pretrain_network_g=no.pth", "weight file 'no.pth' does not exist"),
        ("path:resume_state=no.state", "training state 'no.state' does not exist"),
        ("num_gpu=1", "torch finds no GPU"),
        ("datasets:train:gt_size=200", "fewer than the patch of 200"),
    ],
)
def test_mistakes_end_in_a_sentence(
    override: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    write_options()
    with pytest.raises(UserError, match=sentence):
        train(arguments(override))


def test_tensorboard_files_are_written_and_read() -> None:
    write_options()
    train(arguments("logger:use_tb_logger=true", "train:total_iter=4"))
    events = EventAccumulator("tb_logger/tiny")
    events.Reload()
    assert [e.step for e in events.Scalars("losses/l_pix")] == [2, 4]
    assert [e.step for e in events.Scalars("metrics/val/psnr")] == [3, 4]


def test_a_new_run_does_not_archive_its_own_start() -> None:
    write_options()
    train(arguments("train:total_iter=3"))
    with pytest.raises(UserError, match="give the new run another name"):
        train(arguments("path:pretrain_network_g=experiments/tiny/models/net_g_3.pth"))
    assert not list(Path("experiments").glob("*archived*"))


@pytest.mark.parametrize(
    "mistake",
    ["strategy={sampling: {type: CDR}} && datasets:probe:dataroot_gt=nowhere",
     "strategy={weighting: {type: Focal}} && datasets:probe:dataroot_gt=hr",
     "strategy={gradients: {type: NashMTL}} && network_g={type: RealESRNetOfNobody}",
     "datasets:train:dataroot_gt=nowhere", "datasets:val:dataroot_gt=nowhere",
     "train:optim_g:lr=-1", "path:pretrain_network_g=no.pth", "network_g:upscale=2"],
)  # fmt: skip
def test_a_failed_start_leaves_the_earlier_run_in_its_place(mistake: str) -> None:
    write_options()
    train(arguments("train:total_iter=3"))
    with pytest.raises(UserError):
        train(arguments(*mistake.split(" && ")))
    assert Path("experiments/tiny/training_states/3.state").exists()
    assert [p.name for p in Path("experiments").iterdir()] == ["tiny"]


def test_resuming_from_a_state_that_is_not_there_leaves_the_others() -> None:
    write_options()
    train(arguments("train:total_iter=6"))
    with pytest.raises(UserError, match="does not exist"):
        train(arguments("path:resume_state=experiments/tiny/training_states/1.state"))
    names = {p.name for p in Path("experiments/tiny/training_states").iterdir()}
    assert names == {"3.state", "6.state"}


def test_check_sees_that_a_strategy_lacks_its_probes(capsys: pytest.CaptureFixture[str]) -> None:
    datasets = {key: block for key, block in TINY["datasets"].items() if key != "probe"}
    write_options(datasets=datasets, strategy={"sampling": {"type": "CDR"}})
    with pytest.raises(UserError, match="add 'datasets: probe'"):
        train(arguments(check=True))


def test_a_strategy_with_one_task_is_told_that_it_has_nothing_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_options(tasks=None, strategy={"weighting": {"type": "Art"}})
    assert train(arguments(check=True)) == 0
    assert "the strategy has nothing to do: there is one task, 'all'" in capsys.readouterr().out
