"""BasicSR and Real-ESRGAN option files, translated into ours.

Real-ESRGAN keeps its degradation keys at the top level and in ``datasets: train``; here they form
the ``degradation`` block. Keys that the originals write but never read are dropped, each with one
warning that says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from realsr_mtl.errors import KeyPath, OptionError, shown

_PASS_KEYS = (
    "resize_prob",
    "resize_range",
    "gaussian_noise_prob",
    "noise_range",
    "poisson_scale_range",
    "gray_noise_prob",
    "jpeg_range",
)
_KERNEL_KEYS = (
    "blur_kernel_size",
    "kernel_list",
    "kernel_prob",
    "sinc_prob",
    "blur_sigma",
    "betag_range",
    "betap_range",
)
TOP_KEYS = {*_PASS_KEYS, *(f"{k}2" for k in _PASS_KEYS), "second_blur_prob"}
"""Degradation keys of Real-ESRGAN's top level."""
DATASET_KEYS = {*_KERNEL_KEYS, *(f"{k}2" for k in _KERNEL_KEYS), "final_sinc_prob"}
"""Degradation keys of RealESRGANDataset."""

_REAL_ESRGAN_SETS = {"RealESRGANDataset", "RealESRGANPairedDataset"}
_HARD_CODED_CANVAS = 400  # RealESRGANDataset crops to this size whatever its options say


_USM_SLOTS = {
    "l1_gt_usm": "pixel_opt",
    "percep_gt_usm": "perceptual_opt",
    "gan_gt_usm": "gan_opt",
}
_MODELS = (
    "SRModel",
    "SwinIRModel",
    "SRGANModel",
    "ESRGANModel",
    "RealESRNetModel",
    "RealESRGANModel",
)
"""BasicSR's and Real-ESRGAN's models for images."""


@dataclass
class Translation:
    """A translated file.

    Attributes:
        options: the file in our layout.
        warnings: one sentence for each key that was dropped.
        moved: new place of a value to its old one, so that errors name the line of the file.
    """

    options: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    moved: dict[KeyPath, KeyPath] = field(default_factory=dict)

    def warn(self, place: str, why: str) -> None:
        """Note a dropped key."""
        self.warnings.append(f"{place} is ignored: {why}")


def translate(file: Mapping[str, Any], overridden: bool = False) -> Translation:
    """Translate a file; one in our own layout comes back unchanged.

    Real-ESRGAN's keys beside a ``degradation`` block are set in it, so that ``--force_yml`` takes
    either spelling after a first translation.

    Args:
        file: the content of the file.
        overridden: it was translated before; old keys in it come from ``--force_yml``.
    """
    result = Translation(dict(file))
    if "datasets" in file:
        result.options["datasets"] = _copied(file["datasets"])
    _real_esrgan(result, overridden)
    _adversarial(result)
    _datasets(result)
    _general(result)
    return result


def _real_esrgan(result: Translation, overridden: bool) -> None:
    options = result.options
    train = _blocks(options.get("datasets")).get("train", {})
    top = sorted(TOP_KEYS & options.keys())
    inner = sorted(DATASET_KEYS & train.keys())
    paired = options.get("high_order_degradation") is False
    block = options.get("degradation") or {"type": "RealESRGAN"}
    if (top or inner) and isinstance(block, Mapping):
        block = dict(block)
        for key, source, place in (
            *((k, options, (k,)) for k in top),
            *((k, train, ("datasets", "train", k)) for k in inner),
        ):
            value = source.pop(key)
            result.moved["degradation", key] = place
            if key.startswith("blur_kernel_size"):
                if value != 21:
                    raise OptionError(
                        "RealESRGANDataset never reads this key: its kernels are 7 to 21 wide; "
                        "remove it or give 'kernel_range' in a 'degradation' block",
                        place,
                    )
                continue
            block[key] = value
        if paired:
            result.warn("the degradation", "high_order_degradation is false, LQ images are read")
        else:
            options["degradation"] = block
    if "high_order_degradation" in options:
        del options["high_order_degradation"]
        if paired and train.get("type") == "RealESRGANDataset":
            train["type"] = "PairedImages"
    top_counts = str(train.get("type")) in _REAL_ESRGAN_SETS and "degradation" in options
    if top_counts:
        if "gt_size" in options:
            if "gt_size" in train:
                result.warn(
                    "datasets:train:gt_size",
                    "RealESRGANDataset never reads it; the top-level gt_size is the patch size",
                )
            train.setdefault("canvas_size", _HARD_CODED_CANVAS)
        if train.get("type") == "RealESRGANDataset":
            train["type"] = "ImageFolder"
    if train and "gt_size" in options:
        size = options.pop("gt_size")
        if "gt_size" in train and not (overridden or top_counts):
            result.warn("gt_size", "datasets:train:gt_size is the patch size")
        else:
            train["gt_size"] = size
            result.moved["datasets", "train", "gt_size"] = ("gt_size",)
            if "canvas_size" in train:
                train["canvas_size"] = max(_int(train["canvas_size"]), _int(size))
    if "queue_size" in options:
        del options["queue_size"]
        result.warn("queue_size", "every sample is degraded on its own here, so no pool is needed")


def _adversarial(result: Translation) -> None:
    """RealESRGANModel degrades the sharpened image; every loss says what it compares with."""
    options = result.options
    train = options.get("train")
    if isinstance(train, Mapping):
        train = {k: dict(v) if isinstance(v, Mapping) else v for k, v in train.items()}
    for key, slot in _USM_SLOTS.items():
        if key not in options:
            continue
        value = options.pop(key)
        options["gt_usm"] = True
        if isinstance(train, dict) and isinstance(train.get(slot), dict):
            train[slot]["gt_usm"] = value
            result.moved["train", slot, "gt_usm"] = (key,)
        elif not isinstance(value, bool):
            raise OptionError(f"expected true or false, found {shown(value)}", (key,))
    model = options.get("model_type")
    if model is not None and model not in _MODELS:
        raise OptionError(
            f"no model is called '{model}'; there are {', '.join(_MODELS)}, and the blocks of the "
            "file decide",
            ("model_type",),
        )
    if model == "ESRGANModel" and isinstance(train, dict):
        loss = train.get("gan_opt")
        if isinstance(loss, dict) and loss.get("type") == "GANLoss":
            loss["type"] = "RelativisticGANLoss"
            result.moved["train", "gan_opt", "type"] = ("model_type",)
    if isinstance(train, dict):
        options["train"] = train


def _datasets(result: Translation) -> None:
    for phase, block in _blocks(result.options.get("datasets")).items():
        place = f"datasets:{phase}"
        if "use_shuffle" in block:
            del block["use_shuffle"]
            result.warn(f"{place}:use_shuffle", "BasicSR never reads it; training data is shuffled")
        for key in ("prefetch_mode", "num_prefetch_queue"):
            if key in block and block.pop(key) is not None:
                result.warn(f"{place}:{key}", "the loader processes always work ahead")
        if "phase" in block:
            del block["phase"]
            result.warn(f"{place}:phase", "the key of the block says it")
        for key in ("mean", "std"):
            if key in block and block.pop(key) is not None:
                raise OptionError(
                    "normalisation is not supported; images are RGB in [0, 1]",
                    ("datasets", phase, key),
                )
        if block.get("color", "rgb") is None or block.get("color") == "rgb":
            block.pop("color", None)
        cut = phase.startswith("train") or phase == "probe"
        if not cut and block.pop("gt_size", None) is not None:
            result.warn(f"{place}:gt_size", "validation and test use whole images")


def _general(result: Translation) -> None:
    options = result.options
    if "dist_params" in options:
        del options["dist_params"]
        result.warn(
            "dist_params", "BasicSR reads it with the slurm launcher only; torchrun needs none"
        )
    logger = options.get("logger")
    if isinstance(logger, Mapping) and "wandb" in logger:
        wandb = logger["wandb"]
        if any(wandb.values()) if isinstance(wandb, Mapping) else wandb:
            raise OptionError(
                "wandb is not supported; tensorboard and metrics.jsonl hold the same numbers",
                ("logger", "wandb"),
            )
        options["logger"] = {k: v for k, v in logger.items() if k != "wandb"}
    val = options.get("val") or {}
    if "tile" in options and isinstance(val, Mapping):
        tile = options.pop("tile")
        if tile is not None:
            options["val"] = {**val, "tile": tile}
            result.moved["val", "tile"] = ("tile",)
    for name in ("is_train", "dist", "rank", "world_size"):
        options.pop(name, None)


def _copied(datasets: Any) -> Any:
    if not isinstance(datasets, Mapping):
        return datasets
    return {k: dict(v) if isinstance(v, Mapping) else v for k, v in datasets.items()}


def _blocks(datasets: Any) -> dict[str, dict[str, Any]]:
    """The data sets that are blocks; the schema refuses the others."""
    if not isinstance(datasets, Mapping):
        return {}
    return {phase: block for phase, block in datasets.items() if isinstance(block, dict)}


def _int(value: Any) -> int:
    return int(value) if isinstance(value, (int, float)) else 0
