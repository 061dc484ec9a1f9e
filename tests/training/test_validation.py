from __future__ import annotations

import logging
import math
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.reporting import Tracker, read_lines
from realsr_mtl.reporting.scores import read_masses, read_scores
from realsr_mtl.tasks import Targets
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.run_folder import RunFolder
from realsr_mtl.training.validation import Validation
from tests._options import TINY, tiny

pytestmark = pytest.mark.usefixtures("images")


def _validation(*overrides: str) -> tuple[Validation, TrainingPlan, Tracker]:
    plan = TrainingPlan(tiny(overrides))
    folder = RunFolder.of(plan.options)
    folder.create(resume=True)
    tasks = plan.tasks(plan.sampler())
    return (
        Validation(plan, folder, Processes(), tasks, Targets(4)),
        plan,
        Tracker(folder.root, None),
    )


def test_due_every_so_many_iterations_and_at_the_end() -> None:
    validation, _, _ = _validation()
    assert [i for i in range(1, 9) if validation.due(i, last=i == 8)] == [3, 6, 8]
    without, _, _ = _validation("val=null")
    assert not without.due(8, last=True)


def test_the_table_shows_the_gain_over_bicubic_and_the_best(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    caplog.set_level(logging.INFO, logger="realsr_mtl")
    validation, plan, tracker = _validation()
    validation.start(tracker, 0)
    network = plan.network()
    assert validation.run(network, 3, tracker)
    text = caplog.text
    assert "Validation val" in text
    assert "Best: " in text
    assert "@ 3 iter" in text
    assert "noise2" in text
    rows = read_lines(Path("experiments/tiny/metrics.jsonl"))
    gain = rows[2]["psnr"] - rows[0]["psnr"]
    assert f"({gain:+.4f})" in text


def test_scores_of_single_images_add_up_to_the_table() -> None:
    validation, plan, tracker = _validation()
    validation.start(tracker, 0)
    validation.run(plan.network(), 3, tracker)
    root = Path("experiments/tiny")
    rows = read_lines(root / "metrics.jsonl")
    for label, network in (("bicubic", "bicubic"), ("3", "net_g")):
        scores = read_scores(root / "scores" / f"val_{label}.csv")
        for row in (r for r in rows if r["network"] == network):
            own = [s for s in scores if s.task == row["task"]]
            assert len(own) == row["images"] == 2
            assert math.fsum(s.values["psnr"] for s in own) / 2 == row["psnr"]
    assert sum(read_masses(root).values()) == pytest.approx(1)
    spent = [set(r["seconds"]) for r in read_lines(root / "training.jsonl")]
    assert spent == [{"validation"}, {"validation"}, {"report"}]


def test_a_page_that_cannot_be_drawn_ends_no_training(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    validation, plan, tracker = _validation()  # there is no config.yml
    validation.run(plan.network(), 3, tracker)
    assert "the report was not written: 'experiments/tiny' is no folder" in caplog.text

    def broken(folder: Path, small: bool) -> None:
        raise KeyError("x")

    monkeypatch.setattr("realsr_mtl.training.validation.write_report", broken)
    validation.report()
    assert "the report could not be drawn" in caplog.text


def test_tensorboard_gets_the_first_image_of_every_task_and_the_heat_map() -> None:
    validation, plan, _ = _validation("logger:use_tb_logger=true")
    tracker = Tracker(Path("experiments/tiny"), Path("tb"))
    validation.run(plan.network(), 3, tracker)
    tracker.close()
    events = EventAccumulator("tb")
    events.Reload()
    tags = {"images/val/mild", "images/val/noise2", "heat_maps/validation_val"}
    assert set(events.Tags()["images"]) == tags
    (picture,) = events.Images("images/val/mild")
    assert (picture.width, picture.height) == (3 * 48, 40)


def test_best_values_follow_the_direction_of_the_metric() -> None:
    validation, _, _ = _validation("val:metrics:ssim:better=lower")
    assert validation._update_best("val", {"psnr": 20.0, "ssim": 0.5}, 1) == {"psnr", "ssim"}
    assert validation._update_best("val", {"psnr": 21.0, "ssim": 0.6}, 2) == {"psnr"}
    assert validation._update_best("val", {"psnr": 19.0, "ssim": 0.4}, 3) == {"ssim"}
    assert validation.best["val"]["psnr"] == {"value": 21.0, "iter": 2}
    assert validation.best["val"]["ssim"] == {"value": 0.4, "iter": 3}


def test_images_of_two_sets_do_not_overwrite_each_other() -> None:
    sets = {**TINY["datasets"], "val_2": {"type": "ImageFolder", "dataroot_gt": "val", "seed": 6}}
    plan = TrainingPlan(tiny(["val:save_img=true"], datasets=sets))
    folder = RunFolder.of(plan.options)
    folder.create(resume=True)
    tasks = plan.tasks(plan.sampler())
    Validation(plan, folder, Processes(), tasks, Targets(4)).run(plan.network(), 3, None)
    written = sorted(p.relative_to(folder.visualization).as_posix()
                     for p in folder.visualization.rglob("*.png"))  # fmt: skip
    assert len(written) == 8
    assert "val/img_020/img_020_mild_3.png" in written
    assert "val_2/img_021/img_021_noise2_3.png" in written


def test_an_unusable_metric_shows_before_training() -> None:
    validation, _, _ = _validation("val:metrics:ssim:crop_border=19")
    with pytest.raises(UserError, match=r"SSIM needs 11|nothing inside crop"):
        validation.start(None, 0)


def test_a_metric_without_its_weights_is_left_out_with_a_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path / "no_weights"))
    validation, plan, _ = _validation("val:metrics:lpips={type: calculate_lpips}")
    assert "metric 'lpips' is left out" in caplog.text
    assert "lpips.LPIPS(net='vgg')" in caplog.text
    validation.run(plan.network(), 3, None)
    assert set(validation.best["val"]) == {"psnr", "ssim"}


def test_a_value_that_is_no_number_is_never_the_best() -> None:
    validation, _, _ = _validation()
    assert validation._update_best("val", {"psnr": float("nan")}, 1) == set()
    assert validation._update_best("val", {"psnr": 20.0}, 2) == {"psnr"}
    assert validation._update_best("val", {"psnr": float("nan")}, 3) == set()
    assert validation.best["val"]["psnr"] == {"value": 20.0, "iter": 2}
