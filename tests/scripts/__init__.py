from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any


def load_script(name: str) -> Any:
    """Import ``scripts/<name>.py``, which is no package, and leave the search path as it was."""
    path = Path(__file__).parents[2] / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module
