from __future__ import annotations

import pytest
import torch

from realsr_mtl.degradations.operators import imresize, usm_sharpen
from realsr_mtl.errors import OptionError
from realsr_mtl.tasks import TARGETS, Targets
from tests._inputs import photographs


def test_without_options_every_target_is_the_hr_image():
    hr = photographs(2, 16, 24)
    targets = Targets(4)
    assert targets.is_hr("anything") and targets.scale_of("anything") == 4
    assert targets.make(hr, "anything") is hr


def test_targets_are_made_by_task_and_have_the_size_of_the_output():
    hr = photographs(2, 64, 96)
    sharp = TARGETS.build({"type": "Sharpened", "weight": 1.0, "threshold": 5})
    targets = Targets(4, {"detail": sharp, "both": sharp}, {"denoise": 1, "both": 2, "sr": 4})
    assert torch.equal(targets.make(hr, "detail"), usm_sharpen(hr, 1.0, 5))
    assert torch.equal(targets.make(hr, "denoise"), imresize(hr, 1 / 4))
    assert torch.equal(targets.make(hr, "both"), imresize(usm_sharpen(hr, 1.0, 5), 1 / 2))
    assert [targets.is_hr(t) for t in ("sr", "detail", "denoise")] == [True, False, False]
    assert not torch.equal(targets.make(hr, "detail"), hr)


def test_original_is_no_change():
    hr = photographs(1, 16, 16)
    targets = Targets(2, {"a": TARGETS.build({"type": "Original"})}, {"a": 1})
    assert torch.equal(targets.make(hr, "a"), imresize(hr, 1 / 2))


def test_mistakes():
    with pytest.raises(ValueError, match="the output of task 'a' is x3, but HR images are x4"):
        Targets(4, {}, {"a": 3})
    with pytest.raises(OptionError, match="must not be negative: -1"):
        TARGETS.build({"type": "Sharpened", "weight": -1})
