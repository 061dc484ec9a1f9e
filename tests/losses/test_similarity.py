from __future__ import annotations

import pytest
import torch

from realsr_mtl.errors import OptionError
from realsr_mtl.losses import LOSSES, SSIMLoss
from realsr_mtl.metrics import SSIM
from tests._inputs import photograph


def test_it_is_one_minus_the_metric():
    images = [photograph(24, 40, seed) for seed in (0, 1)]
    tensors = [torch.from_numpy(i.copy()).permute(2, 0, 1)[None].float() / 255 for i in images]
    expected = 1 - SSIM()(images[0], images[1])
    assert SSIMLoss()(*tensors).item() == pytest.approx(expected, abs=1e-5)
    assert SSIMLoss()(tensors[0], tensors[0]).item() == pytest.approx(0, abs=1e-6)


def test_smaller_windows_fit_smaller_patches():
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert SSIMLoss(window_size=7)(image, image.flip(-1)).item() > 0.1
    with pytest.raises(ValueError, match="11 pixels in each direction, found"):
        SSIMLoss()(image, image)
    with pytest.raises(OptionError, match="window_size must be odd"):
        LOSSES.build({"type": "SSIMLoss", "window_size": 8})
