from __future__ import annotations

import pytest
import torch
from torch import Tensor

from realsr_mtl.degradations.operators import (
    blur,
    blur_kernels,
    gaussian_noise,
    jpeg,
    poisson_noise,
    resize,
    simulate_jpeg,
)
from realsr_mtl.degradations.operators.canvas import on_canvas, samples, to_image, to_pixels
from tests._inputs import photographs
from tests.degradations._records import draws

SIZES = [(40, 33), (7, 50), (1, 1), (40, 50), (17, 2)]
SEED = torch.arange(5) + 2**40
GREY = torch.tensor([False, True, False, True, False])
STRENGTH = torch.linspace(0.5, 4, 5)
KERNEL = ("kernel_type", "kernel_size", "sigma_x", "sigma_y", "rotation", "beta", "cutoff")


def _images() -> list[Tensor]:
    return [image[:, :h, :w] for image, (h, w) in zip(photographs(5, 40, 50), SIZES, strict=True)]


def _kernels() -> Tensor:
    return blur_kernels(*(draws()[f"{name}1"][:5] for name in KERNEL))


def _resized(image: Tensor, sizes: Tensor, of: slice) -> tuple[Tensor, Tensor]:
    factor = torch.tensor([0.15, 1.5, 0.6, 0.31, 1.0], dtype=torch.float64)
    return resize(image, torch.tensor([0, 1, 2, 1, 0])[of], factor=factor[of], sizes=sizes)


OPERATORS = {
    "blur": lambda x, s, of: (blur(x, _kernels()[of], s), s),
    "resize": _resized,
    "gaussian": lambda x, s, of: (gaussian_noise(x, STRENGTH[of], GREY[of], SEED[of], s), s),
    "poisson": lambda x, s, of: (poisson_noise(x, STRENGTH[of], GREY[of], SEED[of], s), s),
    "jpeg": lambda x, s, of: (jpeg(x, torch.tensor([30, 95, 50, 75, 1])[of], s), s),
    "simulation": lambda x, s, of: (simulate_jpeg(x, torch.tensor([30, 95, 50, 75, 1])[of], s), s),
}


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("beyond", [0.0, float("nan")])
def test_samples_of_a_canvas_equal_the_same_images_alone(name, beyond, implementation):
    """Bit for bit, whatever lies beyond them on the canvas."""
    operator = OPERATORS[name]
    canvas, sizes = on_canvas(_images())
    for sample, (height, width) in zip(canvas, SIZES, strict=True):
        sample[:, height:] = beyond
        sample[:, :, width:] = beyond
    result, new = operator(canvas, sizes, slice(None))
    for i, (image, found) in enumerate(zip(_images(), samples(result, new), strict=True)):
        alone, size = operator(image[None], None, slice(i, i + 1))
        assert torch.equal(found, alone[0]), SIZES[i]
        if name == "resize":
            assert new[i].tolist() == size[0].tolist() == list(alone.shape[-2:])


def test_a_canvas_holds_images_of_several_sizes():
    canvas, sizes = on_canvas(_images())
    assert canvas.shape == (5, 3, 40, 50) and sizes.tolist() == [list(size) for size in SIZES]
    for image, sample in zip(_images(), samples(canvas, sizes), strict=True):
        assert torch.equal(image, sample)
    same, _ = on_canvas([_images()[0]] * 3)
    assert same.shape == (3, 3, 40, 33)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pixels_and_images_are_the_same_values(channels, layout):
    image = torch.rand(2, channels, 5, 7).contiguous(memory_format=layout)[1]
    pixels = to_pixels(image)
    assert pixels.shape == (5, 7, channels) and pixels.flags["C_CONTIGUOUS"]
    assert torch.equal(to_image(pixels), image)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", OPERATORS)
def test_values_on_a_gpu_are_those_of_the_cpu(name):
    canvas, sizes = on_canvas(_images())
    expected, new = OPERATORS[name](canvas, sizes, slice(None))
    found, own = OPERATORS[name](canvas.to("cuda"), sizes, slice(None))
    assert own.tolist() == new.tolist()
    for a, b in zip(samples(found.cpu(), own), samples(expected, new), strict=True):
        assert (a - b).abs().max() <= 1e-5
