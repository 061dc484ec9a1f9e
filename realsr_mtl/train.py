"""Train a restoration network over degradation tasks from one option file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # run as a file: let the repository, not this folder, be searched first
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from realsr_mtl.command import run_command
from realsr_mtl.config.arguments import parse_arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, check, train; return the exit status."""
    arguments = parse_arguments(__doc__, argv)

    def command() -> int:
        from realsr_mtl.training import train

        return train(arguments)

    return run_command(command)


if __name__ == "__main__":
    raise SystemExit(main())
