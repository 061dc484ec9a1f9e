from pathlib import Path

import pytest

from realsr_mtl.config import Arguments, parse_arguments


def test_the_option_file_alone_leaves_all_at_its_default():
    for spelling in ("-opt", "--opt"):
        assert parse_arguments("", [spelling, "a/b.yml"]) == Arguments(Path("a/b.yml"))


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        (["--auto_resume"], "auto_resume", True),
        (["--debug"], "debug", True),
        (["--check"], "check", True),
        (["--launcher", "pytorch"], "launcher", "pytorch"),
        (["--launcher=slurm"], "launcher", "slurm"),
        (["--force_yml", "a=1", "b:c=[2, 3]"], "overrides", ["a=1", "b:c=[2, 3]"]),
        (["--force_yml", "a=1", "--debug", "--force_yml", "b=2"], "overrides", ["a=1", "b=2"]),
        (["--force_yml", "a=-1"], "overrides", ["a=-1"]),
        (["--local_rank=3"], "launcher", "none"),
        (["--local-rank", "3"], "launcher", "none"),
    ],
)
def test_options(given, name, value):
    assert getattr(parse_arguments("", ["-opt", "a.yml", *given]), name) == value
    assert getattr(parse_arguments("", [*given, "-opt", "a.yml"]), name) == value


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ([], "-opt"),
        (["-opt"], "expected one argument"),
        (["-opt", "a", "--launcher", "mpi"], "invalid choice: 'mpi'"),
        (["-opt", "a", "--force_yml"], "expected at least one argument"),
        (["-opt", "a", "--nothing"], "unrecognized arguments: --nothing"),
        (["-opt", "a", "b"], "unrecognized arguments: b"),
    ],
)
def test_a_wrong_command_line_exits_with_status_2(given, complaint, capsys):
    with pytest.raises(SystemExit) as caught:
        parse_arguments("", given)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err


def test_help_holds_the_description_and_hides_what_only_launchers_pass(capsys):
    with pytest.raises(SystemExit) as caught:
        parse_arguments("Does a thing.", ["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "Does a thing." in text
    assert "local" not in text


def test_lists_of_overrides_are_not_shared():
    Arguments(Path("a")).overrides.append("x=1")
    assert Arguments(Path("a")).overrides == []
