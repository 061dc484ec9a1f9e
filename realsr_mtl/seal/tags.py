"""Bands of a degradation record, by which reports are split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

POISSON_LEVELS = 11.3
"""Standard deviation in grey levels of Poisson noise of strength 1 at mid grey:
``255 sqrt(0.5 / 256)``."""

BANDS: dict[str, Sequence[tuple[float, str]]] = {
    "noise": ((10, "below 10"), (20, "10 to 20"), (float("inf"), "above 20")),
    "jpeg": ((50, "below 50"), (75, "50 to 75"), (float("inf"), "above 75")),
}
"""Upper ends (not included) and names. noise: largest standard deviation of a record in grey levels
of 255; jpeg: its lowest quality. Thirds, roughly, of Real-ESRGAN's ranges."""


def tags(record: Mapping[str, Any]) -> dict[str, str]:
    """``noise``, ``jpeg`` and ``blur`` (sinc where a sinc filter is among the kernels) of a record.

    Args:
        record: as JSON, of any pipeline; what it has no parameter for has no tag.
    """
    given = {name: value for name, value in record.items() if isinstance(value, (int, float))}
    found = {}
    noise = [value for name, value in given.items() if name.startswith("gaussian_sigma")]
    noise += [POISSON_LEVELS * v for name, v in given.items() if name.startswith("poisson_scale")]
    jpeg = [value for name, value in given.items() if name.startswith("jpeg_quality")]
    if noise:
        found["noise"] = _band("noise", max(noise))
    if jpeg:
        found["jpeg"] = _band("jpeg", min(jpeg))
    if any(name.startswith("kernel_type") for name in record):
        sinc = any(name.startswith(("cutoff", "final_cutoff")) for name in given)
        found["blur"] = "sinc" if sinc else "no sinc"
    return found


def _band(kind: str, value: float) -> str:
    return next(name for upper, name in BANDS[kind] if value < upper)
