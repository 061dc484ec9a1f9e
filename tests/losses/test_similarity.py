from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d

from realsr_mtl.errors import OptionError, UserError
from realsr_mtl.losses import LOSSES, MSSSIMLoss, SSIMLoss
from realsr_mtl.metrics import SSIM
from tests._inputs import photograph, photographs


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


def published(x: np.ndarray, y: np.ndarray, scales: int) -> float:
    """MS-SSIM of one channel as in the paper, in float64 and without our code."""
    offset = np.arange(11) - 5
    window = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * 1.5**2))
    window /= window.sum()
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])[:scales]
    weights = weights if scales == 5 else weights / weights.sum()
    result = 1.0
    for scale, weight in enumerate(weights):
        if scale:
            x, y = (_halved(image) for image in (x, y))
        mx, my, xx, yy, xy = (
            convolve2d(image, window, "valid") for image in (x, y, x * x, y * y, x * y)
        )
        term = (2 * (xy - mx * my) + 0.03**2) / (xx - mx**2 + yy - my**2 + 0.03**2)
        if scale == scales - 1:
            term = term * (2 * mx * my + 0.01**2) / (mx**2 + my**2 + 0.01**2)
        result *= term.mean() ** weight
    return result


def _halved(image: np.ndarray) -> np.ndarray:
    mirrored = np.pad(image, [(0, side % 2) for side in image.shape], "symmetric")
    rows = mirrored[::2] + mirrored[1::2]
    return (rows[:, ::2] + rows[:, 1::2]) / 4


@pytest.mark.parametrize(("scales", "size"), [(5, (161, 190)), (3, (41, 55)), (2, (22, 64))])
def test_several_scales_as_published(scales: int, size: tuple[int, int]):
    image = photographs(1, *size)
    noise = 0.3 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    channels = zip(image[0].double().numpy(), (image + noise)[0].double().numpy(), strict=True)
    expected = np.mean([published(x, y, scales) for x, y in channels])
    value = MSSSIMLoss(scales=scales)(image, image + noise)
    assert value.item() == pytest.approx(1 - expected, abs=5e-6)
    assert 0.2 < value.item() < 0.9


def test_one_scale_is_ssim():
    pair = photographs(2, 12, 16), photographs(2, 12, 16).roll(1, -1)
    torch.testing.assert_close(MSSSIMLoss(scales=1)(*pair), SSIMLoss()(*pair))


def test_opposite_images_have_a_loss_and_a_gradient():
    target = photographs(1, 24, 24)
    image = (1 - target).requires_grad_()
    value = MSSSIMLoss(scales=2)(image, target)
    (gradient,) = torch.autograd.grad(value.sum(), image)
    assert 0.9 < value.item() < 1
    assert gradient.isfinite().all()


def test_gradient_by_differences():
    images = [photographs(1, 12, 14, seed).double() for seed in (0, 1)]
    images[0] = images[1].lerp(images[0], 0.2).requires_grad_()
    loss = MSSSIMLoss(scales=2, window_size=5).double()
    assert torch.autograd.gradcheck(lambda x: loss.compare(x, images[1]), images[0], fast_mode=True)


def test_scales_that_do_not_fit():
    image = torch.zeros(1, 3, 160, 200)
    with pytest.raises(UserError, match=r"5 scales needs 161 .* found \(160, 200\); set fewer"):
        MSSSIMLoss()(image, image)
    assert MSSSIMLoss(scales=4)(image, image).abs().item() < 1e-6
    with pytest.raises(OptionError, match="scales must be 1 to 5, found 6"):
        LOSSES.build({"type": "MSSSIMLoss", "scales": 6})
