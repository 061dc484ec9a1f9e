from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.degradations import DegradationParameters, degrade, steps
from realsr_mtl.degradations.operators import (
    KERNEL_TYPES,
    RESIZE_MODES,
    blur_kernels,
    gaussian_noise,
    poisson_noise,
)
from realsr_mtl.degradations.operators.quantise import from_bytes, quantise, to_bytes
from realsr_mtl.degradations.pipelines.second_order import second_order
from realsr_mtl.degradations.steps import Blur, GaussianNoise, Jpeg, PoissonNoise, Resize
from tests._asserts import assert_eight_bit, global_randomness_untouched
from tests._inputs import photographs
from tests._oracles import basicsr_module
from tests.degradations._records import changed, draws

SINC, NONE = KERNEL_TYPES.index("sinc"), KERNEL_TYPES.index("none")


def _one_by_one(images: Tensor, records: DegradationParameters) -> Tensor:
    return torch.cat(
        [degrade(images[i : i + 1].clone(), records.select([i])) for i in range(len(images))]
    )


def test_a_batch_of_mixed_records_equals_the_samples_one_by_one(implementation):
    images, records = photographs(64, 32, 40), draws().select(range(64))
    assert records["kernel_type1"].unique().numel() == 7
    assert records["kernel_type2"].unique().numel() == 8
    with global_randomness_untouched():
        lq = degrade(images, records)
    assert lq.shape == (64, 3, 8, 10)
    assert_eight_bit(lq)
    assert torch.equal(_one_by_one(images, records), lq)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(degrade(images[order], records.select(order)), lq[order])


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_lq_does_not_depend_on_the_memory_layout(layout, implementation):
    images, records = photographs(12, 32, 32), draws().select(range(12))
    window = F.pad(images, (3, 5, 2, 4))[..., 2:34, 3:35]
    lq = degrade(images.contiguous(memory_format=layout), records)
    assert torch.equal(lq, degrade(window, records))


@pytest.mark.parametrize("size", [(64, 48), (36, 100)])
def test_lq_does_not_depend_on_the_number_of_threads(size):
    images, records = photographs(8, *size), draws().select(range(100, 108))
    lq = degrade(images, records)
    try:
        torch.set_num_threads(2)
        again = degrade(images, records)
    finally:
        torch.set_num_threads(1)
    assert torch.equal(again, lq)


@pytest.mark.parametrize("size", [(4, 4), (4, 36), (20, 28), (36, 44)])
def test_any_multiple_of_the_scale_gives_the_exact_size(size):
    lq = degrade(photographs(24, *size), draws().select(range(24)))
    assert lq.shape == (24, 3, size[0] // 4, size[1] // 4)
    assert_eight_bit(lq)


@pytest.mark.parametrize("side", [4, 32])
@pytest.mark.parametrize(("first", "second"), [(0.15, 0.3), (1.5, 1.2), (0.15, 1.2)])
def test_the_strongest_resizes_in_all_modes(side, first, second):
    records = changed(draws().select(range(27)), resize_scale1=first, resize_scale2=second)
    mode = torch.arange(27, dtype=torch.float64)
    records.values["resize_mode1"][:] = mode % 3
    records.values["resize_mode2"][:] = mode // 3 % 3
    records.values["final_mode"][:] = mode // 9
    lq = degrade(photographs(27, side, side), records)
    assert lq.shape == (27, 3, side // 4, side // 4)
    assert_eight_bit(lq)


def test_records_are_not_changed_and_survive_repeated_use():
    images, records = photographs(12, 32, 32), draws().select(range(12))
    before = records.to_json()
    first = degrade(images, records)
    assert records.to_json() == before
    assert torch.equal(degrade(images, records), first)


def test_noise_seeds_decide_the_noise_and_nothing_else():
    images, records = photographs(8, 32, 32), draws().select(range(8))
    other = changed(records, noise_seed1=5, noise_seed2=6)
    differs = degrade(images, records) != degrade(images, other)
    assert differs.flatten(1).any(1).all()
    silent = {f"{name}{s}": 0 for name in ("gaussian_sigma", "poisson_scale") for s in (1, 2)}
    quiet = degrade(images, changed(records, **silent))
    assert torch.equal(degrade(images, changed(other, **silent)), quiet)


def test_the_same_record_has_the_same_noise_in_any_batch():
    image = torch.full((1, 3, 32, 32), 0.5)
    record = draws().select([3])
    lq = degrade(image.expand(3, -1, -1, -1), draws().select([8, 3, 3]))
    assert torch.equal(lq[1], lq[2]) and not torch.equal(lq[0], lq[1])
    assert torch.equal(lq[1], degrade(image, record)[0])


@pytest.mark.parametrize("order", [0, 1])
def test_steps_come_in_order_with_their_sizes(order):
    codes = {"noise_type1": 0, "noise_type2": 1, "final_order": order, "kernel_type1": SINC}
    codes |= {"cutoff1": 2, "kernel_size1": 9, "kernel_type2": SINC, "cutoff2": 2}
    codes |= {"kernel_size2": 21, "final_kernel_type": SINC, "final_kernel_size": 7}
    record = changed(
        draws().select([0]),
        **codes,
        final_cutoff=2,
        resize_scale1=0.4,
        resize_scale2=1.1,
        gaussian_sigma1=5,
        poisson_scale2=1,
    )
    (program,) = second_order(record, (48, 80))
    steps, size = [], (48, 80)
    for step in program:
        if step is not None:
            steps.append((type(step), size, step.new_size(size)))
            size = step.new_size(size)
    running, second, lq = (19, 32), (13, 22), (12, 20)  # 12 * 1.1 and 20 * 1.1, not of (19, 32)
    start = [
        (Blur, (48, 80), (48, 80)),
        (Resize, (48, 80), running),
        (GaussianNoise, running, running),
        (Jpeg, running, running),
        (Blur, running, running),
        (Resize, running, second),
        (PoissonNoise, second, second),
    ]
    last = [(Resize, second, lq), (Blur, lq, lq)]
    end = [*last, (Jpeg, lq, lq)] if order == 0 else [(Jpeg, second, second), *last]
    assert steps == start + end


def test_identity_record_leaves_little_but_jpeg():
    record = changed(
        draws().select([0]),
        kernel_type1=NONE,
        kernel_type2=NONE,
        final_kernel_type=NONE,
        resize_scale1=0.25,
        resize_scale2=1,
        resize_mode1=0,
        noise_type1=0,
        noise_type2=0,
        gaussian_sigma1=0,
        gaussian_sigma2=0,
        jpeg_quality1=100,
        jpeg_quality2=100,
    )
    grey = photographs(1, 64, 64).mean(1, keepdim=True).expand(-1, 3, -1, -1)
    assert (degrade(grey, record) - F.avg_pool2d(grey, 4)).abs().max() < 3 / 255


def _expected(image: Tensor, record: DegradationParameters) -> Tensor:
    """Real-ESRGAN's operations as its training code composes them, JPEG left out."""
    filter2d = basicsr_module("utils.img_process_util").filter2D
    value = {name: tensor[0].item() for name, tensor in record.values.items()}
    names = ("kernel_type", "kernel_size", "sigma_x", "sigma_y", "rotation", "beta", "cutoff")

    def noise(x, stage):
        gaussian = value[f"noise_type{stage}"] == 0
        strength = value[f"gaussian_sigma{stage}" if gaussian else f"poisson_scale{stage}"]
        add = gaussian_noise if gaussian else poisson_noise
        grey = torch.tensor([value[f"gray_noise{stage}"] == 1])
        return add(x, torch.tensor([strength]), grey, record[f"noise_seed{stage}"])

    def jpeg(x):
        return (x.clamp(0, 1) * 255).round() / 255

    def interpolate(x, mode, **size):
        return F.interpolate(x, mode=RESIZE_MODES[int(mode)], **size)

    def final(x):
        x = interpolate(x, value["final_mode"], size=(height, width))
        kernel = basicsr_module("data.degradations").circular_lowpass_kernel
        if value["final_kernel_type"] == NONE:
            return x
        sinc = kernel(value["final_cutoff"], int(value["final_kernel_size"]), pad_to=21)
        return filter2d(x.contiguous(), torch.from_numpy(sinc)[None].float())

    height, width = (side // 4 for side in image.shape[-2:])
    x = filter2d(image.contiguous(), blur_kernels(*(record[f"{n}1"] for n in names)))
    x = interpolate(x, value["resize_mode1"], scale_factor=value["resize_scale1"])
    x = jpeg(noise(x, 1))
    if value["kernel_type2"] != NONE:
        x = filter2d(x.contiguous(), blur_kernels(*(record[f"{n}2"] for n in names)))
    scale = value["resize_scale2"]
    x = interpolate(x, value["resize_mode2"], size=(int(height * scale), int(width * scale)))
    x = noise(x, 2)
    x = jpeg(final(x)) if value["final_order"] == 0 else final(jpeg(x))
    return (x * 255).round().clamp(0, 255) / 255


def test_composition_is_real_esrgans(monkeypatch, implementation):
    monkeypatch.setattr(steps, "jpeg_pixels", lambda x, _: from_bytes(to_bytes(x)))
    monkeypatch.setattr(steps, "jpeg", lambda x, *_: quantise(x))
    images, records = photographs(24, 80, 96), draws().select(range(24))
    lq = degrade(images, records)
    expected = torch.cat([_expected(images[i : i + 1], records.select([i])) for i in range(24)])
    difference = (lq - expected).abs() * 255
    # a last bit may flip a rounding or a photon, nothing more
    assert (difference > 0.5).double().mean() < 0.01
    assert difference.mean() < 0.02 and math.isfinite(difference.max())
