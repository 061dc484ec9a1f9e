"""Option files in the three layouts that are read, as short as they can be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from realsr_mtl.config import LoadedOptions, load_options
from realsr_mtl.errors import UserError
from realsr_mtl.training import TrainingPlan

OURS = """\
name: small
scale: 4
num_gpu: 0
datasets:
  train:
    type: ImageFolder
    dataroot_gt: hr
    gt_size: 64
  val: {type: ImageFolder, dataroot_gt: val}
degradation: {type: RealESRGAN}
network_g: {type: MSRResNet, upscale: 4}
train:
  total_iter: 10
  optim_g: {type: Adam, lr: 1e-4}
  pixel_opt: {type: L1Loss}
val:
  val_freq: 5e3
  metrics:
    psnr: {type: calculate_psnr, crop_border: 4}
"""

BASICSR = """\
name: paired
model_type: SRModel
scale: 4
num_gpu: 1
manual_seed: 0
datasets:
  train:
    name: P
    type: PairedImageDataset
    dataroot_gt: hr
    dataroot_lq: lq
    meta_info_file: list.txt
    filename_tmpl: '{}'
    io_backend: {type: disk}
    gt_size: 128
    use_hflip: true
    use_rot: true
    num_worker_per_gpu: 6
    batch_size_per_gpu: 16
    dataset_enlarge_ratio: 100
    prefetch_mode: ~
  val: {name: A, type: PairedImageDataset, dataroot_gt: a, dataroot_lq: b, io_backend: {type: disk}}
  val_2: {name: B, type: PairedImageDataset, dataroot_gt: c, dataroot_lq: d}
network_g: {type: MSRResNet, num_in_ch: 3, num_out_ch: 3, num_feat: 64, num_block: 16, upscale: 4}
path: {pretrain_network_g: ~, param_key_g: params, strict_load_g: true, resume_state: ~}
train:
  ema_decay: 0.999
  optim_g: {type: Adam, lr: !!float 2e-4, weight_decay: 0, betas: [0.9, 0.99]}
  scheduler:
    type: CosineAnnealingRestartLR
    periods: [500, 500]
    restart_weights: [1, 1]
    eta_min: !!float 1e-7
  total_iter: 1000
  warmup_iter: -1
  pixel_opt: {type: L1Loss, loss_weight: 1.0, reduction: mean}
val:
  val_freq: !!float 5e3
  save_img: false
  metrics:
    psnr: {type: calculate_psnr, crop_border: 4, test_y_channel: false, better: higher}
    niqe: {type: calculate_niqe, crop_border: 4, better: lower}
logger:
  print_freq: 100
  save_checkpoint_freq: !!float 5e3
  use_tb_logger: true
  wandb: {project: ~, resume_id: ~}
dist_params: {backend: nccl, port: 29500}
"""

_SPACE = """\
resize_prob: [0.1, 0.8, 0.1]
resize_range: [0.2, 1.4]
gaussian_noise_prob: 0.6
noise_range: [2, 20]
poisson_scale_range: [0.1, 2]
gray_noise_prob: 0.3
jpeg_range: [40, 90]
second_blur_prob: 0.7
resize_prob2: [0.2, 0.5, 0.3]
resize_range2: [0.4, 1.1]
gaussian_noise_prob2: 0.4
noise_range2: [3, 15]
poisson_scale_range2: [0.2, 1.5]
gray_noise_prob2: 0.2
jpeg_range2: [50, 80]
gt_size: 256
queue_size: 180
datasets:
  train:
    name: HR
    type: RealESRGANDataset
    dataroot_gt: hr
    meta_info: list.txt
    io_backend: {type: disk}
    blur_kernel_size: 21
    kernel_list: ['iso', 'aniso']
    kernel_prob: [0.6, 0.4]
    sinc_prob: 0.2
    blur_sigma: [0.3, 2]
    betag_range: [0.6, 3]
    betap_range: [1, 3]
    blur_kernel_size2: 21
    kernel_list2: ['iso', 'plateau_iso']
    kernel_prob2: [0.7, 0.3]
    sinc_prob2: 0.3
    blur_sigma2: [0.1, 1]
    betag_range2: [0.7, 2]
    betap_range2: [1, 4]
    final_sinc_prob: 0.9
    gt_size: 192
    use_hflip: True
    use_rot: False
    use_shuffle: true
    num_worker_per_gpu: 5
    batch_size_per_gpu: 12
    dataset_enlarge_ratio: 1
    prefetch_mode: ~
network_g: {type: RRDBNet, num_in_ch: 3, num_out_ch: 3, num_feat: 8, num_block: 1, num_grow_ch: 4}
path: {pretrain_network_g: a.pth, param_key_g: params_ema, strict_load_g: true, resume_state: ~}
logger:
  print_freq: 100
  save_checkpoint_freq: !!float 5e3
  use_tb_logger: true
  wandb: {project: ~, resume_id: ~}
dist_params: {backend: nccl, port: 29500}
"""

_HEAD = "model_type: RealESRNetModel\nscale: 4\nnum_gpu: 4\nmanual_seed: 0\n"
_TRAIN = """\
train:
  ema_decay: 0.999
  optim_g: {type: Adam, lr: !!float 1e-4, weight_decay: 0, betas: [0.9, 0.99]}
  scheduler: {type: MultiStepLR, milestones: [1000], gamma: 0.5}
  total_iter: 1000
  warmup_iter: -1
  pixel_opt: {type: L1Loss, loss_weight: 1.0, reduction: mean}
"""

REAL_ESRNET = "name: net\ngt_usm: True\n" + _HEAD + _SPACE + _TRAIN

REAL_ESRGAN = (
    "name: gan\nl1_gt_usm: True\npercep_gt_usm: True\ngan_gt_usm: False\n"
    + _HEAD
    + _SPACE
    + "network_d: {type: UNetDiscriminatorSN, num_in_ch: 3, num_feat: 64, skip_connection: True}\n"
    + _TRAIN
    + """\
  optim_d: {type: Adam, lr: !!float 1e-4, weight_decay: 0, betas: [0.9, 0.99]}
  perceptual_opt:
    type: PerceptualLoss
    layer_weights: {'conv1_2': 0.1, 'conv5_4': 1}
    vgg_type: vgg19
    use_input_norm: true
    perceptual_weight: !!float 1.0
    style_weight: 0
    range_norm: false
    criterion: l1
  gan_opt:
    type: GANLoss
    gan_type: vanilla
    real_label_val: 1.0
    fake_label_val: 0.0
    loss_weight: !!float 1e-1
  net_d_iters: 1
  net_d_init_iters: 0
"""
)


def write(text: str, *changes: tuple[str, str]) -> Path:
    """Write ``o.yml`` with each (old, new) text changed, which must stand there once."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the file"
        text = text.replace(old, new)
    path = Path("o.yml")
    path.write_text(text, encoding="utf-8")
    return path


def load(text: str, *changes: tuple[str, str], overrides: Sequence[str] = ()) -> LoadedOptions:
    """Load a file with some texts changed."""
    return load_options(write(text, *changes), overrides)


def refusal(
    text: str, *changes: tuple[str, str], overrides: Sequence[str] = (), plan: bool = False
) -> str:
    """The sentence with which a file is refused, by the reader or by the plan of a training."""
    with pytest.raises(UserError) as caught:
        loaded = load(text, *changes, overrides=overrides)
        assert plan, "the reader accepts this file"
        TrainingPlan(loaded)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def line_of(part: str) -> int:
    """The line of ``o.yml`` that holds a text."""
    lines = Path("o.yml").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if part in line)
