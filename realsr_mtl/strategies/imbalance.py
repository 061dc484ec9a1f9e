"""How far each task lags behind: key performance indicator, focal weight, normalisation.

The CDR-style measure of imbalance: a reconstruction (the formulas of the CDR paper are not public)
from Dynamic Task Prioritization (Guo et al., ECCV 2018) and the margin of Achievement-based
Training Progress Balancing (Yun and Cho, ICCV 2023).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from realsr_mtl.strategies.part import StrategyPart, TaskColumns
from realsr_mtl.strategies.setting import Setting
from realsr_mtl.tasks import by_name, from_names

_logger = logging.getLogger(__name__)

LOWEST, HIGHEST = 0.05, 0.995
"""Range of the indicator: keeps ``ln`` finite and every weight positive."""


def focal_weights(kpi: Tensor, gamma: float, form: Literal["log", "power"] = "log") -> Tensor:
    """``-(1 - k)^gamma ln k`` ("log", Dynamic Task Prioritization) or ``(1 - k)^gamma``.

    Args:
        kpi: indicators in (0, 1]; higher is easier.
        gamma: focusing parameter, not negative.
        form: "log" or "power".
    """
    focus = (1 - kpi) ** gamma
    return -focus * kpi.log() if form == "log" else focus


class FocalIndicator(StrategyPart):
    """Weights of tasks from the PSNR of the network on their probe images.

    With ``psnr_t`` and the reference ``R_t`` in dB:

    - ``kappa_t = clip(psnr_t / ((1 + margin) R_t), 0.05, 0.995)``,
      or ``psnr_t / absolute`` without references;
    - ``k_t <- smoothing kappa_t + (1 - smoothing) k_t``, starting at the first value;
    - ``w_t = -(1 - k_t)^gamma ln k_t``;
    - ``omega_t = w_t / sum_s pi_s w_s``, so that 1 is the average level of under-training.

    An indicator that is missing or not finite leaves the previous value of its task and is logged;
    a task without any value yet has ``omega_t = 1``.

    Args:
        gamma: focusing parameter; null means 1 with references and 2 without.
        reference: JSON file with the PSNR in dB that each task can reach, made by
            scripts/reference_fits.py; null divides by ``absolute`` instead, which favours tasks
            that are hard in themselves.
        margin: references are raised by this share, 0.05 as in achievement-based balancing, so
            that no task counts as finished.
        absolute: PSNR in dB that counts as perfect when there are no references.
        smoothing: rate of the running average of the indicators, in (0, 1].
        form: log is ``-(1 - k)^gamma ln k``, power ``(1 - k)^gamma``.
    """

    needs_probes = True

    def __init__(
        self,
        setting: Setting,
        *,
        gamma: float | None = None,
        reference: str | None = None,
        margin: float = 0.05,
        absolute: float = 30.0,
        smoothing: float = 0.3,
        form: Literal["log", "power"] = "log",
        **others: Any,
    ) -> None:
        super().__init__(setting, **others)
        if gamma is None:
            gamma = 2.0 if reference is None else 1.0
        for name, value in (("gamma", gamma), ("margin", margin)):
            if not value >= 0:
                raise ValueError(f"{name} must not be negative, found {value}")
        if not 0 < smoothing <= 1:
            raise ValueError(f"smoothing lies in (0, 1], found {smoothing}")
        if not absolute > 0:
            raise ValueError(f"absolute must be positive, found {absolute}")
        self._gamma, self._form, self._smoothing = gamma, form, smoothing
        self._full = torch.full((len(setting),), absolute, dtype=torch.float64)
        if reference is not None:
            self._full = (1 + margin) * read_references(reference, setting.names)
        self._indicators = torch.full((len(setting),), torch.nan, dtype=torch.float64)

    def measure(self, psnr: Tensor) -> TaskColumns:
        """Take in new PSNR values ``[T]``; returns psnr, kappa, smoothed and omega."""
        finite = psnr.isfinite()
        if not bool(finite.all()):
            missing = [
                n for n, ok in zip(self.setting.names, finite.tolist(), strict=True) if not ok
            ]
            _logger.warning(
                "no PSNR on the probes of %s; the previous value stays", ", ".join(missing)
            )
        kappa = (torch.where(finite, psnr, torch.nan) / self._full).clamp(LOWEST, HIGHEST)
        start = torch.where(self._indicators.isnan(), kappa, self._indicators)
        followed = start + self._smoothing * (kappa - start)
        self._indicators = torch.where(kappa.isnan(), self._indicators, followed)
        omega = self.omega()
        return {"psnr": psnr, "kappa": kappa, "smoothed": self._indicators, "omega": omega}

    def omega(self) -> Tensor:
        """``[T]`` with ``sum_t pi_t omega_t = 1``."""
        masses, known = self.setting.masses, ~self._indicators.isnan()
        if not bool(known.any()):
            return torch.ones_like(masses)
        weights = focal_weights(self._indicators, self._gamma, self._form)
        mean = (masses * weights)[known].sum() / masses[known].sum()
        return torch.where(known, weights / mean, 1.0)

    def state_dict(self) -> dict[str, Any]:
        """The smoothed indicators by task."""
        return {**super().state_dict(), "indicators": by_name(self.setting.names, self._indicators)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest, names = dict(state), self.setting.names
        start = torch.full_like(self._indicators, torch.nan)
        self._indicators = from_names(names, rest.pop("indicators"), start, "task indicators")
        super().load_state_dict(rest)


def read_references(file: str, names: list[str]) -> Tensor:
    """Reference PSNR ``[T]`` in dB from a file ``{"psnr": {task: dB}}``.

    Raises:
        ValueError: no such file, no such content, or a task without a positive value.
    """
    try:
        table = json.loads(Path(file).read_text(encoding="utf-8"))["psnr"]
        lacking = [name for name in names if name not in table]
        values = [float(table[name]) for name in names if name in table]
    except FileNotFoundError:
        raise ValueError(
            f"reference file '{file}' does not exist (seen from {Path.cwd()}); make it with "
            "scripts/reference_fits.py, or leave 'reference' out for the absolute mode"
        ) from None
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise ValueError(f"'{file}' is not a reference file {{psnr: {{task: dB}}}}") from None
    if lacking:
        raise ValueError(
            f"reference file '{file}' has no task '{lacking[0]}'; make it again for these tasks "
            "with scripts/reference_fits.py"
        )
    if not all(0 < value < float("inf") for value in values):
        raise ValueError(f"reference file '{file}' holds values that are not positive")
    return torch.tensor(values, dtype=torch.float64)
