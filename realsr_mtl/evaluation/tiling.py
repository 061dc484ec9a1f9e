"""An image in overlapping tiles: bounded memory, and no seams where tiles meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from realsr_mtl.errors import UserError


@dataclass(frozen=True)
class Tile:
    """Tiles of an image; all in LQ pixels.

    Attributes:
        size: side of the squares that share out the image.
        pad: real context around what a tile gives to the result. Where it covers the network's
            reach, the result is that of the whole image.
        blend: neighbouring tiles are mixed over this far on each side of the line between them (at
            most half a tile); 0 cuts. With a reach beyond ``pad`` a cut shows as a seam. The
            default spreads the difference over 32 LQ pixels.
    """

    size: int
    pad: int = 32
    blend: int = 16

    def __post_init__(self) -> None:
        if self.size < 1 or self.pad < 0 or self.blend < 0:
            raise UserError(f"a tile needs a size of 1 or more, pad and blend of 0 or more: {self}")

    def fitting(self, multiple: int) -> Tile:
        """Tiles that begin at multiples, whose blended strips do not overlap."""
        size = _multiple(self.size, multiple)
        blend = min(self.blend, size // 2)
        return Tile(size, _multiple(self.pad + blend, multiple) - blend, blend)


def run_tiled(
    run: Callable[[Tensor], Tensor], image: Tensor, scale: int, tile: Tile, multiple: int = 1
) -> Tensor:
    """Run tile by tile and blend the results.

    ``out = sum_t w_t run(tile_t)``. The weights ``w_t`` are products of a vertical and a horizontal
    one that rise from 0 to 1 over ``2 blend`` pixels as ``3 u^2 - 2 u^3``; at every pixel their sum
    is 1, so nothing is divided and no second image is kept. Peak memory in bytes, of float32 and
    beside the input and what ``run`` needs for one tile:
    ``4 B C scale^2 (h w + 3 (size + 2 blend + 2 pad)^2)`` at most.

    Args:
        run: ``[B, C, h, w]`` to ``[B, C, scale h, scale w]`` for any size.
        image: ``[B, C, h, w]`` on the CPU.
        scale: of ``run``.
        tile: see `Tile`.
        multiple: where ``run`` unshuffles its input, tiles must begin at multiples of this; size
            and pad are rounded up.

    Returns:
        ``[B, C, scale h, scale w]`` on the CPU.
    """
    tile = tile.fitting(multiple)
    height, width = image.shape[-2:]
    result = torch.zeros(*image.shape[:2], scale * height, scale * width)
    for row in _parts(height, tile):
        for column in _parts(width, tile):
            part = run(image[..., row.seen, column.seen])
            part = part[..., row.within(scale), column.within(scale)]
            part = part * (row.weight(scale)[:, None] * column.weight(scale))
            result[..., row.target(scale), column.target(scale)] += part
    return result


@dataclass(frozen=True)
class _Part:
    """One tile along one axis: ``start`` to ``stop`` of ``length`` pixels."""

    start: int
    stop: int
    length: int
    tile: Tile

    @property
    def seen(self) -> slice:
        """What the network is given."""
        return self._grown(self.tile.blend + self.tile.pad)

    def target(self, scale: int) -> slice:
        """The pixels of the result that this tile adds to."""
        given = self._grown(self.tile.blend)
        return slice(scale * given.start, scale * given.stop)

    def within(self, scale: int) -> slice:
        """The same pixels, in the tile's own result."""
        target, shift = self.target(scale), scale * self.seen.start
        return slice(target.start - shift, target.stop - shift)

    def weight(self, scale: int) -> Tensor:
        """Weights of those pixels, ``[n]``."""
        target = self.target(scale)
        place = (torch.arange(target.start, target.stop) + 0.5) / scale
        weight = torch.ones(len(place))
        if self.start > 0:
            weight *= self._rise(place - self.start)
        if self.stop < self.length:
            weight *= 1 - self._rise(place - self.stop)
        return weight

    def _rise(self, distance: Tensor) -> Tensor:
        """From 0 to 1 around a line between two tiles; a step where nothing is blended."""
        u = (distance / (2 * self.tile.blend) + 0.5).clamp(0, 1)  # x / 0 is infinite
        return u * u * (3 - 2 * u)

    def _grown(self, margin: int) -> slice:
        return slice(max(0, self.start - margin), min(self.length, self.stop + margin))


def _parts(length: int, tile: Tile) -> Iterator[_Part]:
    for start in range(0, length, tile.size):
        yield _Part(start, min(length, start + tile.size), length, tile)


def _multiple(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
