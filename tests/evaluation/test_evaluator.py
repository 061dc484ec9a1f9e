from __future__ import annotations

import logging
import math
import re
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from realsr_mtl.archs import build_network
from realsr_mtl.data import ImageFolder, LQFolder
from realsr_mtl.degradations import SAMPLERS
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation.evaluator import Evaluator, ImageScore, image_rows, task_rows
from realsr_mtl.evaluation.frozen import EvaluationSet
from realsr_mtl.evaluation.images import write_image
from realsr_mtl.evaluation.inference import Inference
from realsr_mtl.evaluation.tiling import Tile
from realsr_mtl.metrics import NIQE, PSNR, SSIM, Metric
from realsr_mtl.metrics.base import Levels
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import SingleTask
from tests._inputs import photograph
from tests.data._hostile import write_hostile

Make = Callable[..., Path]


class Mean(Metric):
    """The mean grey level: tells what a metric was given."""

    needs_reference = False

    def score(self, image: Levels, reference: Levels | None) -> float:
        return float(image.mean())


def _evaluator(folder: Path, processes: Processes | None = None, **metrics: Any) -> Evaluator:
    tasks = SingleTask(SAMPLERS.build({"type": "Classical"}, 4))
    dataset = EvaluationSet("set", ImageFolder(4, dataroot_gt=str(folder)), 4, tasks)
    chosen = metrics or {"psnr": PSNR(crop_border=4), "ssim": SSIM(crop_border=4)}
    return Evaluator([dataset], chosen, processes or Processes(), progress=False)


def test_scores_are_the_metrics_of_the_restored_images(make_images: Make) -> None:
    evaluator = _evaluator(make_images("hr"))
    network = build_network({"type": "SRVGGNetCompact", "num_feat": 4, "num_conv": 1}, 4, 0)
    network.train()
    saved: dict[str, Any] = {}
    scores = evaluator.score_network(network, lambda d, f, image: saved.update({f.name: image}))
    assert network.training
    assert [s.image for s in scores] == ["img_000", "img_001", "img_002"]
    for entry, score in enumerate(scores):
        gt = evaluator.sets[0].load(entry).gt
        assert score.values["psnr"] == PSNR(crop_border=4)(saved[score.image], gt)


def test_shares_of_all_ranks_make_the_table_of_one(make_images: Make) -> None:
    folder = make_images("hr", count=5)
    whole = _evaluator(folder).score_bicubic()
    parts = []

    class Rank(Processes):
        def gather(self, value: Any) -> list[Any]:
            parts.append(value)
            return [*parts]

    for rank in range(2):
        together = _evaluator(folder, Rank(rank, 2)).score_bicubic()
    assert [len(part) for part in parts] == [3, 2]
    assert together == whole
    assert task_rows(together, "bicubic", 1) == task_rows(whole, "bicubic", 1)


def test_odd_files_are_scored_or_named(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    reasons = write_hostile(Path("odd"))
    Image.fromarray(photograph(1, 9)).save("odd/thin.png")
    Image.fromarray(photograph(9, 9)).save("odd/small.png")
    evaluator = _evaluator(Path("odd"), psnr=PSNR(crop_border=0), ssim=SSIM(crop_border=0))
    evaluator.sets[0].max_failed = 1
    network = build_network({"type": "SRVGGNetCompact", "num_feat": 4, "num_conv": 1}, 4, 0)
    for scores in (
        evaluator.score_network(network, how=Inference(Tile(64, pad=4, blend=2))),
        evaluator.score_bicubic(),
    ):
        names = {"cmyk", "deep", "palette", "really_a_png", "below"}
        assert {s.image.split("good_")[1] for s in scores} == names
        assert all(math.isfinite(value) for s in scores for value in s.values.values())
    reasons["thin"] = "image 'thin' has 9 x 1 pixels, fewer than the 4 a side of one LQ pixel"
    for name, pixels in (("small", "8, 8"), ("good_wide", "8, 30000"), ("good_high", "30000, 8")):
        reasons[name] = f"image '{name}' cannot be scored: SSIM needs 11 .* found .{pixels}"
    assert len({record.getMessage() for record in caplog.records}) == len(reasons)
    for reason in reasons.values():
        assert re.search(f"set: skipped: .*{reason}", caplog.text)


def test_very_long_images_are_scored_in_bounded_memory() -> None:
    Path("long").mkdir()
    for size in ((16, 30_000), (30_000, 16)):
        Image.fromarray(photograph(*size)).save(f"long/{size[0]}.png")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    scores = _evaluator(Path("long"), psnr=PSNR(crop_border=0)).score_bicubic()
    assert [s.image for s in scores] == ["16", "30000"]
    assert all(s.values["psnr"] > 10 for s in scores)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_unusable_images_are_named_and_counted(
    make_images: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    folder = make_images("hr", count=12)
    (folder / "broken.png").write_bytes(b"no image")
    scores = _evaluator(folder).score_bicubic()
    assert len(scores) == 12
    assert "broken.png" in caplog.text
    for name in ("worse.png", "worst.png"):
        (folder / name).write_bytes(b"no image")
    with pytest.raises(UserError, match="3 of 15 images"):
        _evaluator(folder).score_bicubic()


def test_without_reference_only_metrics_that_need_none_are_scored(make_images: Make) -> None:
    images = LQFolder(4, dataroot_lq=str(make_images("lq", count=1, size=(100, 100))))
    niqe = NIQE.__new__(NIQE)  # basicsr may be missing; the choice of metrics is what counts here
    niqe.crop_border, niqe.better = 0, "lower"
    niqe.score = lambda image, reference: 5.0  # type: ignore[method-assign]
    dataset = EvaluationSet("lq", images, 4, SingleTask(None))
    evaluator = Evaluator([dataset], {"psnr": PSNR(), "niqe": niqe}, Processes(), progress=False)
    (score,) = evaluator.score_bicubic()
    assert score.values == {"niqe": 5.0}


def test_bicubic_baseline_beats_a_grey_image(make_images: Make) -> None:
    evaluator = _evaluator(make_images("hr"))
    grey = np.full((64, 80, 3), 128, np.uint8)
    for entry, score in enumerate(evaluator.score_bicubic()):
        assert score.values["psnr"] > PSNR(crop_border=4)(grey, evaluator.sets[0].load(entry).gt)


def test_rows_are_means_by_data_set_and_task() -> None:
    scores = [
        ImageScore("a", 0, "x", "mild", {"psnr": 20.0}),
        ImageScore("a", 1, "x", "hard", {"psnr": math.inf}),
        ImageScore("a", 2, "y", "mild", {"psnr": 23.0}),
        ImageScore("b", 0, "x", "mild", {"psnr": 1.0}),
    ]
    rows = task_rows(scores, "net_g", 5)
    assert [(r["dataset"], r["task"], r["images"], r["psnr"]) for r in rows] == [
        ("a", "mild", 2, 21.5),
        ("a", "hard", 1, math.inf),
        ("b", "mild", 1, 1.0),
    ]
    assert {(r["iter"], r["network"]) for r in rows} == {(5, "net_g")}


def test_every_score_names_the_pixels_it_is_of(make_images: Make) -> None:
    evaluator = _evaluator(make_images("hr"))
    rows = image_rows(evaluator.score_bicubic())
    assert list(rows) == ["set"]
    assert [r.image for r in rows["set"]] == ["img_000", "img_001", "img_002"]
    for entry, row in enumerate(rows["set"]):
        assert row.checksum == evaluator.sets[0].load(entry).checksum
        assert set(row.values) == {"psnr", "ssim"}


def test_evaluation_leaves_the_global_random_state_alone(make_images: Make) -> None:
    evaluator = _evaluator(make_images("hr"))
    before = torch.get_rng_state()
    evaluator.score_bicubic()
    assert torch.equal(torch.get_rng_state(), before)


def test_the_table_does_not_depend_on_the_number_of_threads(make_images: Make) -> None:
    folder = make_images("hr", count=3, size=(192, 256))
    network = build_network({"type": "MSRResNet", "num_feat": 16, "num_block": 4}, 4, 0)
    tables = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        try:
            tables.append(_evaluator(folder).score_network(network))
            assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(1)
    assert tables[0] == tables[1] == tables[2]


def test_outputs_without_reference_have_the_form_of_their_input() -> None:
    photo = photograph(12, 16)
    write_image(Path("lq/a.png"), photo[..., 0])
    write_image(Path("lq/b.png"), np.dstack((photo, photo[..., :1])).astype(np.uint16) * 257)
    dataset = EvaluationSet("lq", LQFolder(4, dataroot_lq="lq"), 4, None)
    evaluator = Evaluator([dataset], {"mean": Mean(0, "higher")}, Processes(), progress=False)
    network = build_network({"type": "SRVGGNetCompact", "num_feat": 4, "num_conv": 1}, 4, 0)
    saved: dict[str, Any] = {}
    scores = evaluator.score_network(network, lambda d, f, image: saved.update({f.name: image}))
    assert (saved["a"].shape, saved["a"].dtype) == ((48, 64), np.uint8)
    assert (saved["b"].shape, saved["b"].dtype) == ((48, 64, 4), np.uint16)
    assert scores[0].values["mean"] == pytest.approx(saved["a"].mean())
    assert scores[1].values["mean"] == pytest.approx(saved["b"][..., :3].mean() / 257, abs=0.1)
    assert len(evaluator.score_bicubic()) == 2


def test_a_call_may_ask_for_another_inference(make_images: Make) -> None:
    evaluator = _evaluator(make_images("hr"))
    network = build_network({"type": "SRVGGNetCompact", "num_feat": 4, "num_conv": 1}, 4, 0)
    plain = evaluator.score_network(network)
    assert evaluator.score_network(network, how=Inference(Tile(8, 8))) == plain
    assert evaluator.score_network(network, how=Inference(self_ensemble=True)) != plain
