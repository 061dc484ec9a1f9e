from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from torch import Tensor

from realsr_mtl.degradations.operators import jpeg, simulate_jpeg
from realsr_mtl.degradations.operators.jpeg_simulation import quantisation_tables
from tests._inputs import photographs

QUALITIES = (1, 10, 30, 49, 50, 60, 75, 90, 95, 100)


def _pillow(image: Tensor, quality: int) -> Tensor:
    from PIL import Image

    levels = (image * 255).round().byte().permute(1, 2, 0).numpy()
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "JPEG", quality=quality, subsampling=2)
    decoded = np.array(Image.open(buffer))
    return torch.from_numpy(decoded).permute(2, 0, 1).float() / 255


@pytest.mark.parametrize("size", [(64, 48), (61, 83), (17, 33), (16, 16), (9, 5), (8, 1)])
def test_pixels_equal_the_real_codecs(size: tuple[int, int]) -> None:
    image = photographs(len(QUALITIES), *size)
    image = (image + 0.1 * torch.sin(torch.arange(size[1]) * 1.7)).clamp(0, 1)  # fine texture too
    quality = torch.tensor(QUALITIES)
    found = simulate_jpeg(image, quality)
    assert torch.equal(found, jpeg(image, quality))
    for sample, q, out in zip(image, QUALITIES, found, strict=True):
        assert torch.equal(out, _pillow(sample, q))


def test_random_pixels_are_hardest_and_still_equal() -> None:
    image = torch.rand(4, 3, 40, 56, generator=torch.Generator().manual_seed(0))
    quality = torch.tensor([20, 55, 85, 99])
    assert torch.equal(simulate_jpeg(image, quality), jpeg(image, quality))


def test_tables_are_those_that_libjpeg_writes() -> None:
    from PIL import Image

    image = Image.fromarray(np.zeros((8, 8, 3), np.uint8))
    luma, chroma = quantisation_tables(torch.tensor(QUALITIES))
    for i, q in enumerate(QUALITIES):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=q)
        written = Image.open(buffer).quantization
        assert written[0] == luma[i].flatten().int().tolist()
        assert written[1] == chroma[i].flatten().int().tolist()


def test_a_sample_does_not_depend_on_its_batch_and_nothing_is_modified() -> None:
    image, quality = photographs(3, 24, 40), torch.tensor([30, 60, 90])
    before = image.clone(), quality.clone()
    whole = simulate_jpeg(image, quality)
    for i in range(3):
        assert torch.equal(simulate_jpeg(image[i : i + 1], quality[i : i + 1])[0], whole[i])
    assert torch.equal(image, before[0])
    assert torch.equal(quality, before[1])


def test_straight_through_has_the_same_pixels_and_an_identity_like_gradient() -> None:
    image = photographs(2, 32, 32).clamp(0.1, 0.9).requires_grad_(True)
    quality = torch.tensor([40, 90])
    out = simulate_jpeg(image, quality, straight_through=True)
    assert torch.allclose(out, simulate_jpeg(image, quality), atol=1e-6)
    weights = photographs(2, 32, 32, seed=9)  # smooth, so that averaged chroma passes it
    (out * weights).sum().backward()
    assert image.grad is not None
    cosine = torch.nn.functional.cosine_similarity(image.grad.flatten(), weights.flatten(), dim=0)
    assert cosine > 0.97
    assert not simulate_jpeg(image, quality).requires_grad  # rounding as it is has no gradient
