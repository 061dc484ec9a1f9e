from __future__ import annotations

import builtins
import importlib
import sys

import pytest

from realsr_mtl.bridges import opencv
from realsr_mtl.errors import UnavailableError


def test_opencv_starts_no_threads_of_its_own():
    assert opencv.cv2.getNumThreads() <= 1


def test_missing_graphics_library_names_the_headless_package(monkeypatch):
    real = builtins.__import__

    def broken(name, *rest, **options):
        if name == "cv2":
            raise ImportError("libGL.so.1: cannot open shared object file")
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", broken)
    monkeypatch.delitem(sys.modules, "realsr_mtl.bridges.opencv")
    with pytest.raises(UnavailableError, match=r"libGL\.so\.1.*opencv-python-headless"):
        importlib.import_module("realsr_mtl.bridges.opencv")
