from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import pytest

from realsr_mtl.config.writer import format_yaml
from realsr_mtl.training import command
from tests._options import TINY
from tests.config._files import BASICSR, OURS, REAL_ESRNET
from tests.config._mutations import TOUCH, Case
from tests.scripts import load_script

SCRIPT = load_script("fuzz_options")
SMALL = [*SCRIPT.small_files(), OURS, REAL_ESRNET]
GOOD = format_yaml(TINY).encode()


def judged(content: bytes = GOOD, overrides: tuple[str, ...] = ()) -> tuple[str, str]:
    verdict = SCRIPT.judge(Case(content, list(overrides)))
    return verdict.kind, verdict.text


@pytest.mark.parametrize("block", range(3))
def test_mutated_files_give_a_plan_or_one_sentence(block: int, capsys: pytest.CaptureFixture[str]):
    """All 10,000: python scripts/fuzz_options.py"""
    status = SCRIPT.run(SMALL, seed=1, numbers=range(100 * block, 100 * (block + 1)))
    assert status == 0, capsys.readouterr().out


def test_good_files_give_plans():
    for text in (*SMALL, BASICSR):
        assert judged(text.encode())[0] == "plan"


def test_broken_files_give_sentences():
    assert judged(b"name: [") == ("sentence", judged(b"name: [")[1])
    assert judged(overrides=("scale=0",))[1].startswith("error: --force_yml 'scale=0': scale: ")


def test_every_kind_of_misbehaviour_is_a_failure(monkeypatch: pytest.MonkeyPatch):
    sys.addaudithook(SCRIPT.WATCH.audit)

    def crash(plan):
        raise KeyError("x")

    kinds = {
        "KeyError": crash,
        "printed ['hello'": lambda plan: sys.stdout.write("hello\n"),
        "os.system": lambda plan: __import__("os").system("true") and None,
        "wrote {'harmed'}": lambda plan: Path("harmed").touch(),
        "warned: UserWarning": lambda plan: warnings.warn("x", stacklevel=1),
        "took ": lambda plan: bytearray(2**28).count(1),
    }
    build = command._build
    monkeypatch.setattr(SCRIPT.WATCH, "mebibytes", 200)
    for part, what in kinds.items():

        def misbehave(plan, what=what):
            what(plan)
            return build(plan)

        monkeypatch.setattr(command, "_build", misbehave)
        kind, text = judged()
        Path("harmed").unlink(missing_ok=True)
        assert (kind, part in text) == ("failure", True), text


def test_a_hang_is_a_failure(monkeypatch: pytest.MonkeyPatch):
    def wait(plan):
        while True:
            time.process_time()

    monkeypatch.setattr(command, "_build", wait)
    monkeypatch.setattr(SCRIPT.WATCH, "seconds", 0.3)
    kind, text = judged()
    assert kind == "failure"
    assert "more than 0.3 s" in text


def test_a_sentence_is_clean():
    assert SCRIPT._badly_said("error: this is a proper sentence\n", 2) == ""
    assert SCRIPT._badly_said("error: two\nlines of a sentence\n", 2)
    assert SCRIPT._badly_said("error: a colour \x1b[31m in it\n", 2)
    assert SCRIPT._badly_said("error: a sentence for a valid file\n", 0)
    assert SCRIPT._badly_said("error: " + "x" * 4000 + "\n", 2)
    assert SCRIPT._badly_said("error: some other status than 2\n", 1)
    assert SCRIPT._badly_said("", 2)


def test_the_script_repeats_one_file_and_says_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "mine.yml"
    file.write_bytes(GOOD)
    assert SCRIPT.main(["--from", str(file), "--seed", "5", "--only", "7"]) == 0
    out = capsys.readouterr().out
    assert "# mutations: " in out
    assert "1 files: " in out
    assert Path.cwd() == tmp_path


def test_no_payload_runs():
    texts = [f"x: !!python/object/apply:os.system ['{TOUCH}']\n", "x: !!python/name:os.system\n"]
    for text in texts:
        assert judged(GOOD + text.encode())[0] == "sentence"
    assert not Path("harmed").exists()
