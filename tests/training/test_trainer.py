from __future__ import annotations

import json
import os
import random
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.reporting import read_lines
from realsr_mtl.training.learner import Learner
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.run_folder import RunFolder
from realsr_mtl.training.trainer import Trainer
from tests._options import tiny

GOLDEN = Path(__file__).parents[1] / "golden" / "loss_curve.txt"

pytestmark = pytest.mark.usefixtures("images")


def _trainer(*overrides: str, resume: Path | None = None, **blocks: Any) -> Trainer:
    plan = TrainingPlan(tiny(overrides, **blocks))
    folder = RunFolder.of(plan.options)
    folder.create(resume=resume is not None)
    return Trainer(plan, folder, Processes(), resume)


def _weights(name: str, label: int | str) -> dict[str, torch.Tensor]:
    content = torch.load(Path("experiments") / name / "models" / f"net_g_{label}.pth")
    return {f"{k}.{n}": v for k, weights in content.items() for n, v in weights.items()}


def _assert_equal_runs(one: str, other: str, label: int) -> None:
    first, second = _weights(one, label), _weights(other, label)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
    for file in ("metrics.jsonl", "strategy.jsonl"):
        assert read_lines(Path("experiments", one, file)) == read_lines(
            Path("experiments", other, file)
        )


def test_a_run_leaves_the_files_that_design_promises() -> None:
    assert _trainer().run()
    root = Path("experiments/tiny")
    models = {p.name for p in (root / "models").iterdir()}
    assert models == {f"net_g_{x}.pth" for x in ("3", "6", "latest", "best_psnr")}
    assert {p.name for p in (root / "training_states").iterdir()} == {"3.state", "6.state"}
    state = torch.load(root / "training_states" / "3.state", weights_only=True)
    assert {"epoch", "iter", "optimizers", "schedulers", "best", "tasks"} <= state.keys()
    assert torch.load(root / "models/net_g_3.pth", weights_only=True).keys() == {
        "params",
        "params_ema",
    }
    rows = read_lines(root / "metrics.jsonl")
    assert [(r["iter"], r["network"], r["task"]) for r in rows] == [
        (None, "bicubic", "mild"),
        (None, "bicubic", "noise2"),
        (3, "net_g", "mild"),
        (3, "net_g", "noise2"),
        (6, "net_g", "mild"),
        (6, "net_g", "noise2"),
    ]
    steps = read_lines(root / "strategy.jsonl")
    assert [s["iter"] for s in steps] == [2, 4, 6]
    assert sum(steps[-1]["samples"].values()) == 24
    assert sum(steps[-1]["share"].values()) == pytest.approx(1)
    assert (root / "report" / "validation_val.png").stat().st_size > 5000


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("strategy={sampling: {type: Uniform}}", "train:accum_iter=2"),
        ("logger:print_freq=4", "train:scheduler={type: CosineAnnealingLR, T_max: 6}"),
        (
            "datasets:train:num_worker_per_gpu=2",
            "train:optim_g={type: SGD, lr: 0.1, momentum: 0.9}",
        ),
    ],
)
def test_resuming_equals_an_uninterrupted_run(overrides: tuple[str, ...]) -> None:
    _trainer(*overrides, "name=whole").run()
    _trainer(*overrides, "name=parts").run()
    Path("experiments/parts/models/net_g_6.pth").unlink()
    resume = Path("experiments/parts/training_states/3.state")  # as if killed after iteration 3
    resumed = _trainer(*overrides, "name=parts", resume=resume)
    assert resumed.iteration == 3
    resumed.run()
    _assert_equal_runs("whole", "parts", 6)


def test_ctrl_c_saves_and_the_run_can_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    _trainer("name=whole", "val:val_freq=6").run()
    step = Learner.step

    def interrupted(self: Learner, iteration: int, *rest: Any) -> None:
        step(self, iteration, *rest)
        if iteration == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", interrupted)
        assert not _trainer("name=parts", "val:val_freq=6").run()
    folder = RunFolder(Path("experiments/parts"), Path("tb"))
    assert folder.iterations() == [3, 4]
    resumed = _trainer("name=parts", "val:val_freq=6", resume=folder.state(4))
    assert resumed.iteration == 4
    assert resumed.run()
    _assert_equal_runs("whole", "parts", 6)


def test_samples_are_the_same_for_any_batch_size_and_number_of_workers() -> None:
    def stream(batch: int, workers: int, count: int) -> torch.Tensor:
        trainer = _trainer(
            f"datasets:train:batch_size_per_gpu={batch}",
            f"datasets:train:num_worker_per_gpu={workers}",
        )
        patches = trainer._patches()
        return torch.cat([trainer._next(patches).lq for _ in range(count)])

    assert torch.equal(stream(2, 0, 6), stream(6, 2, 2))


def test_training_leaves_the_global_random_states_alone() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    _trainer("datasets:train:num_worker_per_gpu=1").run()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])
    assert random.getstate() == before[2]


def test_the_loss_curve_is_the_golden_one() -> None:
    """Twenty iterations; changes on purpose rewrite the file: see CONTRIBUTING.md."""
    _trainer("train:total_iter=20", "logger:print_freq=1", "val=null").run()
    curve = [
        f"{s['iter']:2d} "
        + " ".join(f"{t}={v:.5f}" if v else f"{t}=-" for t, v in s["loss"].items())
        for s in read_lines(Path("experiments/tiny/strategy.jsonl"))
    ]
    if os.environ.get("REWRITE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text("\n".join(curve) + "\n")
    for found, expected in zip(curve, GOLDEN.read_text().splitlines(), strict=True):
        values = [line.replace("=", " ").split() for line in (found, expected)]
        assert values[0][:2] == values[1][:2]
        for a, b in zip(*values, strict=True):
            if "." in b:
                assert float(a) == pytest.approx(float(b), rel=2e-3)  # other CPUs, other last bits
            else:
                assert a == b


def test_a_loss_that_explodes_names_its_tasks() -> None:
    with pytest.raises(UserError, match=r"mild.*NaN or infinite.*lr"):
        _trainer("train:optim_g={type: SGD, lr: 1e30}").run()
    assert RunFolder(Path("experiments/tiny"), Path("tb")).iterations() == []


def test_pretrained_weights_start_network_and_average() -> None:
    _trainer("name=first").run()
    path = "path={pretrain_network_g: experiments/first/models/net_g_6.pth, param_key_g: params}"
    second = _trainer("name=second", path)
    expected = torch.load("experiments/first/models/net_g_6.pth")["params"]
    assert second.learner.average is not None
    for network in (second.learner.network, second.learner.average.network):
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, expected[name])
    assert second.iteration == 0


def test_old_checkpoints_go_and_the_best_stays() -> None:
    _trainer("logger:keep_last=1", "logger:save_checkpoint_freq=1", "train:total_iter=4").run()
    names = sorted(p.name for p in Path("experiments/tiny/models").iterdir())
    assert names == ["net_g_4.pth", "net_g_best_psnr.pth", "net_g_latest.pth"]


def test_a_finished_run_has_nothing_to_do() -> None:
    _trainer().run()
    before = json.dumps(read_lines(Path("experiments/tiny/metrics.jsonl")))
    assert _trainer(resume=Path("experiments/tiny/training_states/6.state")).run()
    assert json.dumps(read_lines(Path("experiments/tiny/metrics.jsonl"))) == before


def test_paired_training_uses_the_files(make_images: Any) -> None:
    make_images("lq", count=5, size=(12, 14))
    pairs = {"type": "PairedImages", "dataroot_gt": "hr", "dataroot_lq": "lq", "gt_size": 32}
    datasets = {"train": {**pairs, "batch_size_per_gpu": 2, "num_worker_per_gpu": 0}}
    trainer = _trainer(datasets=datasets, degradation=None, tasks=None, val=None)
    assert trainer.run()
    assert trainer.tasks.names == ["all"]


def test_networks_with_random_depth_resume_exactly_and_are_written_to_the_options() -> None:
    pytest.importorskip("basicsr", reason="SwinIR is basicsr's here")
    network = (
        "network_g={type: SwinIR, upscale: 4, img_size: 8, window_size: 4, depths: [2], "
        "embed_dim: 12, num_heads: [2], upsampler: pixelshuffle, drop_path_rate: 0.5}"
    )
    assert _trainer("name=whole", network).run()
    assert _trainer("name=parts", network).run()
    resume = Path("experiments/parts/training_states/3.state")
    _trainer("name=parts", network, resume=resume).run()
    _assert_equal_runs("whole", "parts", 6)
    resolved = TrainingPlan(tiny([network])).resolved()
    assert resolved["network_g"]["drop_path_rate"] == 0.5
    assert "norm_layer" not in resolved["network_g"]  # a class; no file can hold it
