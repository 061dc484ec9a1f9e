from __future__ import annotations

import math

import torch

from realsr_mtl.degradations.operators import KERNEL_TYPES, blur_kernels
from realsr_mtl.degradations.pipelines.stages import blurs, jpegs, noises, resizes, resizes_of
from realsr_mtl.degradations.steps import Blur, GaussianNoise, Jpeg, PoissonNoise, Resize
from tests.degradations._records import changed, draws

NONE = KERNEL_TYPES.index("none")


def test_kernels_of_all_stages_are_those_of_the_records():
    records = draws().select(range(40))
    for stage, steps in zip((1, 2, "final"), blurs(records, 1, 2, "final"), strict=True):
        prefix = "final_" if stage == "final" else ""
        suffix = "" if stage == "final" else str(stage)
        kinds = records[f"{prefix}kernel_type{suffix}"]
        assert [step is None for step in steps] == (kinds == NONE).tolist()
        for i, step in enumerate(steps):
            if not isinstance(step, Blur):
                continue
            names = (
                "kernel_type",
                "kernel_size",
                "sigma_x",
                "sigma_y",
                "rotation",
                "beta",
                "cutoff",
            )
            row = [records.values.get(f"{prefix}{n}{suffix}", torch.ones(40))[i] for n in names]
            expected = blur_kernels(*torch.stack([v.double() for v in row])[:, None])[0].numpy()
            margin = (21 - len(step.kernel)) // 2
            inner = slice(margin, 21 - margin)
            assert (step.kernel == expected[inner, inner]).all()
            assert abs(expected).sum() - abs(step.kernel).sum() < 2e-7 * abs(expected).sum()


def test_what_a_record_lacks_is_no_step():
    records = changed(
        draws().select(range(6)),
        resize_scale1=math.nan,
        resize_scale2=math.nan,
        jpeg_quality1=math.nan,
        noise_type1=0,
        gaussian_sigma1=0,
    )
    for steps in (
        resizes(records, 1), resizes_of(records, 2, (8, 8)), jpegs(records, 1), noises(records, 1)
    ):  # fmt: skip
        assert steps == [None] * 6


def test_what_a_record_has_is_in_the_step():
    records = draws().select(range(30))
    for i, step in enumerate(noises(records, 2)):
        poisson = records["noise_type2"][i] == 1
        assert isinstance(step, PoissonNoise if poisson else GaussianNoise)
        strength = step.scale if isinstance(step, PoissonNoise) else step.sigma
        assert strength == records["poisson_scale2" if poisson else "gaussian_sigma2"][i]
        assert step.seed == records["noise_seed2"][i]
        assert step.grey == (records["gray_noise2"][i] == 1)
    qualities = records["jpeg_quality2"].tolist()
    assert jpegs(records, 2) == [Jpeg(int(quality)) for quality in qualities]
    modes, scales = records["resize_mode1"].tolist(), records["resize_scale1"].tolist()
    expected = [Resize(int(m), factor=s) for m, s in zip(modes, scales, strict=True)]
    assert resizes(records, 1) == expected
    third = resizes_of(records, 2, (20, 11))[3]
    factor = float(records["resize_scale2"][3])
    size = (int(20 * factor), int(11 * factor))
    assert third == Resize(int(records["resize_mode2"][3]), size=size)
