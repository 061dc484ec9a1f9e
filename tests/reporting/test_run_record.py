from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.reporting.run_record import hardware, read_sessions, recorded, versions


def _session(total: int, reach: int, error: BaseException | None = None) -> None:
    now = [0]
    with recorded(Path(), Processes(), total, lambda: now[0]):
        (running,) = read_sessions(Path())[-1:]
        assert "status" not in running and running["total_iterations"] == total
        now[0] = reach
        if error is not None:
            raise error


def test_every_session_is_kept_with_its_end() -> None:
    _session(9, 4)
    _session(9, 9)
    first, second = read_sessions(Path())
    assert (first["status"], first["to_iteration"]) == ("stopped", 4)
    assert (second["status"], second["to_iteration"]) == ("finished", 9)
    assert second["seconds"] >= 0 and second["started"] <= second["ended"]


@pytest.mark.parametrize(
    ("error", "failure"), [(UserError("a sentence"), "a sentence"), (KeyError("x"), "KeyError")]
)
def test_a_failure_is_kept_and_passed_on(error: Exception, failure: str) -> None:
    with pytest.raises(type(error)):
        _session(9, 4, error)
    (session,) = read_sessions(Path())
    assert (session["status"], session["failure"]) == ("failed", failure)


def test_other_processes_write_nothing() -> None:
    with recorded(Path(), Processes(rank=1, world_size=2), 9, lambda: 0):
        pass
    assert read_sessions(Path()) == []


def test_versions_and_machine_are_told_but_not_its_name() -> None:
    assert versions()["torch"] == torch.__version__.partition("+")[0]
    found = hardware(Processes())
    assert found["device"] == "cpu" and found["cores"] >= 1 and found["processor"]
    assert json.loads(json.dumps(found)) == found


def test_a_damaged_file_is_named() -> None:
    Path("run.json").write_text("{")
    with pytest.raises(UserError, match=r"'run\.json' is damaged"):
        read_sessions(Path())
