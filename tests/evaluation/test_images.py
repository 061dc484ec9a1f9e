from __future__ import annotations

from pathlib import Path

import numpy as np

from realsr_mtl.data.reading import decode
from realsr_mtl.evaluation.images import write_image
from tests._inputs import photograph


def test_a_written_image_reads_back_in_the_same_colours(tmp_path: Path) -> None:
    image = photograph(20, 30)
    path = tmp_path / "new" / "folder" / "a.png"
    write_image(path, image)
    assert np.array_equal(decode(path.read_bytes(), "a"), image)
