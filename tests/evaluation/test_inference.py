from __future__ import annotations

from typing import Any, Literal

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from realsr_mtl.archs import Limits, build_network
from realsr_mtl.config.schema import TileOptions, ValOptions
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation.inference import Inference, exact_arithmetic, restore
from realsr_mtl.evaluation.tiling import Tile
from tests._inputs import photographs

CPU = torch.device("cpu")


class Nearest(nn.Module):
    """Repeats every pixel: what a network does to an image is known."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=self.scale)


def _network() -> nn.Module:
    block = {"type": "SRVGGNetCompact", "num_feat": 8, "num_conv": 2, "upscale": 2}
    return build_network(block, 2, seed=0).eval()


@pytest.mark.parametrize("size", [(40, 56), (33, 17), (64, 20)])
@pytest.mark.parametrize("tile", [16, 24])
@pytest.mark.parametrize("blend", [0, 5])
def test_tiles_equal_the_whole_image_when_the_pad_covers_the_reach(
    size: tuple[int, int], tile: int, blend: int
) -> None:
    network, lq = _network(), photographs(1, *size)
    whole = restore(network, lq, 2, CPU)
    how = Inference(Tile(tile, 4, blend))  # four 3 x 3 convolutions reach 4
    tiled = restore(network, lq, 2, CPU, how)
    assert whole.shape == (1, 3, 2 * size[0], 2 * size[1])
    assert torch.allclose(tiled, whole, atol=1e-6)


def test_too_small_a_pad_shows_at_the_seams() -> None:
    network, lq = _network(), photographs(1, 40, 40)
    tiled = restore(network, lq, 2, CPU, Inference(Tile(16, 0, 0)))
    assert not torch.allclose(tiled, restore(network, lq, 2, CPU), atol=1e-6)


@pytest.mark.parametrize("self_ensemble", [False, True])
def test_tiles_bound_what_the_network_sees(self_ensemble: bool) -> None:
    seen = []

    class Watch(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(tuple(x.shape[-2:]))
            return x

    how = Inference(Tile(32, 6, 2), self_ensemble=self_ensemble)
    restore(Watch(), photographs(1, 100, 90), 1, CPU, how)
    assert max(max(size) for size in seen) == 48
    assert len(seen) == 12 * (8 if self_ensemble else 1)


def _rgba(height: int = 20, width: int = 30) -> Tensor:
    """Opaque on the left, clear on the right, a soft edge between."""
    alpha = torch.linspace(2, -1, width).clamp(0, 1).expand(1, 1, height, width)
    return torch.cat((photographs(1, height, width), alpha), 1)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "how",
    [
        Inference(),
        Inference(Tile(8, 2, 2)),
        Inference(self_ensemble=True),
        Inference(outscale=3),
        Inference(precision="bf16"),
    ],
    ids=["plain", "tiles", "ensemble", "outscale", "bf16"],
)
def test_nearest_neighbours_stay_what_they_are(channels: int, how: Inference) -> None:
    lq = _rgba()[:, 4 - channels :]
    tolerance = 4e-3 if how.precision == "bf16" else 1e-6
    restored = restore(Nearest(3), lq, 3, CPU, how)
    torch.testing.assert_close(
        restored, F.interpolate(lq, scale_factor=3), atol=tolerance, rtol=tolerance
    )


@pytest.mark.parametrize(
    ("outscale", "size"), [(2, (40, 60)), (1.5, (30, 45)), (0.01, (1, 1)), (1.15, (23, 34))]
)
def test_outscale_sets_the_final_size(outscale: float, size: tuple[int, int]) -> None:
    restored = restore(Nearest(4), _rgba(), 4, CPU, Inference(outscale=outscale))
    assert restored.shape == (1, 4, *size)
    assert abs(float(restored.mean() - _rgba().mean())) < 0.3


def test_a_smaller_outscale_takes_the_mean_and_not_every_other_pixel() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(20).expand(1, 3, 40, 40)
    restored = restore(Nearest(1), stripes, 1, CPU, Inference(outscale=0.5))
    assert (restored - 0.5).abs().max() < 0.1


@pytest.mark.parametrize("method", ["network", "bicubic"])
def test_opaque_and_clear_areas_stay_so(method: Literal["network", "bicubic"]) -> None:
    class Off(Nearest):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * 0.9 + 0.03

    alpha = restore(Off(2), _rgba(), 2, CPU, Inference(alpha=method))[:, 3]
    assert (alpha[..., :18] == 1).all()
    assert (alpha[..., -18:] == 0).all()
    assert 0 < float(alpha[0, 0, 30]) < 1


def test_alpha_that_is_the_same_everywhere_costs_no_second_run() -> None:
    runs = []

    class Counted(Nearest):
        def forward(self, x: Tensor) -> Tensor:
            runs.append(x)
            return super().forward(x)

    opaque = torch.cat((photographs(1, 9, 9), torch.ones(1, 1, 9, 9)), 1)
    assert (restore(Counted(2), opaque, 2, CPU)[:, 3] == 1).all()
    assert len(runs) == 1
    restore(Counted(2), _rgba(), 2, CPU)
    assert len(runs) == 3


def test_alpha_is_a_grey_image_to_the_network_or_bicubic() -> None:
    sharp = torch.cat((torch.zeros(1, 3, 8, 8), torch.ones(1, 1, 8, 8)), 1)
    sharp[:, 3, :, 4:] = 0
    network = restore(Nearest(4), sharp, 4, CPU)[:, 3]
    bicubic = restore(Nearest(4), sharp, 4, CPU, Inference(alpha="bicubic"))[:, 3]
    assert set(network.unique().tolist()) == {0, 1}
    assert bicubic.unique().numel() > 2


def test_half_precision_reaches_the_network_only() -> None:
    seen = []

    class Convolution(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            out = super().forward(x)
            seen.append(out.dtype)
            return out

    restored = restore(Convolution(3, 3, 1), _rgba()[:, :3], 1, CPU, Inference(precision="bf16"))
    assert (seen, restored.dtype) == ([torch.bfloat16], torch.float32)


def test_overflow_in_half_precision_is_no_black_image() -> None:
    class Overflow(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x / 0

    with pytest.raises(UserError, match="overflows in bf16; use"):
        restore(Overflow(), _rgba()[:, :3], 1, CPU, Inference(precision="bf16"))


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        ({"precision": "half"}, "float32, bf16, fp16; found 'half'"),
        ({"alpha": "nearest"}, "network or bicubic; found 'nearest'"),
        ({"outscale": 0}, "must be positive, found 0"),
    ],
)
def test_mistakes_are_sentences(mistake: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Inference(**mistake)


def test_fp16_needs_a_gpu() -> None:
    with pytest.raises(UserError, match="fp16 needs a GPU; use bf16 or float32"):
        restore(Nearest(1), _rgba(), 1, CPU, Inference(precision="fp16"))


def test_an_option_file_and_python_have_the_same_defaults() -> None:
    assert Inference.of(None) == Inference.of(ValOptions()) == Inference()
    options = ValOptions(tile=TileOptions(tile_size=64), precision="bf16", outscale=2)
    assert Inference.of(options) == Inference(Tile(64), "bf16", outscale=2)


@pytest.mark.parametrize("size", [(8, 8), (13, 9), (3, 21), (1, 1)])
def test_input_is_padded_to_the_multiple_a_network_needs(size: tuple[int, int]) -> None:
    class Windowed(nn.Module):
        multiple_of = 8

        def forward(self, x: Tensor) -> Tensor:
            assert x.shape[-1] % 8 == 0
            assert x.shape[-2] % 8 == 0
            return x.repeat_interleave(2, -1).repeat_interleave(2, -2)

    lq = photographs(1, *size)
    out = restore(Windowed(), lq, 2, CPU)
    assert torch.equal(out[..., ::2, ::2], lq)


def test_out_of_memory_names_the_remedy() -> None:
    class Hungry(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(ValueError, match=r"20 x 10.*tile_size"):
        restore(Hungry(), torch.zeros(1, 3, 10, 20), 4, CPU)


def test_tables_are_made_in_full_precision_and_the_switches_come_back() -> None:
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.benchmark
    cudnn.allow_tf32, cudnn.benchmark = True, True
    torch.set_float32_matmul_precision("high")
    try:
        with exact_arithmetic():
            assert not cudnn.allow_tf32
            assert not cudnn.benchmark
            assert cudnn.deterministic
            assert torch.get_float32_matmul_precision() == "highest"
        assert cudnn.allow_tf32
        assert cudnn.benchmark
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        cudnn.allow_tf32, cudnn.benchmark = before
        torch.set_float32_matmul_precision("highest")


def test_images_smaller_than_the_network_takes_are_extended() -> None:
    class Wide(Nearest):
        limits = Limits(multiple=4, smallest=16)

        def forward(self, x: Tensor) -> Tensor:
            assert min(x.shape[-2:]) >= 16 and x.shape[-1] % 4 == 0
            return super().forward(x)

    lq = photographs(1, 5, 18)
    assert torch.equal(restore(Wide(2), lq, 2, CPU), F.interpolate(lq, scale_factor=2))
