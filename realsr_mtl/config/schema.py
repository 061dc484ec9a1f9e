"""The option file as typed, described models; the reference page and editor schema come from here.

Blocks with a ``type`` key (`Component`) hold the options of a registered class. They are checked
against that class by the registry, so their keys do not stand here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from realsr_mtl.naming import file_name

_MANY = 10**18
"""More steps than anybody makes, and few enough for all arithmetic."""

Side = Annotated[int, Field(ge=8, le=16_384)]
"""Side of a square of HR pixels."""

FileName = Annotated[str, AfterValidator(file_name)]
"""Text that names one file or folder, or is part of its name."""


class Block(BaseModel):
    """A block with a closed set of keys; an empty YAML value means "all defaults"."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)


class Component(BaseModel):
    """``type: Name`` and the options of that class."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)
    type: str = Field(description="Registered name of the class.")

    def block(self) -> dict[str, Any]:
        """The block as written: type and options."""
        return {"type": self.type, **(self.model_extra or {})}


class DatasetOptions(Component):
    """A data set: the keys of its class (``dataroot_gt``, ...) and those of its loader, here."""

    name: FileName | None = Field(
        None, description="Name in logs and tables; default: the block's key."
    )
    batch_size_per_gpu: int = Field(
        16, ge=1, le=65_536, description="Samples per process and step (train)."
    )
    num_worker_per_gpu: int = Field(
        2, ge=0, le=1024, description="Loader processes per process (train)."
    )
    worker_start: Literal["fork", "spawn", "forkserver"] | None = Field(
        None,
        description="How loader processes start (train); default: Python's way on this platform. "
        "The others than fork inherit no threads, need seconds and a cache for each.",
    )
    gt_size: Side | None = Field(
        None,
        description="Side of the HR patch in pixels (train: required; probe: default 256).",
    )
    canvas_size: Side | None = Field(
        None,
        description="Side of the HR crop that is degraded before the patch is cut from it; default "
        "gt_size. Real-ESRGAN uses 400 so that patches keep real surroundings.",
    )
    use_hflip: bool = Field(True, description="Random horizontal flips (train).")
    use_rot: bool = Field(True, description="Random vertical flips and transpositions (train).")
    patches: int = Field(
        32,
        ge=1,
        le=65_536,
        description="Patches per task that a strategy measures the network on (probe).",
    )
    dataset_enlarge_ratio: int = Field(
        1, ge=1, le=_MANY, description="Images per epoch as a multiple of the folder; display only."
    )
    pin_memory: bool = Field(True, description="Page-locked batches for faster copies to a GPU.")
    persistent_workers: bool = Field(False, description="Accepted; the stream never ends anyway.")
    tasks: Literal["all", "natural"] | list[str] = Field(
        "all",
        description="Validation of an HR set: every task, one natural mix, or the named tasks.",
    )
    cases: str | None = Field(
        None,
        description="File of representative cases (scripts/seal.py cases) to degrade HR images by, "
        "instead of the tasks of this file (val, test).",
    )
    seed: int = Field(
        0, ge=0, le=2**32 - 1, description="Seed of the frozen LQ images (val, test)."
    )
    max_images: int | None = Field(
        None, ge=1, le=_MANY, description="Use only the first images of the set (val, test)."
    )
    crop_multiple: int = Field(
        1,
        ge=1,
        le=16_384,
        description="Cut HR images around their middle to a multiple of this before they are "
        "degraded or restored (val, test); 16 in AirNet's protocol.",
    )
    max_failed: float = Field(
        0.1, ge=0, le=1, description="Share of unusable images above which the work stops."
    )


class StrategyOptions(Block):
    """What a multi-task strategy decides; each part is optional."""

    grouping: Component | None = Field(
        None, description="Groups of tasks to train on; the other parts act on the groups."
    )
    sampling: Component | None = Field(
        None, description="Task distribution of the next batches; default: Natural."
    )
    weighting: Component | None = Field(
        None, description="Weights on the losses of the tasks; default: the mean over samples."
    )
    gradients: Component | None = Field(
        None, description="How the gradients of the tasks make one step; default: their sum."
    )


class PathOptions(Block):
    """Checkpoints to start from and folders to write to."""

    pretrain_network_g: str | None = Field(None, description="Generator weights to start from.")
    param_key_g: str | None = Field(
        None, description="Key inside that file; default: params_ema if it is there, else params."
    )
    strict_load_g: bool = Field(True, description="Every weight must match by name and shape.")
    pretrain_network_d: str | None = Field(None, description="Discriminator weights to start from.")
    param_key_d: str | None = Field(None, description="Key inside the discriminator file.")
    strict_load_d: bool = Field(True, description="As strict_load_g, for the discriminator.")
    resume_state: str | None = Field(None, description="A .state file to continue from.")
    ignore_resume_networks: list[str] | None = Field(
        None, description="Accepted for BasicSR, without effect: resuming restores the network."
    )
    experiments_root: str = Field("experiments", description="Folder that holds run folders.")
    results_root: str = Field("results", description="Folder that holds test results.")
    tb_root: str = Field("tb_logger", description="Folder that holds tensorboard files.")


class TrainOptions(Block):
    """Optimisation."""

    total_iter: int = Field(description="Number of optimiser steps.", ge=1, le=_MANY)
    warmup_iter: int = Field(
        -1, ge=-1, le=_MANY, description="Steps of linear warm-up of the lr; -1: none."
    )
    ema_decay: float = Field(0, ge=0, lt=1, description="Decay of the weight average; 0: none.")
    optim_g: Component = Field(description="Optimiser: any class of torch.optim.")
    optim_d: Component | None = Field(None, description="Optimiser of the discriminator.")
    scheduler: Component | None = Field(None, description="Learning-rate schedule; default none.")
    pixel_opt: Component | None = Field(None, description="Pixel loss; the strategy weighs it.")
    perceptual_opt: Component | None = Field(None, description="Perceptual loss.")
    gan_opt: Component | None = Field(None, description="Adversarial loss; needs network_d.")
    ldl_opt: Component | None = Field(
        None, description="Pixel loss of the artefacts alone (LDL); needs ema_decay."
    )
    contrastive_opt: Component | None = Field(
        None, description="Loss of a network that compares two crops of every image (AirNet)."
    )
    losses: dict[FileName, Component] = Field(
        default_factory=dict,
        description="Further losses by the name they get in logs; tasks and weighted say which "
        "samples they apply to and whether the strategy weighs them.",
    )
    net_d_iters: int = Field(
        1,
        ge=1,
        le=_MANY,
        description="The network learns in every so many steps, the discriminator in all.",
    )
    net_d_init_iters: int = Field(
        0, ge=0, le=_MANY, description="Steps at the start in which the discriminator learns alone."
    )
    accum_iter: int = Field(1, ge=1, le=65_536, description="Micro-batches added up into one step.")
    grad_clip_norm: float | None = Field(
        None, gt=0, description="Largest L2 norm of the gradient; larger ones are scaled down."
    )
    max_skipped: int = Field(
        10,
        ge=0,
        description="Steps in a row that are skipped because a loss or gradient is NaN or infinite "
        "before the run stops; 0 stops at the first.",
    )
    precision: Literal["float32", "bf16", "fp16"] = Field(
        "float32", description="Autocast type of the network; all else is float32."
    )
    channels_last: bool = Field(False, description="Memory format of the network and its input.")
    compile: bool = Field(False, description="Run the network through torch.compile.")
    tf32: bool = Field(False, description="Allow TF32 matrix products on CUDA.")
    deterministic: bool = Field(
        False, description="Deterministic CUDA algorithms; a warning where there is none."
    )


class TileOptions(Block):
    """Tiled inference."""

    tile_size: int = Field(ge=16, le=65_536, description="Side of a tile in LQ pixels.")
    tile_pad: int = Field(32, ge=0, le=65_536, description="Context around a tile in LQ pixels.")
    tile_blend: int = Field(
        16,
        ge=0,
        le=65_536,
        description="LQ pixels on each side of the line between tiles over which they are mixed: "
        "no seam where the network reaches beyond the context; 0 cuts.",
    )


class ValOptions(Block):
    """Validation while training, or the test of a test file."""

    val_freq: int | None = Field(None, ge=1, le=_MANY, description="Validate every so many steps.")
    save_img: bool = Field(False, description="Write the output images.")
    suffix: FileName | None = Field(
        None, description="Ending of image names; default: the run's name."
    )
    pbar: bool = Field(True, description="Progress bar on a terminal.")
    metrics: dict[FileName, Component] = Field(
        default_factory=dict, description="Metrics by the name they get in tables."
    )
    tile: TileOptions | None = Field(None, description="Run the network in tiles; default: whole.")
    baseline: bool = Field(True, description="Also score bicubic up-scaling, once.")
    precision: Literal["float32", "bf16", "fp16"] = Field(
        "float32", description="Autocast type of the network (test.py; validation is float32)."
    )
    self_ensemble: bool = Field(
        False, description="Mean over the eight flips and transpositions (test.py)."
    )
    outscale: float | None = Field(
        None,
        gt=0,
        le=64,
        description="Size of images without reference over that of their input, by a bicubic "
        "resize after the network (test.py); default: the network's scale.",
    )
    alpha: Literal["network", "bicubic"] = Field(
        "network",
        description="How the transparency of images without reference is up-scaled (test.py).",
    )

    @field_validator("metrics", mode="before")
    @classmethod
    def _no_metrics(cls, value: Any) -> Any:
        return {} if value is None else value


class LoggerOptions(Block):
    """Logs and checkpoints."""

    print_freq: int = Field(100, ge=1, le=_MANY, description="A log line every so many steps.")
    save_checkpoint_freq: int = Field(
        5000, ge=1, le=_MANY, description="A checkpoint every so many steps."
    )
    keep_last: int = Field(
        0, ge=0, le=_MANY, description="Keep only the newest checkpoints; 0: all."
    )
    save_best: bool = Field(True, description="Keep models/net_g_best_<metric>.pth (first metric).")
    use_tb_logger: bool = Field(True, description="Write tensorboard event files.")


class FamilyOptions(Component):
    """A degradation space that representative cases are drawn from: its options, and here."""

    share: float = Field(1, gt=0, description="Part of the pool; scaled to the sum 1.")


class SealOptions(Block):
    """Representative cases and lines of a SEAL evaluation (scripts/seal.py)."""

    folder: str | None = Field(
        None, description="What scripts/seal.py writes to; default: experiments_root/<name>."
    )
    pool: int = Field(
        2000, ge=2, description="Records drawn from the degradation; 10,000 in the paper."
    )
    cases: int = Field(100, ge=2, description="Clusters of the pool, a case each; 100 in SEAL.")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of pool and clustering.")
    families: dict[FileName, FamilyOptions] = Field(
        default_factory=dict,
        description="Degradation spaces by the name they get in reports, and their shares; "
        "default: the degradation of this file alone.",
    )
    references: int = Field(
        1,
        ge=1,
        le=3,
        description="Images of datasets:probe whose degraded histograms are clustered; gt_size "
        "there is the side of the crop (default 504, as in the paper).",
    )
    clustering: Literal["spectral", "kmeans"] = Field(
        "spectral",
        description="spectral, of the graph of nearest neighbours (needs scikit-learn); or "
        "k-means of the roots of the histograms.",
    )
    neighbours: int = Field(15, ge=1, description="Neighbours of a record in that graph.")
    acceptance: Component = Field(
        default_factory=lambda: Component(type="SEALAcceptance"),
        description="Network of the acceptance line; network_g is that of the excellence line.",
    )
    warm_iter: int = Field(
        50000,
        ge=0,
        description="Steps of both networks on the whole space before they are fine-tuned for "
        "train:total_iter steps on every case; 0: every case from scratch.",
    )
    eta_min: float = Field(
        1e-6, ge=0, description="Learning rate at the end of both, of a cosine from optim_g:lr."
    )
    tau: dict[str, float] = Field(
        default_factory=dict,
        description="Least gap between the lines for a case to count, by metric; default: 0.1 dB "
        "PSNR, 0.01 SSIM, 0.01 LPIPS.",
    )


def _phase(key: str) -> str:
    if key not in ("train", "probe") and not key.startswith(("val", "test")):
        raise ValueError(f"'{key}' is no data set; keys are train, probe, val*, test*")
    return file_name(key)


Phase = Annotated[str, AfterValidator(_phase)]
"""The key of a data set; its beginning says what the set is for."""


class Options(Block):
    """One option file = one experiment."""

    name: FileName = Field(description="Name of the experiment and of its folder.")
    model_type: str | None = Field(None, description="BasicSR's; the blocks decide here.")
    scale: int = Field(ge=1, le=64, description="Up-scaling factor.")
    num_gpu: Annotated[int, Field(ge=0, le=65_536)] | Literal["auto"] = Field(
        "auto", description="0: CPU. auto: a GPU if there is one. Processes come from torchrun."
    )
    manual_seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of every random stream.")
    gt_usm: bool = Field(
        False, description="Sharpen the HR image before degrading it; also the training target."
    )
    find_unused_parameters: bool = Field(False, description="DistributedDataParallel's switch.")
    datasets: dict[Phase, DatasetOptions] = Field(description="train, probe, val*, test*.")
    degradation: Component | None = Field(None, description="Degradation space; for HR data.")
    tasks: Component | None = Field(None, description="Task set; default: one task.")
    targets: dict[str, Component] = Field(
        default_factory=dict,
        description="What the output for a task is compared with; default: the HR image.",
    )
    strategy: StrategyOptions | None = Field(None, description="Multi-task strategy.")
    network_g: Component = Field(description="Restoration network.")
    network_d: Component | None = Field(None, description="Discriminator.")
    path: PathOptions = Field(default_factory=PathOptions, description="Folders, checkpoints.")
    resume: Literal["error", "keep", "override"] = Field(
        "error",
        description="When the learning rate or schedule differs from that of the resumed run: "
        "stop, keep the old one, or override it by this file's.",
    )
    train: TrainOptions | None = Field(None, description="Optimisation; required by train.py.")
    val: ValOptions | None = Field(None, description="Validation or test.")
    seal: SealOptions | None = Field(None, description="A SEAL evaluation; scripts/seal.py.")
    logger: LoggerOptions = Field(default_factory=LoggerOptions, description="Logs, checkpoints.")

    @field_validator("path", "logger", mode="before")
    @classmethod
    def _empty_block(cls, value: Any) -> Any:
        return {} if value is None else value
