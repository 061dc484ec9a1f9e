"""The second-order pipeline of Real-ESRGAN (Wang et al., ICCVW 2021), one record per sample."""

from __future__ import annotations

from realsr_mtl.degradations.boxes import Size
from realsr_mtl.degradations.engine import Program
from realsr_mtl.degradations.parameters import DegradationParameters
from realsr_mtl.degradations.pipelines.stages import (
    blurs,
    jpegs,
    noises,
    resizes,
    resizes_of,
)
from realsr_mtl.degradations.steps import Resize


def second_order(parameters: DegradationParameters, size: Size) -> list[Program]:
    """Blur, resize, noise, JPEG; blur, resize, noise; then resize-back, sinc and JPEG.

    The first resize is relative to the HR size, the second to the LQ size ``H / scale``. The final
    JPEG comes after (``final_order`` 0) or before (1) resize-back and sinc.
    """
    lq = (size[0] // parameters.scale, size[1] // parameters.scale)
    last = jpegs(parameters, 2)
    early = (parameters["final_order"] == 1).tolist()
    first_blur, second_blur, last_blur = blurs(parameters, 1, 2, "final")
    stages = (
        first_blur,
        resizes(parameters, 1),
        noises(parameters, 1),
        jpegs(parameters, 1),
        second_blur,
        resizes_of(parameters, 2, lq),
        noises(parameters, 2),
        [step if first else None for step, first in zip(last, early, strict=True)],
        [Resize(int(mode), size=lq) for mode in parameters["final_mode"].tolist()],
        last_blur,
        [None if first else step for step, first in zip(last, early, strict=True)],
    )
    return list(zip(*stages, strict=True))
