import pytest

from tests._commands import PACKAGE, assert_refused, cpu_seconds, run_python
from tests._options import write_options

TRAIN = PACKAGE / "train.py"


def test_help_answers_at_once():
    seconds, result = cpu_seconds(TRAIN, "--help")
    assert result.returncode == 0
    assert "--force_yml" in result.stdout and "--auto_resume" in result.stdout
    assert seconds < 1


def test_neither_the_package_nor_help_imports_torch():
    code = (
        "import sys, realsr_mtl\n"
        "assert set(n for n in sys.modules if n.startswith('realsr')) == {'realsr_mtl'}\n"
        "import realsr_mtl.train\n"
        "try: realsr_mtl.train.main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print('torch' in sys.modules)"
    )
    result = run_python("-c", code, installed=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("arguments", [[], ["-opt"], ["-opt", "a.yml", "--launcher", "mpi"]])
def test_a_wrong_command_line_ends_with_status_2_and_the_usage(arguments):
    result = run_python(TRAIN, *arguments)
    assert result.returncode == 2
    assert result.stderr.startswith("usage: ")
    assert "Traceback" not in result.stderr


def test_runs_uninstalled_from_any_folder():
    write_options()
    result = run_python(TRAIN, "-opt", "tiny.yml", "--check")
    assert result.returncode == 0, result.stderr
    assert "options are valid; nothing was trained" in result.stdout
    assert "experiments" in result.stdout


def test_runs_as_a_module():
    result = run_python("-m", "realsr_mtl.train", "--help", installed=True)
    assert result.returncode == 0
    assert "usage: " in result.stdout


def test_a_wrong_path_is_one_sentence():
    result = run_python(TRAIN, "-opt", "no_such.yml")
    assert_refused(result, "'no_such.yml' does not exist", "seen from")


def test_a_slip_in_a_key_is_one_sentence_with_line_and_remedy():
    path = write_options()
    lines = path.read_text().replace("total_iter", "totl_iter")
    path.write_text(lines)
    line = next(i for i, text in enumerate(lines.splitlines(), 1) if "totl_iter" in text)
    assert_refused(
        run_python(TRAIN, "-opt", path),
        f"tiny.yml, line {line}: train:totl_iter: unknown key; did you mean 'total_iter'?",
    )


def test_a_file_for_testing_is_refused():
    assert_refused(run_python(TRAIN, "-opt", write_options(train=None)), "needs a 'train' block")


def test_overrides_may_stand_together_or_apart():
    write_options()
    result = run_python(
        TRAIN, "-opt", "tiny.yml", "--check", "--force_yml", "name=a", "scale=2",
        "--force_yml", "train:total_iter=2e3", "network_g:upscale=2",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "a: x2, 2,000 iterations" in result.stdout
