from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from realsr_mtl.archs import build_network
from realsr_mtl.evaluation.inference import Tile, exact_arithmetic, restore
from tests._inputs import photographs

CPU = torch.device("cpu")


def _network() -> nn.Module:
    block = {"type": "SRVGGNetCompact", "num_feat": 8, "num_conv": 2, "upscale": 2}
    return build_network(block, 2, seed=0).eval()


@pytest.mark.parametrize("size", [(40, 56), (33, 17), (64, 20)])
@pytest.mark.parametrize("tile", [16, 24])
def test_tiles_equal_the_whole_image_when_the_pad_covers_the_reach(
    size: tuple[int, int], tile: int
) -> None:
    network, lq = _network(), photographs(1, *size)
    whole = restore(network, lq, 2, CPU)
    tiled = restore(network, lq, 2, CPU, Tile(tile, pad=4))  # four 3 x 3 convolutions reach 4
    assert whole.shape == (1, 3, 2 * size[0], 2 * size[1])
    assert torch.allclose(tiled, whole, atol=1e-6)


def test_too_small_a_pad_shows_at_the_seams() -> None:
    network, lq = _network(), photographs(1, 40, 40)
    tiled = restore(network, lq, 2, CPU, Tile(16, pad=0))
    assert not torch.allclose(tiled, restore(network, lq, 2, CPU), atol=1e-6)


def test_tiles_bound_what_the_network_sees() -> None:
    seen = []

    class Watch(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(tuple(x.shape[-2:]))
            return x

    restore(Watch(), photographs(1, 100, 90), 1, CPU, Tile(32, pad=8))
    assert max(max(size) for size in seen) == 48


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
