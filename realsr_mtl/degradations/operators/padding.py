"""Borders: reflected, of any width, also wider than the image; and repeated edges."""

from __future__ import annotations

import torch
from torch import Tensor


def reflect_pad(image: Tensor, pad: int, sizes: Tensor | None = None) -> Tensor:
    """Pad ``[B, C, H, W]`` by ``pad`` pixels on each side.

    Args:
        image: the images.
        pad: width of the border, reflected about the edge pixel (``d c b | a b c d``, the border
            of OpenCV and BasicSR); may exceed the image, which is then reflected repeatedly.
        sizes: valid heights and widths on the canvas; each sample is reflected about its own
            edges.
    """
    if sizes is None:
        rows, columns = (
            _reflected(torch.tensor([side]), side, pad)[0].to(image.device)
            for side in image.shape[-2:]
        )
        return image[..., rows, :][..., columns]
    rows, columns = (
        _reflected(own, side, pad).to(image.device)
        for own, side in zip(sizes.unbind(1), image.shape[-2:], strict=True)
    )
    return take(take(image, rows, -2), columns, -1)


def repeat_edges(image: Tensor, sizes: Tensor) -> Tensor:
    """Fill a canvas ``[B, C, H, W]`` beyond every sample with its last row and column."""
    rows, columns = (
        torch.minimum(torch.arange(side), limit[:, None] - 1).to(image.device)
        for side, limit in zip(image.shape[-2:], sizes.unbind(1), strict=True)
    )
    return take(take(image, rows, -2), columns, -1)


def take(image: Tensor, index: Tensor, dim: int) -> Tensor:
    """Rows (``dim`` -2) or columns (-1) of ``[B, C, H, W]``, int64 ``[B, N]`` for each sample."""
    shape = list(image.shape)
    shape[dim] = index.shape[1]
    view = index[:, None, :, None] if dim == -2 else index[:, None, None, :]
    return image.gather(dim % 4, view.expand(shape))


def _reflected(size: Tensor, canvas: int, pad: int) -> Tensor:
    """Int64 ``[B, canvas + 2 pad]``: the pixel that stands at every position."""
    position = torch.arange(-pad, canvas + pad)[None]
    period = (2 * (size[:, None] - 1)).clamp(min=1)
    position = position.remainder(period)
    return torch.minimum(position, period - position).where(size[:, None] > 1, 0)
