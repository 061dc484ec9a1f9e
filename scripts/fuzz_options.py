"""Feed mutated option files to ``--check`` and see that each gives a plan or one sentence.

    python scripts/fuzz_options.py                       # 10,000 files from options/ and tests/
    python scripts/fuzz_options.py --seed 3 --only 421   # one of them again
    python scripts/fuzz_options.py --from my.yml --count 500

Any other exception, more than 30 s of computing or 1 GiB for one file, a file that runs code or
writes something, and words that are neither the plan nor the sentence are failures: they are
printed with the numbers that repeat them, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command
from realsr_mtl.config import Arguments, load_options
from realsr_mtl.config.reader import MOST_BYTES, read_yaml
from realsr_mtl.config.writer import format_yaml
from realsr_mtl.testing import test
from realsr_mtl.training import TrainingPlan
from realsr_mtl.training.command import train
from tests._options import TINY
from tests.config._files import BASICSR, OURS, REAL_ESRGAN, REAL_ESRNET
from tests.config._mutations import Case, mutated

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 30.0
MEBIBYTES = 1024
LONGEST = 3000
"""Characters of a sentence."""

_PLANS = tuple(
    (lines, f"options are valid; nothing was {what}")
    for lines, what in ((8, "trained"), (2, "tested"))
)
"""How many lines a plan has, and its last one."""

_FOREIGN = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "subprocess.Popen",
    "socket.connect",
)
"""Events of Python's audit that no check of options causes."""


class TooSlow(BaseException):
    """No Exception, so that nobody takes it for a failure of their own."""


class Watch:
    """What happens while a file is checked."""

    def __init__(self) -> None:
        self.seconds = SECONDS
        self.mebibytes = MEBIBYTES
        self.foreign: list[str] = []
        self.active = False

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python's audit hook."""
        if self.active and event in _FOREIGN:
            self.foreign.append(f"{event}{arguments!r}"[:200])

    @contextlib.contextmanager
    def alarm(self) -> Iterator[None]:
        """Raises `TooSlow` inside when the time is up."""

        def ring(signal_number: int, frame: FrameType | None) -> None:
            raise TooSlow

        # computing time, for the machine may have other work; and ten times as much of any other
        clocks = {
            signal.ITIMER_PROF: (signal.SIGPROF, self.seconds),
            signal.ITIMER_REAL: (signal.SIGALRM, 10 * self.seconds),
        }
        before = {number: signal.signal(number, ring) for number, _ in clocks.values()}
        for clock, (_, seconds) in clocks.items():
            signal.setitimer(clock, seconds)
        self.active = True
        try:
            yield
        finally:
            self.active = False
            for clock in clocks:
                signal.setitimer(clock, 0)
            for number, handler in before.items():
                signal.signal(number, handler)


WATCH = Watch()


def main(argv: Sequence[str] | None = None) -> int:
    """Check the files and print failures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000, help="files (default: 10,000)")
    parser.add_argument("--seed", type=int, default=0, help="of all mutations (default: 0)")
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--only", type=int, help="check the file of this number and show it")
    parser.add_argument(
        "--from", dest="files", nargs="+", type=Path, metavar="FILE", help="good files to mutate"
    )
    arguments = parser.parse_args(argv)
    texts = [f.read_text(encoding="utf-8") for f in arguments.files or []] or own_files()
    sys.addaudithook(WATCH.audit)
    numbers = range(arguments.first, arguments.first + arguments.count)
    if arguments.only is not None:
        numbers = range(arguments.only, arguments.only + 1)
    with tempfile.TemporaryDirectory() as folder, working_in(folder), limited_memory():
        return run(texts, arguments.seed, numbers, show=arguments.only is not None)


def own_files() -> list[str]:
    """The option files of the repository and of its tests."""
    files = sorted((ROOT / "options").rglob("*.yml"))
    texts = [OURS, BASICSR, REAL_ESRNET, REAL_ESRGAN, *small_files()] * 8
    return [*texts, *(file.read_text(encoding="utf-8") for file in files)]


def small_files() -> list[str]:
    """Small files with every kind of block."""
    adversarial = {
        "optim_d": {"type": "Adam", "lr": 1e-4},
        "gan_opt": {"type": "GANLoss", "gan_type": "vanilla", "loss_weight": 0.1},
        "ldl_opt": {"type": "L1Loss"},
        "losses": {"edges": {"type": "GradientLoss", "weighted": False}},
        "scheduler": {"type": "MultiStepLR", "milestones": [2, 4], "gamma": 0.5},
        "grad_clip_norm": 1.0,
    }
    pairs = {"type": "PairedImages", "dataroot_gt": "a", "dataroot_lq": "b", "gt_size": 32}
    changes: list[dict[str, Any]] = [
        {},
        {
            "network_d": {"type": "UNetDiscriminatorSN", "num_feat": 4},
            "train": {**TINY["train"], **adversarial},
            "strategy": {
                "sampling": {"type": "DataRebalancing", "every": 10},
                "gradients": {"type": "PCGrad", "rows": "sketch"},
            },
        },
        {
            "strategy": {
                "sampling": {"type": "Fixed", "shares": {"all": 1}},
                "weighting": {"type": "DWA"},
            },
            "targets": {"all": {"type": "Sharpened"}},
            "degradation": {"type": "BSRGAN"},
            "tasks": {"type": "SingleTask"},
        },
        {
            "datasets": {
                "train": pairs | {"task_rule": [{"task": "snow", "ends": ".jpg"}]},
                "val_a": {"type": "Mixture", "sets": [pairs]},
            },
            "degradation": None,
            "tasks": None,
            "network_g": {
                "type": "TaskHeads",
                "trunk": {"type": "MSRResNet", "num_feat": 4, "num_block": 1, "upscale": 4},
                "heads": {"all": {"scale": 4, "num_block": 0}},
            },
        },
    ]
    files = [{**TINY, **change} for change in changes]
    return [format_yaml({k: v for k, v in file.items() if v is not None}) for file in files]


def run(texts: Sequence[str], seed: int, numbers: Sequence[int], show: bool = False) -> int:
    """Check the numbered mutations in the working folder; the exit status."""
    seeds = []
    for text in texts:
        Path("case.yml").write_text(text, encoding="utf-8")
        seeds.append(read_yaml(Path("case.yml"))[0])
    counts: Counter[str] = Counter()
    slowest, largest = (0.0, -1), (0, -1)
    started = time.perf_counter()
    for number in numbers:
        case = mutated(seeds, texts, random.Random(f"{seed}/{number}"))
        if show:
            print(case.content.decode("utf-8", "backslashreplace")[:20_000])
            print(f"# mutations: {'; '.join(case.history)}\n# --force_yml {case.overrides}")
        begun = time.process_time()
        verdict = judge(case)
        slowest = max(slowest, (time.process_time() - begun, number))
        largest = max(largest, (verdict.mebibytes, number))
        counts[verdict.kind] += 1
        if verdict.kind == "failure":
            print(f"--- file {number}: repeat with --seed {seed} --only {number}")
            print(f"    {'; '.join(case.history)}\n{verdict.text}", flush=True)
        elif show:
            print(f"{verdict.kind}: {verdict.text}")
        if (number + 1) % 500 == 0:
            print(
                f"{number + 1}: {dict(counts)}, {time.perf_counter() - started:.0f} s", flush=True
            )
    print(
        f"{sum(counts.values())} files: {counts['plan']} plans, {counts['sentence']} sentences, "
        f"{counts['failure']} failures; slowest {slowest[0]:.1f} s (file {slowest[1]}), largest "
        f"{largest[0]} MiB (file {largest[1]})"
    )
    return 1 if counts["failure"] else 0


class Verdict(NamedTuple):
    """What became of a file.

    Attributes:
        kind: plan, sentence or failure.
        text: what was said, or why it is a failure.
        mebibytes: largest memory beyond what was in use before.
    """

    kind: str
    text: str
    mebibytes: int = 0


def judge(case: Case) -> Verdict:
    """Check a file in the working folder as ``--check`` does."""
    file = Path("case.yml")
    file.write_bytes(case.content)
    before = set(os.listdir("."))
    WATCH.foreign.clear()
    memory = _Memory()
    out, err = io.StringIO(), io.StringIO()
    started = time.process_time()
    try:
        with (
            WATCH.alarm(),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            warnings.catch_warnings(record=True) as warned,
        ):
            warnings.simplefilter("always")
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.filterwarnings("ignore", message=".*torch.meshgrid.*")  # networks of basicsr
            status = _checked(file, case.overrides)
    except TooSlow:
        return Verdict("failure", f"more than {WATCH.seconds:g} s\n{_last_frames()}")
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return Verdict("failure", "".join(traceback.format_exception(error)[-12:])[-3000:])
    seconds = time.process_time() - started
    said, sentence, used = out.getvalue(), err.getvalue(), memory.used()
    problems = [
        f"ran {WATCH.foreign}" if WATCH.foreign else "",
        f"wrote {set(os.listdir('.')) - before}" if set(os.listdir(".")) - before else "",
        f"took {seconds:.1f} s" if seconds > WATCH.seconds else "",
        f"took {used} MiB" if used > WATCH.mebibytes else "",
        *(f"warned: {w.category.__name__} {w.message}"[:300] for w in warned),
        _noise(said, status),
        _badly_said(sentence, status),
    ]
    if any(problems):
        text = "; ".join(p for p in problems if p)
        return Verdict("failure", f"{text}\n{sentence[:1500]}", used)
    return Verdict("sentence" if status else "plan", sentence or said, used)


def _checked(file: Path, overrides: list[str]) -> int:
    """The exit status of ``--check``; what it accepts can be written and read again."""
    arguments = Arguments(file, check=True, overrides=overrides)
    if b"\ntrain:" not in file.read_bytes():
        return run_command(lambda: test(arguments))
    status = run_command(lambda: train(arguments))
    if status == 0:
        plan = TrainingPlan(load_options(file, overrides))
        plan.differences()
        text = format_yaml(plan.resolved())
        if len(text.encode()) > MOST_BYTES:  # anchors can make more than a file may hold
            return status
        file.write_text(text, encoding="utf-8")
        assert TrainingPlan(load_options(file)).resolved() == plan.resolved()
    return status


def _noise(said: str, status: int) -> str:
    lines = said.splitlines()
    logged = [line for line in lines if re.match(r"\d{4}-\d\d-\d\d .* (INFO|WARNING): ", line)]
    rest = [line for line in lines if line not in logged]
    if status == 0 and (len(rest), rest[-1]) in _PLANS:
        rest = []
    bad = [*rest, *(line for line in lines if not _clean(line))]
    return f"printed {bad[:3]}"[:500] if bad else ""


def _badly_said(sentence: str, status: int) -> str:
    if status == 0:
        return f"valid, but said {sentence[:500]!r}" if sentence else ""
    if status != 2:
        return f"status {status}"
    if not (sentence.startswith("error: ") and sentence.endswith("\n") and len(sentence) > 20):
        return "no sentence"
    if not _clean(sentence[:-1]):
        return "control characters in the sentence"
    return "a very long sentence" if len(sentence) > LONGEST else ""


def _clean(line: str) -> bool:
    return line.splitlines() in ([], [line]) and not re.search(
        r"[\0-\x1f\x7f-\x9f\ud800-\udfff]", line
    )


def _last_frames() -> str:
    return "".join(traceback.format_exc().splitlines(keepends=True)[-14:])


class _Memory:
    """Peak memory of this process from now on."""

    def __init__(self) -> None:
        self._start = self._reading("VmRSS")
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")

    def used(self) -> int:
        """MiB at the peak beyond those at the start."""
        return max(0, self._reading("VmHWM") - self._start) // 1024

    @staticmethod
    def _reading(name: str) -> int:
        try:
            text = Path("/proc/self/status").read_text()
        except OSError:
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = re.search(rf"{name}:\s+(\d+)", text)
        return int(found[1]) if found else 0


@contextlib.contextmanager
def working_in(folder: str) -> Iterator[None]:
    """Another working folder inside."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def limited_memory(gibibytes: int = 8) -> Iterator[None]:
    """Address space beyond what is in use; the machine survives whatever a file asks for."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + gibibytes * 2**30
        resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


if __name__ == "__main__":
    sys.exit(main())
