"""Restoring images in Python: a checkpoint and an image in, an image of the same kind out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from realsr_mtl.archs import TaskHeads, build_network, for_task, load_weights, read_weights
from realsr_mtl.config.reader import read_yaml
from realsr_mtl.data import to_tensor
from realsr_mtl.data.reading import decode_as_is, read_bytes
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation import inference
from realsr_mtl.evaluation.images import to_pixels
from realsr_mtl.evaluation.inference import Inference, exact_arithmetic

Array = npt.NDArray[Any]
"""``[H, W]`` grey or ``[H, W, C]``: C is 1 (grey) or 3 (RGB), one more with alpha."""


class Restorer:
    """A trained network that restores images.

        restorer = Restorer("experiments/my_run", outscale=2)
        image = restorer("photo.png")

    Args:
        checkpoint: a run folder (its latest weights), a file in its ``models`` (network and scale
            are those of the run's config.yml), or another weight file: of ``network`` and
            ``scale``, or else of an architecture that spandrel recognises.
        network: the block of a registered network, ``{"type": "RRDBNet", ...}``.
        scale: size of its output over that of its input.
        task: which head restores, in a network with one for each task.
        device: where to run; default: a GPU if there is one.
        how: the attributes of `Inference` by name.

    Raises:
        UserError: weights that cannot be read or do not fit, or a network nobody knows.
    """

    def __init__(
        self,
        checkpoint: str | Path,
        *,
        network: Mapping[str, Any] | None = None,
        scale: int | None = None,
        task: str | None = None,
        device: str | torch.device | None = None,
        **how: Any,
    ) -> None:
        self.how = Inference(**how)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.how.check(self.device)
        loaded, self.scale = _load(Path(checkpoint), network, scale)
        if isinstance(loaded, TaskHeads):
            if task is None:
                raise UserError(
                    f"'{checkpoint}' has a head for each task; give the task, one of "
                    f"{', '.join(loaded.tasks)}"
                )
            self.scale = loaded.scale_of(task)
        loaded = for_task(loaded, task or "")
        self.network = loaded.to(self.device).eval().requires_grad_(False)

    def __call__(self, image: Array | str | Path) -> Array:
        """Restore an image.

        Args:
            image: RGB order, uint8 or uint16, or floats in [0, 1]; or the path of a file.

        Returns:
            An image of the same type, with the same channels.

        Raises:
            UserError: an array that is no image, or a file that cannot be read.
        """
        if isinstance(image, (str, Path)):
            image = decode_as_is(read_bytes(Path(image)), str(image))
        with exact_arithmetic():
            lq = _checked(image)[None]
            restored = inference.restore(self.network, lq, self.scale, self.device, self.how)
        pixels = to_pixels(restored[0], image.dtype)
        return pixels if pixels.ndim == image.ndim else pixels[..., None]


def restore(image: Array | str | Path, checkpoint: str | Path, **options: Any) -> Array:
    """Restore one image; for several, a `Restorer` loads the network once.

    Args:
        image: see `Restorer.__call__`.
        checkpoint: see `Restorer`.
        options: further arguments of `Restorer`, and the attributes of `Inference`.
    """
    return Restorer(checkpoint, **options)(image)


def _load(
    checkpoint: Path, network: Mapping[str, Any] | None, scale: int | None
) -> tuple[nn.Module, int]:
    if checkpoint.is_dir():
        checkpoint = checkpoint / "models" / "net_g_latest.pth"
    file = checkpoint.absolute()
    config = file.parent.parent / "config.yml"
    if network is None and file.parent.name == "models" and config.is_file():
        options = read_yaml(config)[0]
        network, scale = options.get("network_g"), scale or options.get("scale")
    if network is None:
        return _recognised(file)
    if scale is None:
        raise UserError("a network needs a scale: the size of its output over that of its input")
    built = build_network(network, scale, seed=0)
    load_weights(built, file)
    return built, scale


class _Foreign(nn.Module):
    """A network that spandrel has built, which knows the sizes that it takes."""

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        self.network = descriptor.model
        self._call = descriptor
        self.multiple_of = int(descriptor.size_requirements.multiple_of)

    def forward(self, x: Tensor) -> Tensor:
        restored: Tensor = self._call(x)
        return restored


def _recognised(file: Path) -> tuple[nn.Module, int]:
    """Network and scale of the weights of a published architecture."""
    import spandrel  # takes a second

    weights, _ = read_weights(file)
    try:
        found = spandrel.ModelLoader("cpu").load_from_state_dict(weights)
    except Exception as error:  # other people's detection fails in any way
        raise UserError(
            f"no network is known for '{file}': no config.yml of a run lies beside its folder, and "
            "spandrel does not recognise it; give network and scale"
        ) from error
    if not isinstance(found, spandrel.ImageModelDescriptor) or found.input_channels != 3:
        raise UserError(f"'{file}' is {found.architecture.name}, which does not turn RGB into RGB")
    return _Foreign(found), int(found.scale)


def _checked(image: Array) -> Tensor:
    """``[C, h, w]`` float32 in [0, 1]."""
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or not 1 <= channels <= 4 or not image.size:
        raise UserError(f"an image is [H, W] or [H, W, C] with C from 1 to 4, found {image.shape}")
    if image.dtype.type in (np.uint8, np.uint16):
        return to_tensor(image)
    if not np.issubdtype(image.dtype, np.floating):
        raise UserError(f"an image is uint8, uint16 or of floats, found {image.dtype}")
    if not (image.min() >= 0 and image.max() <= 1):
        raise UserError(
            f"an image of floats is in [0, 1], found {image.min():g} to {image.max():g}; divide "
            "it by its peak, or clip it"
        )
    planes = image.astype(np.float32).reshape(*image.shape[:2], channels)
    return torch.from_numpy(planes).permute(2, 0, 1).contiguous()
