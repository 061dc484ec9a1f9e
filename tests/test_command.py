import errno

import pytest

from realsr_mtl.command import INTERRUPTED, run_command
from realsr_mtl.errors import OptionError, UserError


def raising(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize("status", [0, 1, INTERRUPTED])
def test_the_status_of_the_command_is_passed_on_in_silence(status, capsys):
    assert run_command(lambda: status) == status
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (UserError("no such thing"), 2, "no such thing"),
        (OptionError("too small", ("train", "lr")), 2, "train:lr: too small"),
        (OSError(errno.ENOSPC, "No space", "a.pth"), 2, "the disk is full while writing a.pth;"),
        (OSError(errno.EDQUOT, "Quota"), 2, "the disk is full while writing a file;"),
        (PermissionError(errno.EACCES, "Denied", "out"), 2, "no access to out: Denied"),
        (OSError(errno.EROFS, "Read-only", "out"), 2, "no access to out: Read-only"),
        (KeyboardInterrupt(), INTERRUPTED, "stopped by Ctrl-C"),
    ],
)
def test_what_a_user_can_mend_is_one_sentence_on_stderr(
    error, status, sentence, capsys, monkeypatch
):
    monkeypatch.delenv("RANK", raising=False)
    assert run_command(raising(error)) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {sentence}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), OSError(errno.EIO, "x")])
def test_a_defect_of_ours_keeps_its_traceback(error):
    with pytest.raises(type(error)) as caught:
        run_command(raising(error))
    assert caught.value is error


@pytest.mark.parametrize(("rank", "start"), [("0", "error: x"), ("3", "[process 3] error: x")])
def test_processes_but_the_first_say_which_they_are(rank, start, capsys, monkeypatch):
    monkeypatch.setenv("RANK", rank)
    run_command(raising(UserError("x")))
    assert capsys.readouterr().err.startswith(start)
