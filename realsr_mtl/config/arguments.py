"""The command line of train.py and test.py, with BasicSR's spelling.

Imports nothing heavy: ``--help`` must answer at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Arguments:
    """Parsed command line; the meaning of each field is its ``--help`` text."""

    option_file: Path
    launcher: str = "none"
    auto_resume: bool = False
    debug: bool = False
    check: bool = False
    overrides: list[str] = field(default_factory=list)


def parse_arguments(description: str, argv: Sequence[str] | None = None) -> Arguments:
    """Parse ``argv`` (default: the process's own); exits with status 2 on a wrong command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "-opt", "--opt", required=True, type=Path, metavar="FILE", help="the option file (YAML)"
    )
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm"],
        default="none",
        help="how the processes were started; torchrun is recognised without it (default: none)",
    )
    parser.add_argument(
        "--auto_resume",
        action="store_true",
        help="go on from the newest state in the experiment's folder; start at 0 if it has none",
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        help="prefix debug_ to the name, validate and save every 8 iterations, log every one",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="check the options, build what needs no image, print what would run, and stop",
    )
    parser.add_argument(
        "--force_yml",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY:KEY=VALUE",
        help="change options, e.g. --force_yml train:optim_g:lr=1e-4 manual_seed=7",
    )
    for spelling in ("--local_rank", "--local-rank"):  # old launchers pass it; LOCAL_RANK counts
        parser.add_argument(spelling, type=int, default=0, help=argparse.SUPPRESS)
    parsed = parser.parse_args(argv)
    return Arguments(
        option_file=parsed.opt,
        launcher=parsed.launcher,
        auto_resume=parsed.auto_resume,
        debug=parsed.debug,
        check=parsed.check,
        overrides=parsed.force_yml,
    )
