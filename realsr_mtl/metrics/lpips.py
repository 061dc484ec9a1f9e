"""LPIPS, through the lpips package."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from realsr_mtl.archs.weights import read_weights
from realsr_mtl.errors import UnavailableError, UserError
from realsr_mtl.metrics.base import METRICS, Image, Metric

_FILES = {
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}
SMALLEST = {"alex": 31, "vgg": 16, "squeeze": 17}
"""Side that leaves one pixel in the deepest features."""


def lpips_network(net: str) -> torch.nn.Module:
    """The lpips package's network, from the backbone's weights in torch's folder of downloads.

    Shape: two times ``[B, 3, H, W]`` RGB in [-1, 1] to ``[B, 1, 1, 1]``.

    Raises:
        UnavailableError: the weights are not there; nothing is downloaded.
        UserError: the file holds something else than weights.
    """
    file = Path(torch.hub.get_dir()) / "checkpoints" / _FILES[net]
    if not file.is_file():
        raise UnavailableError(
            f"LPIPS needs the backbone weights '{file}'; with internet access fetch them once "
            f"by: python -c \"import lpips; lpips.LPIPS(net='{net}')\""
        )
    read_weights(file)  # lpips would run code in the file
    import lpips

    quiet = contextlib.redirect_stdout(io.StringIO())
    # the layers are made with random weights before they are loaded
    with warnings.catch_warnings(), quiet, torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        network: torch.nn.Module = lpips.LPIPS(net=net, verbose=False)
    return network.eval()


@METRICS.register(aliases=["calculate_lpips"])
class LPIPS(Metric):
    """Learned perceptual distance (Zhang et al., CVPR 2018) on RGB in [-1, 1].

    Args:
        crop_border: pixels left out on each side; papers of this field use none.
        net: backbone: vgg (TGSR's) or alex (the authors' recommendation) or squeeze.
        better: smaller is better.
    """

    def __init__(
        self,
        *,
        crop_border: int = 0,
        net: Literal["alex", "vgg", "squeeze"] = "vgg",
        better: Literal["higher", "lower"] = "lower",
    ) -> None:
        super().__init__(crop_border, better)
        self.net = net
        self._network = lpips_network(net)

    @torch.no_grad()
    def score(self, image: Image, reference: Image | None) -> float:
        """Distance, 0 for equal images."""
        assert reference is not None
        if min(image.shape[:2]) < SMALLEST[self.net]:
            raise UserError(
                f"LPIPS with {self.net} needs {SMALLEST[self.net]} pixels inside the border, "
                f"found {image.shape[:2]}"
            )
        pair = np.stack((image, reference)).astype(np.float32) / 127.5 - 1
        tensors = torch.from_numpy(pair).permute(0, 3, 1, 2)
        return float(self._network(tensors[:1], tensors[1:]).item())
