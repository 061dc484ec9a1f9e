from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.seal.published_centres import read_centres
from realsr_mtl.tasks import CaseTasks
from tests.seal._centres import BSRGAN, REAL_ESRGAN, line

FILE = Path("centres.txt")


def test_a_file_becomes_cases_named_by_their_row():
    other = REAL_ESRGAN.replace("Final_1_0_0_0", "Final_2_0_0_0")
    FILE.write_text("\n".join([line(REAL_ESRGAN), line(BSRGAN, 1), line(other, 2)]) + "\n\n")
    found = read_centres(FILE)
    assert [case.name for case in found.cases] == ["0", "1"]
    assert found.families == {"0": "RealESRGAN", "1": "BSRGAN", "2": "RealESRGAN"}
    assert found.left_out == {"2": "the final order 2 leaves out the last JPEG"}
    assert set(found.notes.values()) == {1}
    assert found.cases[0].tags == {"noise": "above 20", "jpeg": "50 to 75", "blur": "sinc"}
    tasks = CaseTasks(found.cases, found.records)
    assert tasks.names == ["0", "1"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nothing", "line 1 .* not of the form"),
        (line("Weather_rain"), "'Weather' is no generator; there are FisrtOrder, shuffleorder"),
        (line(REAL_ESRGAN.replace("_11_1_", "_12_1_")), "'blur1' cannot be drawn"),
        (line(REAL_ESRGAN.replace("_.png", "")), "58 words"),
        (line(REAL_ESRGAN.replace("Final_1", "Final_3")), "holds no centre that"),
    ],
)
def test_other_files_are_refused(text, sentence):
    FILE.write_text(text + "\n")
    with pytest.raises(UserError, match=sentence):
        read_centres(FILE)


def test_no_file():
    with pytest.raises(UserError, match=r"'centres.txt' does not exist"):
        read_centres(FILE)
