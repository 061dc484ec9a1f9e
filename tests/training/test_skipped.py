from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.reporting import read_lines
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.run_folder import RunFolder
from realsr_mtl.training.skipped import SkippedSteps, read_replay
from realsr_mtl.training.trainer import Trainer
from tests._options import tiny
from tests.training._faulty import RELATIVE

ONE = "datasets:train:batch_size_per_gpu=1"
RUN = Path("experiments/tiny")


pytestmark = pytest.mark.usefixtures("faulty")


def _trainer(*overrides: str, resume: Path | None = None) -> Trainer:
    plan = TrainingPlan(tiny([RELATIVE, *overrides]))
    folder = RunFolder.of(plan.options)
    folder.create(resume=resume is not None)
    return Trainer(plan, folder, Processes(), resume)


def test_a_run_skips_names_and_keeps_the_samples(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    assert _trainer(ONE, "train:total_iter=10", "logger:print_freq=1").run()
    lines = read_lines(RUN / "nonfinite.jsonl")
    assert len(lines) == 2  # ten samples are two epochs of five images
    for line in lines:
        assert line["image"] == "img_002" and line["loss"] == "l_relative"
        content = read_replay(RUN / "nonfinite" / f"{line['iter']}.pth")
        assert content["samples"][0]["index"] == line["index"] == line["iter"] - 1
        assert content["samples"][0]["lq"].shape == (3, 8, 8)
        assert f"step {line['iter']} is skipped (1 in a row): l_relative is inf" in caplog.text
    assert "2 steps were skipped because of NaN or infinity" in caplog.text
    steps = read_lines(RUN / "strategy.jsonl")
    assert steps[-1]["skipped_steps"] == 2
    assert sum(steps[-1]["samples"].values()) == 8


def test_too_many_in_a_row_stop_the_run_and_the_last_checkpoint_stays() -> None:
    sentence = r"a step was skipped because of NaN or infinity.*l_relative is inf.*replay\.py"
    with pytest.raises(UserError, match=sentence):
        _trainer(ONE, "train:max_skipped=0", "logger:save_checkpoint_freq=1").run()
    at = read_lines(RUN / "strategy.jsonl")
    kept = RunFolder(RUN, Path("tb")).iterations()
    assert kept == list(range(1, len(kept) + 1)) and len(at) <= len(kept) < 6


def test_counting_goes_on_after_a_resume() -> None:
    options = (ONE, "train:total_iter=10", "logger:save_checkpoint_freq=1")
    _trainer(*options, "name=whole").run()
    _trainer(*options, "name=tiny").run()
    for iteration in (3, 5, 8):
        resume = RUN / f"training_states/{iteration}.state"
        _trainer(*options, "name=tiny", resume=resume).run()
        for file in ("nonfinite.jsonl", "strategy.jsonl", "metrics.jsonl"):
            assert read_lines(RUN / file) == read_lines(Path("experiments/whole") / file)
    states = [
        torch.load(Path(f"experiments/{n}/training_states/10.state")) for n in ("whole", "tiny")
    ]
    assert states[0]["skipped"] == states[1]["skipped"] == {"in_a_row": 0, "total": 2}


def test_suspicion_falls_on_the_weights_when_every_sample_is_at_fault(tmp_path: Path) -> None:
    steps = SkippedSteps(tmp_path, Processes(), most=3, batch=1)
    assert steps.skipped(1, [], dict) == [{"iter": 1}]
    assert not steps.suspect and steps.in_a_row == 1
    steps.skipped(2, [], dict)
    assert steps.suspect
    steps.made()
    assert not steps.suspect and steps.in_a_row == 0 and steps.total == 2


def test_only_a_few_steps_are_kept_for_replay() -> None:
    _trainer(ONE, "train:total_iter=40", "val=null").run()
    assert len(read_lines(RUN / "nonfinite.jsonl")) == 8
    assert len(list((RUN / "nonfinite").iterdir())) == 5


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut", "weights"])
def test_other_files_are_no_replays(content: bytes | str | None, tmp_path: Path) -> None:
    file = tmp_path / "7.pth"
    if content == "weights":
        torch.save({"params": {}}, file)
    elif isinstance(content, bytes):
        file.write_bytes(content)
    with pytest.raises(UserError, match=r"7\.pth' (does not exist|cannot be read|is no file)"):
        read_replay(file)
