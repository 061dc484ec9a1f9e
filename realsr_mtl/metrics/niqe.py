"""NIQE, through basicsr."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np

from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import UserError
from realsr_mtl.metrics.base import METRICS, Image, Metric

_BLOCK = 96


@METRICS.register(aliases=["calculate_niqe"])
class NIQE(Metric):
    """Natural image quality evaluator (Mittal et al., 2013), no reference; basicsr's code.

    Args:
        crop_border: pixels left out on each side.
        better: smaller is better.
        convert_to: basicsr's channel: y (MATLAB's) or gray.
    """

    needs_reference = False

    def __init__(
        self,
        *,
        crop_border: int = 0,
        better: Literal["higher", "lower"] = "lower",
        convert_to: Literal["y", "gray"] = "y",
    ) -> None:
        super().__init__(crop_border, better)
        self.convert_to = convert_to
        self._calculate = basicsr.load("metrics.niqe").calculate_niqe

    def score(self, image: Image, reference: Image | None) -> float:
        """NIQE, about 3 (natural) to 20; nan where a flat image has no statistics."""
        if (image.shape[0] // _BLOCK) * (image.shape[1] // _BLOCK) < 2:
            raise UserError(
                f"NIQE needs two blocks of {_BLOCK} x {_BLOCK} pixels inside the border, found "
                f"{image.shape[:2]}"
            )
        bgr = np.ascontiguousarray(image[..., ::-1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                value = self._calculate(bgr, 0, input_order="HWC", convert_to=self.convert_to)
            except np.linalg.LinAlgError:
                return float("nan")
        return float(np.squeeze(value))
