from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from realsr_mtl.writing import archive, write_atomically

FILE = Path("new/folder/a.png")


def test_files_are_written_and_replaced():
    write_atomically(b"one", FILE)
    write_atomically(memoryview(b"two"), FILE)
    assert FILE.read_bytes() == b"two"
    assert [p.name for p in FILE.parent.iterdir()] == ["a.png"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no space"), KeyboardInterrupt()])
def test_what_was_there_stays_when_writing_stops(monkeypatch, error):
    write_atomically(b"one", FILE)

    def stop(handle: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(type(error)):
        write_atomically(b"two", FILE)
    assert FILE.read_bytes() == b"one"
    assert [p.name for p in FILE.parent.iterdir()] == ["a.png"]
    if isinstance(error, OSError):
        assert error.filename == str(FILE)


def test_a_killed_process_leaves_no_half_file():
    code = (
        "import os, pathlib, signal, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from realsr_mtl import writing\n"
        "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n"
        "writing.write_atomically(b'0' * 100000, pathlib.Path('out/a.png'))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], timeout=60)
    assert result.returncode == -signal.SIGKILL
    assert not Path("out/a.png").exists()
    assert all(p.name.startswith(".") for p in Path("out").iterdir())  # no data set looks at it


def test_folders_are_archived_side_by_side(tmp_path: Path) -> None:
    found = []
    for number in range(3):  # within one second
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / str(number)).touch()
        found.append(archive(tmp_path / "run"))
    assert archive(tmp_path / "run") is None
    assert len(set(found)) == 3
    assert sorted(path.name for path in tmp_path.glob("run_archived_*/*")) == ["0", "1", "2"]
