import pytest

from tests._commands import PACKAGE, assert_refused, cpu_seconds, run_python
from tests._options import write_options

TEST = PACKAGE / "test.py"


def test_help_answers_at_once():
    seconds, result = cpu_seconds(TEST, "--help")
    assert result.returncode == 0
    assert "-opt" in result.stdout
    assert seconds < 1


def test_help_imports_no_torch():
    code = (
        "import sys, realsr_mtl.test\n"
        "try: realsr_mtl.test.main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print('torch' in sys.modules)"
    )
    result = run_python("-c", code, installed=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("arguments", [[], ["--opt"], ["-opt", "a.yml", "extra"]])
def test_a_wrong_command_line_ends_with_status_2_and_the_usage(arguments):
    result = run_python(TEST, *arguments)
    assert result.returncode == 2
    assert result.stderr.startswith("usage: ")
    assert "Traceback" not in result.stderr


def test_runs_uninstalled_from_any_folder_although_it_is_called_test():
    path = write_options(path={"pretrain_network_g": "net.pth"}, train=None)
    result = run_python(TEST, "-opt", path, "--check")
    assert result.returncode == 0, result.stderr
    assert "options are valid; nothing was tested" in result.stdout


def test_a_wrong_path_is_one_sentence():
    assert_refused(run_python(TEST, "-opt", "no_such.yml"), "'no_such.yml' does not exist")


def test_a_slip_in_a_key_is_one_sentence():
    path = write_options(network_g={"type": "MSRResNet", "num_feet": 8})
    assert_refused(run_python(TEST, "-opt", path), "network_g:num_feet", "did you mean 'num_feat'?")


def test_a_file_without_weights_is_refused():
    assert_refused(run_python(TEST, "-opt", write_options()), "set path:pretrain_network_g")
