from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.data import to_tensor
from realsr_mtl.data.reading import decode_as_is
from realsr_mtl.evaluation.images import as_rgb, to_pixels, write_image
from realsr_mtl.metrics.base import to_uint8
from tests._inputs import photograph

RGB = photograph(20, 30)
RGBA = np.dstack((RGB, photograph(20, 30, seed=4)[..., 0]))
KINDS = {"grey": RGB[..., 0], "RGB": RGB, "RGBA": RGBA}
DEEP = {f"16-bit {kind}": pixels.astype(np.uint16) * 257 - 128 for kind, pixels in KINDS.items()}


@pytest.mark.parametrize("kind", KINDS | DEEP)
def test_a_written_image_reads_back_as_it_was(kind: str, tmp_path: Path) -> None:
    image = (KINDS | DEEP)[kind]
    path = tmp_path / "new" / "folder" / "a.png"
    write_image(path, image)
    back = decode_as_is(path.read_bytes(), "a")
    assert back.dtype == image.dtype
    assert np.array_equal(back, image)


def test_a_failed_write_leaves_the_old_image(monkeypatch: pytest.MonkeyPatch) -> None:
    write_image(Path("a.png"), RGB)
    monkeypatch.setattr(cv2, "imencode", lambda *_: (True, np.zeros(9, np.uint8)))
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        write_image(Path("a.png"), RGB)
    assert np.array_equal(decode_as_is(Path("a.png").read_bytes(), "a"), RGB)
    assert len(list(Path().iterdir())) == 1


@pytest.mark.parametrize("kind", KINDS | DEEP)
def test_tensors_become_the_pixels_they_came_from(kind: str) -> None:
    image = (KINDS | DEEP)[kind]
    pixels = to_pixels(to_tensor(image), image.dtype)
    assert pixels.dtype == image.dtype
    assert np.array_equal(pixels, image)


def test_values_are_clamped_and_rounded_and_the_tensor_stays() -> None:
    image = torch.tensor([-1.0, 0.4999 / 255, 0.5001 / 255, 7.0]).view(1, 1, 4)
    before = image.clone()
    assert to_pixels(image, np.uint8).tolist() == [[0, 0, 1, 255]]
    assert to_pixels(image, np.float64)[0, [0, 3]].tolist() == [0, 1]
    assert torch.equal(image, before)
    wild = 3 * torch.rand(3, 9, 9, generator=torch.Generator().manual_seed(0)) - 1
    assert np.array_equal(to_pixels(wild, np.uint8), to_uint8(wild))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_metrics_see_three_colours(channels: int) -> None:
    image = torch.arange(float(channels)).view(-1, 1, 1).expand(-1, 2, 2)
    expected = [0, 1, 2] if channels >= 3 else [0, 0, 0]
    assert as_rgb(image)[:, 0, 0].tolist() == expected
