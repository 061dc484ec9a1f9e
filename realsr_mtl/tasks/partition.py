"""Partitions: axis-aligned cuts through a degradation space, one task per cell."""

from __future__ import annotations

import itertools
from typing import Any, Literal

from realsr_mtl.degradations import DegradationSampler, Interval, Region
from realsr_mtl.tasks.region_tasks import RegionTasks
from realsr_mtl.tasks.task_set import TASK_SETS

Cut = dict[str, Any]
"""``{name: ..., where: {parameter: {min | max | above | below: value, absent: true | false}}}``.

``where`` is side 0, the mild one.
"""

DEFAULT_CUTS: tuple[Cut, ...] = (
    {"name": "resize1", "where": {"resize_scale1": {"min": 0.40, "absent": True}}},
    {"name": "resize2", "where": {"resize_scale2": {"min": 0.60, "absent": True}}},
    {"name": "noise2", "where": {"gaussian_sigma2": {"max": 15}, "poisson_scale2": {"max": 1.4}}},
)
"""Eight cells of the second-order space, for CDR-style training.

The boundaries are a reconstruction from a pilot measurement (a quarter-million-parameter network on
BSDS500), not those of the CDR paper, whose values are not public. The natural masses of the
RealESRGAN space are .3732 .2848 .0772 .0589 .0968 .0738 .0200 .0153. A resize that is switched off
(Gated) is mild.
"""


@TASK_SETS.register()
class Partition(RegionTasks):
    """Cells between cuts; n cuts make 2^n tasks, named after the cuts they lie beyond.

    The first cut is the highest bit of the task number. A cell beyond no cut is called ``mild``.

    Args:
        cuts: ``default`` (eight cells of the Real-ESRGAN space) or a list of
            ``{name: resize1, where: {resize_scale1: {min: 0.4}}}``; ``where`` is the mild side.
            With ``absent: true`` (or false) beside the bound, samples without the parameter lie
            on the mild side (or beyond the cut).
    """

    def __init__(
        self,
        sampler: DegradationSampler | None,
        *,
        cuts: Literal["default"] | list[Cut] = "default",
    ) -> None:
        if sampler is None:
            raise ValueError("a partition needs a degradation; paired data has none")
        chosen = DEFAULT_CUTS if cuts == "default" else cuts
        sides = [_sides(cut) for cut in chosen]
        regions: dict[str, Region] = {}
        for bits in itertools.product((0, 1), repeat=len(sides)):
            beyond = [name for (name, _), bit in zip(sides, bits, strict=True) if bit]
            region: dict[str, Interval] = {}
            for (_, pair), bit in zip(sides, bits, strict=True):
                twice = region.keys() & pair[bit].keys()
                if twice:
                    raise ValueError(f"two cuts use '{twice.pop()}'; give each parameter one cut")
                region |= pair[bit]
            task = "+".join(beyond) or "mild"
            if task in regions:
                raise ValueError(f"two tasks would be called '{task}'; give every cut its own name")
            regions[task] = region
        super().__init__(sampler, regions)
        total = float(self.masses.sum())
        if abs(total - 1) > 1e-9:
            raise ValueError(
                f"the cells hold {total:.4f} of the space instead of all of it; of the parameters "
                "in a cut, every sample must have exactly one, like the strength of its noise "
                "type; where a sample may lack it, 'absent: true' says that it is mild then, "
                "'absent: false' that it is not"
            )


def _sides(cut: Cut) -> tuple[str, tuple[dict[str, Interval], dict[str, Interval]]]:
    where = cut.get("where")
    if cut.keys() != {"name", "where"} or not isinstance(where, dict) or not where:
        raise ValueError(
            f"cut {cut} is not of the form "
            "{name: resize1, where: {resize_scale1: {min: 0.4}}}"
        )
    try:
        mild = {name: Interval(**bounds) for name, bounds in where.items()}
    except TypeError:
        raise ValueError(
            f"cut '{cut['name']}': bounds are min, max, above or below, and 'absent'"
        ) from None
    return str(cut["name"]), (mild, {name: i.complement() for name, i in mild.items()})
