from __future__ import annotations

import logging
from typing import Any

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.training.resume import compare_runs

NOW: dict[str, Any] = {
    "tasks": ["mild", "hard"],
    "task_contents": "1f",
    "strategy_options": {"weighting": {"type": "Art", "tau": 0.1}},
    "seed": 0,
    "batch": 8,
    "optimisation": {"optim_g": {"type": "Adam", "betas": [0.9, 0.99]}, "ema_decay": 0.999},
    "schedulers": [{"options": {"type": "Constant"}, "base_lrs": [1e-4]}],
}


def test_the_same_run_goes_on_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    compare_runs(dict(NOW), NOW, "5.state", "error")
    assert not caplog.records


def test_a_basicsr_state_is_accepted() -> None:
    compare_runs(
        {"iter": 5, "optimizers": [{}], "schedulers": [{"last_epoch": 5}]}, NOW, "x", "error"
    )


@pytest.mark.parametrize("tasks", [["hard", "mild"], ["mild"], ["mild", "hard", "new"]])
def test_other_tasks_are_an_error(tasks: list[str]) -> None:
    with pytest.raises(UserError, match=r"5\.state.*mild, hard"):
        compare_runs(NOW | {"tasks": tasks}, NOW, "5.state", "override")


def test_other_tasks_of_the_same_names_are_an_error() -> None:
    with pytest.raises(UserError, match=r"same names but other contents .*start a new run"):
        compare_runs(NOW | {"task_contents": "2e"}, NOW, "5.state", "override")


@pytest.mark.parametrize("strategy", [{}, {"sampling": {"type": "Uniform"}}])
def test_another_strategy_is_an_error(strategy: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"strategy was .* is weighting: Art now.*pretrain_network"):
        compare_runs(NOW | {"strategy_options": strategy}, NOW, "5.state", "override")


def test_other_options_of_the_strategy_are_a_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    strategy = {"weighting": {"type": "Art", "tau": 1.0}}
    compare_runs(NOW | {"strategy_options": strategy}, NOW, "5.state", "error")
    assert "other options of the strategy" in caplog.text


def test_another_order_of_data_is_a_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    compare_runs(NOW | {"seed": 1, "batch": 4}, NOW, "5.state", "error")
    assert "manual_seed was 1" in caplog.text
    assert "batch over all processes was 4" in caplog.text


def test_another_learning_rate_asks_for_a_choice() -> None:
    state = NOW | {"schedulers": [{"options": {"type": "Constant"}, "base_lrs": [2e-4]}]}
    with pytest.raises(UserError, match=r"0\.0002.*'resume: keep'"):
        compare_runs(state, NOW, "5.state", "error")
    compare_runs(state, NOW, "5.state", "keep")
    compare_runs(state, NOW, "5.state", "override")


@pytest.mark.parametrize(
    "change",
    [{"optim_g": {"type": "AdamW", "betas": [0.9, 0.99]}}, {"ema_decay": 0.9}],
)
def test_another_optimiser_is_not_silently_ignored(change: dict[str, Any]) -> None:
    state = NOW | {"optimisation": NOW["optimisation"] | change}
    with pytest.raises(UserError, match=r"train:(optim_g|ema_decay) was .*pretrain_network_g"):
        compare_runs(state, NOW, "5.state", "override")
