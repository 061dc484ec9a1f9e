import pytest

import realsr_mtl
from realsr_mtl import restoration
from tests._commands import run_python


def test_what_a_user_calls_is_at_hand():
    assert realsr_mtl.restore is restoration.restore
    assert realsr_mtl.Restorer is restoration.Restorer
    assert realsr_mtl.Tile(64).size == 64
    with pytest.raises(AttributeError, match="no attribute 'restor'"):
        _ = realsr_mtl.restor


def test_torch_is_imported_when_it_is_needed():
    code = (
        "import sys, realsr_mtl\n"
        "assert 'torch' not in sys.modules\n"
        "from realsr_mtl import restore\n"
        "assert 'torch' in sys.modules"
    )
    result = run_python("-c", code, installed=True)
    assert result.returncode == 0, result.stderr
