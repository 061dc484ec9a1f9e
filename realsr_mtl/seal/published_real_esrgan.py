"""The 58 words of a Real-ESRGAN case in SEAL's file of centres."""

from __future__ import annotations

import math
from typing import Any

from realsr_mtl.degradations.operators import KERNEL_TYPES, NOISE_TYPES, RESIZE_MODES

FLAT: dict[str, Any] = {
    "type": "RealESRGAN",
    "resize_prob": (0.2, 0.48, 0.31),
    "resize_prob2": (0.2, 0.48, 0.31),
    "resize_range2": (0.2, 1.5),
    "noise_range": (1, 40),
    "noise_range2": (1, 40),
    "poisson_scale_range": (0.05, 4),
    "poisson_scale_range2": (0.05, 4),
    "kernel_prob": (1, 1, 1, 1, 1, 1),
    "kernel_prob2": (1, 1, 1, 1, 1, 1),
    "sinc_prob": 0.55,
    "sinc_prob2": 0.55,
    "blur_sigma2": (0.2, 3),
    "second_blur_prob": 1,
    "final_sinc_prob": 0.3,
}
"""A space like the one the published centres come from, by their ranges and shares: wider and
flatter than Real-ESRGAN's. There the second resize is of the present size, here of the LQ size."""

_WORDS = 58
_SCALE = 4
_LABELS = {0: "FisrtOrder", 1: "Blur", 12: "Resize", 16: "Noise", 22: "JPEG", 25: "SecondOrder"}
_LABELS |= {26: "Blur", 37: "Resize", 41: "Noise", 47: "FinalOrder", 48: "Final", 53: "Resize"}
_LABELS |= {55: "JPEG"}
_SINC, _NONE = KERNEL_TYPES.index("sinc"), KERNEL_TYPES.index("none")


def real_esrgan_record(text: str) -> tuple[dict[str, Any], list[str]]:
    """The parameters of a case, and notes on what is other than there.

    Raises:
        ValueError: it is not made of these words.
        NotImplementedError: the second-order pipeline cannot do it; says what.
    """
    words = text.split("_")
    if len(words) != _WORDS:
        raise ValueError(f"a Real-ESRGAN case has {_WORDS} words, this one {len(words)}")
    for place, label in _LABELS.items():
        if words[place] != label:
            raise ValueError(f"word {place} is '{words[place]}', not '{label}'")
    off = [label for place, label in _LABELS.items() if words[place + 1] == "0" and place in _GATES]
    if off:
        raise NotImplementedError(f"{off[0]} is switched off")
    first, second = float(words[14]), float(words[39])
    notes = ["the second resize is by the same factor of the HR size; a side may differ by a pixel"]
    record = {
        **_blur(words[2:12], 1, notes),
        "resize_scale1": first,
        "resize_mode1": _mode(words[15]),
        **_noise(words[17:22], 1),
        "jpeg_quality1": _quality(words[24], notes),
        **_blur(words[27:37], 2, notes),
        "resize_scale2": first * second * _SCALE,
        "resize_mode2": _mode(words[40]),
        **_noise(words[42:47], 2),
        **_final(words, notes),
    }
    return record, notes


_GATES = {1, 12, 16, 22, 26, 37, 41}
"""Labels that are followed by a switch."""


def _blur(words: list[str], stage: int, notes: list[str]) -> dict[str, Any]:
    """Switch, sinc, size, type, two sigmas, two betas, angle, cut-off."""
    sinc, size, kind = int(words[1]), int(words[2]), int(words[3])
    x, y, generalised, plateau, angle, cutoff = map(float, words[4:10])
    width = {f"kernel_size{stage}": size}
    if sinc:
        return {f"kernel_type{stage}": _SINC, **width, f"cutoff{stage}": _cutoff(cutoff, notes)}
    family = KERNEL_TYPES[:6][kind]
    record = {f"kernel_type{stage}": kind, **width, f"sigma_x{stage}": x}
    if family.endswith("aniso"):
        record |= {f"sigma_y{stage}": y, f"rotation{stage}": _within(angle, -math.pi, math.pi)}
    if family.startswith(("generalized", "plateau")):
        record[f"beta{stage}"] = generalised if family.startswith("generalized") else plateau
        notes.append("the shape of a kernel is the one written; there it is drawn anew")
    return record


def _noise(words: list[str], stage: int) -> dict[str, Any]:
    """Switch, grey, Gaussian, its sigma, Poisson strength."""
    grey, gaussian, sigma, strength = int(words[1]), int(words[2]), words[3], words[4]
    kind = "gaussian" if gaussian else "poisson"
    record: dict[str, Any] = {f"noise_type{stage}": NOISE_TYPES.index(kind)}
    name = f"gaussian_sigma{stage}" if gaussian else f"poisson_scale{stage}"
    return {**record, name: float(sigma if gaussian else strength), f"gray_noise{stage}": grey}


def _final(words: list[str], notes: list[str]) -> dict[str, Any]:
    order, sinc, size, cutoff = int(words[49]), int(words[50]), int(words[51]), float(words[52])
    if order not in (0, 1):
        raise NotImplementedError(f"the final order {order} leaves out the last JPEG")
    record: dict[str, Any] = {"final_order": order, "final_mode": _mode(words[54])}
    record["jpeg_quality2"] = _quality(words[56], notes)
    if not sinc:
        return {**record, "final_kernel_type": _NONE}
    own = {"final_kernel_type": _SINC, "final_kernel_size": size}
    return {**record, **own, "final_cutoff": _cutoff(cutoff, notes)}


def _quality(word: str, notes: list[str]) -> int:
    value = float(word)
    if value != int(value):
        notes.append("JPEG qualities are whole numbers: the fraction is cut off")
    return int(value)


def _cutoff(value: float, notes: list[str]) -> float:
    """Two decimals can fall outside the range that they were drawn from."""
    return _within(value, math.pi / 5, math.pi)


def _mode(word: str) -> int:
    if word not in RESIZE_MODES:
        raise ValueError(f"'{word}' is no way to resize; there are {', '.join(RESIZE_MODES)}")
    return RESIZE_MODES.index(word)


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high) if low - 0.005 <= value <= high + 0.005 else value
