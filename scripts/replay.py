"""Look again at the samples because of which a training step was skipped.

    python scripts/replay.py experiments/<name>/nonfinite/<iteration>.pth

A step whose loss or gradient is NaN or infinite is skipped, and its samples are kept with the
weights of that moment. This command says for each of them whether image and record still give the
same LQ patch, and in which layer, loss and gradient the NaN or infinity begins. It runs on the CPU.
Exit status 1 means that everything is finite now.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and replay."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="file of a skipped step")
    arguments = parser.parse_args(argv)
    return run_command(lambda: replay(arguments.file))


def replay(file: Path) -> int:
    """Print what is found; 0 if a fault is there again."""
    from realsr_mtl.reporting import start_logging
    from realsr_mtl.training.replay import Replay

    start_logging(None, quiet=True)
    found = list(Replay(file))
    for findings in found:
        sys.stdout.write("\n".join(f"{head:>12}: {text}" for head, text in findings.items()))
        sys.stdout.write("\n\n")
    return 0 if any(findings["repeats"] == "yes" for findings in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
