from __future__ import annotations

import pytest

from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import OptionError, UnavailableError
from realsr_mtl.training.schedules import SCHEDULES, Schedule, warmed_up


def _build(**block: object) -> Schedule:
    return SCHEDULES.build(block)


def test_multi_step_falls_at_its_milestones() -> None:
    schedule = _build(type="MultiStepLR", milestones=[2, 4, 4], gamma=0.5)
    assert [schedule.rate(8, i) for i in range(6)] == [8, 8, 4, 4, 1, 1]


def test_cosine_goes_from_the_base_rate_to_the_smallest() -> None:
    schedule = _build(type="TrueCosineAnnealingLR", T_max=10, eta_min=0.1)
    assert schedule.rate(1, 0) == 1
    assert schedule.rate(1, 5) == pytest.approx(0.55)
    assert schedule.rate(1, 10) == schedule.rate(1, 99) == pytest.approx(0.1)


def test_restarts_equal_basicsrs_until_its_end() -> None:
    import torch

    try:
        theirs_type = basicsr.load("models.lr_scheduler").CosineAnnealingRestartLR
    except UnavailableError:
        pytest.skip("basicsr is not installed")
    options = {"periods": [4, 6], "restart_weights": [1.0, 0.5], "eta_min": 1e-3}
    ours = _build(type="CosineAnnealingRestartLR", **options)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    theirs = theirs_type(optimizer, **options)
    for iteration in range(10):
        assert ours.rate(0.1, iteration) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if iteration < 9:
            theirs.step()
    assert ours.rate(0.1, 500) == pytest.approx(1e-3)  # where BasicSR's raises an error


def test_warm_up_is_linear() -> None:
    rates = [warmed_up(2.0, 2.0, i, warmup=4) for i in range(6)]
    assert rates == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    assert warmed_up(2.0, 2.0, 0, warmup=-1) == 2.0


@pytest.mark.parametrize(
    "block",
    [
        {"type": "CosineAnnealingRestartLR", "periods": []},
        {"type": "CosineAnnealingRestartLR", "periods": [5], "restart_weights": [1, 1]},
        {"type": "CosineAnnealingLR", "T_max": 0},
        {"type": "MultiStepLR"},
    ],
)
def test_wrong_options_are_refused(block: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        SCHEDULES.build(block)
