"""Test a trained network: per-task metrics and images, from one option file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # run as a file: let the repository, not this folder, be searched first
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from realsr_mtl.command import run_command
from realsr_mtl.config.arguments import parse_arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, check, test; return the exit status."""
    arguments = parse_arguments(__doc__, argv)

    def command() -> int:
        from realsr_mtl.testing import test

        return test(arguments)

    return run_command(command)


if __name__ == "__main__":
    raise SystemExit(main())
