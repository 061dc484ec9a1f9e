from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys

import pytest
from torchvision.transforms import functional

from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import UnavailableError

SHIM = "torchvision.transforms.functional_tensor"
installed = pytest.mark.skipif(
    importlib.util.find_spec("basicsr") is None, reason="basicsr is not installed"
)


@installed
def test_the_shim_is_gone_after_a_first_import():
    code = (
        "import sys\n"
        "from realsr_mtl.bridges.basicsr import load\n"
        f"had = '{SHIM}' in sys.modules\n"
        "network = load('archs.srresnet_arch').MSRResNet\n"
        f"assert had or '{SHIM}' not in sys.modules\n"
        "print(network.__module__)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split()[-1] == "basicsr.archs.srresnet_arch"


@installed
def test_an_existing_module_is_left_alone(monkeypatch):
    own = type(sys)(SHIM)
    own.rgb_to_grayscale = functional.rgb_to_grayscale  # basicsr may be imported here first
    monkeypatch.setitem(sys.modules, SHIM, own)
    basicsr.load("utils.registry")
    assert sys.modules[SHIM] is own


@pytest.mark.parametrize("reason", ["No module named 'basicsr'", "cannot import name 'x'"])
def test_a_failing_import_names_the_remedy_and_leaves_nothing(monkeypatch, reason):
    def fail(name):
        assert name == "basicsr.archs"
        assert SHIM in sys.modules
        raise ImportError(reason)

    monkeypatch.delitem(sys.modules, SHIM, raising=False)
    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(UnavailableError, match=f"{reason}.*pip install basicsr==1.4.2"):
        basicsr.load("archs")
    assert SHIM not in sys.modules


@installed
def test_a_wrong_module_name_is_no_crash():
    with pytest.raises(UnavailableError, match="no_such_part"):
        basicsr.load("no_such_part")
