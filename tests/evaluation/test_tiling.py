from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from realsr_mtl.errors import UserError
from realsr_mtl.evaluation.tiling import Tile, run_tiled
from tests._inputs import photographs


def doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2)


def whitened(x: Tensor) -> Tensor:
    """A network that looks at everything it is given."""
    return doubled(x - x.mean((1, 2, 3), keepdim=True))


@pytest.mark.parametrize("size", [(40, 56), (33, 17), (64, 20), (5, 100), (1, 33)])
@pytest.mark.parametrize("tile", [Tile(16, 4, 0), Tile(16, 4, 8), Tile(24, 0, 5), Tile(16, 3, 99)])
def test_weights_add_up_to_one(size: tuple[int, int], tile: Tile) -> None:
    ones = torch.ones(2, 1, *size)
    torch.testing.assert_close(run_tiled(doubled, ones, 2, tile), doubled(ones), atol=1e-6, rtol=0)


@pytest.mark.parametrize("tile", [Tile(16, 0, 0), Tile(16, 5, 0)])
def test_cut_tiles_are_pieced_together_to_the_bit(tile: Tile) -> None:
    image = photographs(2, 40, 50)
    assert torch.equal(run_tiled(doubled, image, 2, tile), doubled(image))


@pytest.mark.parametrize("multiple", [1, 8])
@pytest.mark.parametrize("blend", [0, 5, 16])
def test_tiles_begin_at_multiples_and_are_bounded(multiple: int, blend: int) -> None:
    numbered = torch.arange(100 * 90.0).view(1, 1, 100, 90)
    sides = []

    def watch(x: Tensor) -> Tensor:
        top, left = divmod(int(x[0, 0, 0, 0]), 90)
        assert (top % multiple, left % multiple) == (0, 0)
        sides.append(max(x.shape))
        return x

    run_tiled(watch, numbered, 1, Tile(30, 7, blend), multiple)
    whole = -(-30 // multiple) * multiple
    context = -(-(7 + min(blend, whole // 2)) // multiple) * multiple
    assert max(sides) == whole + 2 * context


def seam(image: Tensor, size: int) -> float:
    """Largest step across the lines between tiles, at scale 2."""
    steps = (image[..., 1:] - image[..., :-1]).abs().amax((0, 1, 2))
    return float(steps[2 * size - 1 :: 2 * size].max())


def test_blending_hides_the_seams_of_a_network_that_sees_too_far() -> None:
    ramp = torch.linspace(0, 1, 128).expand(1, 3, 64, 128)
    step = seam(whitened(ramp), 32)
    hard = seam(run_tiled(whitened, ramp, 2, Tile(32, 8, 0)), 32)
    soft = seam(run_tiled(whitened, ramp, 2, Tile(32, 8, 16)), 32)
    assert hard > 20 * step
    assert soft < 2 * step


class Storages(TorchDispatchMode):
    """The address and the size of the memory behind the result of every operation."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[int, int]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            memory = result.untyped_storage()
            self.seen.add((memory.data_ptr(), memory.nbytes()))
        return result


@pytest.mark.parametrize("blend", [0, 8])
def test_nothing_but_the_result_is_larger_than_a_tile(blend: int) -> None:
    image = photographs(1, 128, 160)
    with Storages() as storages:
        result = run_tiled(doubled, image, 2, Tile(32, 8, blend))
    tile = 4 * 3 * (2 * (32 + 2 * (8 + blend))) ** 2
    large = {address for address, size in storages.seen if size > tile}
    assert large == {image.data_ptr(), result.data_ptr()}


@pytest.mark.parametrize("values", [(0, 1, 1), (8, -1, 0), (8, 0, -1)])
def test_senseless_tiles_are_refused(values: tuple[int, int, int]) -> None:
    with pytest.raises(UserError, match="size of 1 or more"):
        Tile(*values)
