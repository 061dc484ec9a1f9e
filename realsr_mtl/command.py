"""What every command does at its end: one sentence for a user's mistake, and an honest status."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

from realsr_mtl.errors import UserError

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def run_command(command: Callable[[], int]) -> int:
    """Run a command and return its exit status.

    A `UserError`, a full disk or denied access becomes one sentence on stderr and status 2. Any
    other exception is a defect of ours and keeps its traceback (status 1).
    """
    try:
        return command()
    except UserError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        _fail("stopped by Ctrl-C")
        return INTERRUPTED
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _fail(
                f"the disk is full while writing {error.filename or 'a file'}; free some space "
                "and start again with --auto_resume"
            )
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            return _fail(f"no access to {error.filename or 'a file'}: {error.strerror}")
        if error.errno is not None and error.filename is not None:
            return _fail(f"'{error.filename}' cannot be read or written: {error.strerror}")
        raise


def _fail(sentence: str) -> int:
    rank = os.environ.get("RANK")
    place = f"[process {rank}] " if rank not in (None, "0") else ""
    sys.stderr.write(f"{place}error: {sentence}\n")
    sys.stderr.flush()
    return 2
