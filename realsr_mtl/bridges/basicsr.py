"""basicsr 1.4.2, importable beside a current torchvision.

``basicsr`` imports ``torchvision.transforms.functional_tensor``, which torchvision removed in
0.17. The missing module is supplied for the duration of the import and taken away afterwards.
"""

from __future__ import annotations

import importlib
import sys
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from realsr_mtl.errors import UnavailableError

_MISSING = "torchvision.transforms.functional_tensor"


def load(module: str) -> Any:
    """Import ``basicsr.<module>`` and return it.

    Raises:
        UnavailableError: basicsr is not installed (it cannot be built on Python >= 3.13) or fails.
    """
    try:
        with _functional_tensor(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return importlib.import_module(f"basicsr.{module}")
    except ImportError as error:
        raise UnavailableError(
            f"this needs basicsr ({error}); on Python 3.10 to 3.12 run 'pip install basicsr==1.4.2'"
        ) from error


@contextmanager
def _functional_tensor() -> Iterator[None]:
    from torchvision.transforms import functional

    added = _MISSING not in sys.modules
    if added:
        module = types.ModuleType(_MISSING)
        module.rgb_to_grayscale = functional.rgb_to_grayscale  # type: ignore[attr-defined]
        sys.modules[_MISSING] = module
    try:
        yield
    finally:
        if added:
            sys.modules.pop(_MISSING, None)
