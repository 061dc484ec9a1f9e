from __future__ import annotations

import pytest

from realsr_mtl.errors import UserError
from tests._options import write_options
from tests.scripts import load_script

SCRIPT = load_script("watch_run")


def _samples(memory: list[float], files: int = 9) -> list[object]:
    return [
        SCRIPT.Sample(100 * (i + 1), value, 9 if i < 6 else files, 3)
        for i, value in enumerate(memory)
    ]


@pytest.mark.parametrize(
    ("samples", "growing"),
    [
        (_samples([300, 400, 500, 500, 501, 500, 502, 500]), []),
        (_samples([500, 500, 510, 520, 560, 600, 640, 680]), ["memory grows"]),
        (_samples([500] * 8, files=30), ["open files grow: 9, then 30"]),
    ],
)
def test_growth_after_the_first_quarter_counts(samples: list[object], growing: list[str]) -> None:
    found = SCRIPT.judge(samples, 800)
    assert len(found) == len(growing)
    assert all(text in sentence for text, sentence in zip(growing, found, strict=True))


def test_too_short_a_look_is_no_answer() -> None:
    with pytest.raises(UserError, match="at 0 moments only; use more --iterations"):
        SCRIPT.judge(_samples([500]), 4000)


@pytest.mark.usefixtures("images")
def test_a_long_run_does_not_grow(capfd: pytest.CaptureFixture[str]) -> None:
    write_options()
    options = ["datasets:train:num_worker_per_gpu=1"]
    assert SCRIPT.main(["-opt", "tiny.yml", "--iterations", "1000", "--force_yml", *options]) == 0
    out = capfd.readouterr().out
    assert out.count("\n") >= 8 and out.endswith("nothing grows\n")
