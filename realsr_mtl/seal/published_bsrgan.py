"""The nine fields of a BSRGAN case in SEAL's file of centres."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from realsr_mtl.degradations.operators import KERNEL_TYPES, RESIZE_MODES
from realsr_mtl.degradations.pipelines.shuffle import HALVINGS, NOISES, orders

_FIELDS = ("shuffleorder", "dppre", "dp0", "dp1", "dp2", "dp3", "dp4", "dp5", "dp7")
_STEPS = ("blur1", "blur2", "shrink", "settle", "noise", "jpeg")
"""Operators by their number there; 6 is a camera that is never switched on."""
_MODES = {1: "bilinear", 2: "bicubic", 3: "area"}  # OpenCV's codes
_SCALE, _STRONGEST = 4, 25


def bsrgan_record(text: str) -> tuple[dict[str, Any], list[str]]:
    """The parameters of a case, and notes on what is other than there.

    Raises:
        ValueError: it is not made of these fields.
        NotImplementedError: the shuffled pipeline cannot do it; says what.
    """
    fields = [part.strip() for part in text.split("|")]
    names = [part.partition("_")[0] for part in fields]
    if names != list(_FIELDS):
        raise ValueError(f"a BSRGAN case has the fields {', '.join(_FIELDS)}, found {names}")
    parts = {name: _values(part) for name, part in zip(names[1:], fields[1:], strict=True)}
    notes: list[str] = []
    halving, scale = _halving(parts["dppre"])
    record = {
        "halving": HALVINGS.index(halving),
        "order": _order(fields[0].partition("_")[2], notes),
        **_blur(parts["dp0"], 1, scale),
        **_blur(parts["dp1"], 2, scale),
        **_shrink(parts["dp2"], scale),
        "settle_mode": _mode(parts["dp3"]),
        **_noise(parts["dp4"]),
        "jpeg_quality2": int(parts["dp7"]["jpegfactor"][0]),
    }
    if parts["dp5"]["rnum"][0] < 0.9:
        record["jpeg_quality1"] = int(parts["dp5"]["jpegfactor"][0])
    return record, notes


def _values(part: str) -> dict[str, list[float]]:
    """The numbers behind each word: ``dp3_interptype_1`` gives ``{"interptype": [1]}``."""
    found: dict[str, list[float]] = {}
    name = ""
    for token in part.split("_")[1:]:
        if re.fullmatch(r"[A-Za-z]\w*", token):
            name = token
            found[name] = []
        elif name:
            found[name].append(float(token))
        else:
            raise ValueError(f"'{part}' does not begin with a name")
    return found


def _halving(values: dict[str, list[float]]) -> tuple[str, int]:
    if values["rnum1"][0] >= 0.25:
        return "none", _SCALE
    plain = values["rnum2"][0] < 0.5
    return (_MODES[int(values["interptype"][0])] if plain else "matlab"), 2


def _order(text: str, notes: list[str]) -> int:
    numbers = json.loads(text)
    if sorted(numbers) != list(range(7)):
        raise ValueError(f"{text} is no order of 0 to 6")
    names = [_STEPS[number] for number in numbers if number < len(_STEPS)]
    first, last = names.index("shrink"), names.index("settle")
    if first > last:
        names[first], names[last] = names[last], names[first]
        notes.append("the resize to the LQ size comes after the other one, as their code has it")
    return orders().index(tuple(names))


def _blur(values: dict[str, list[float]], stage: int, scale: int) -> dict[str, Any]:
    """Here widths are shares of what the scale allows."""
    size = {f"kernel_size{stage}": int(values["ksize"][0])}
    if values["rnum"][0] < 0.5:
        return {
            f"kernel_type{stage}": KERNEL_TYPES.index("aniso"),
            **size,
            f"blur_variance_x{stage}": _share(values["l1"][0], 4 + scale),
            f"blur_variance_y{stage}": _share(values["l2"][0], 4 + scale),
            f"rotation{stage}": values["theta"][0],
        }
    sigma = _share(values["l3"][0], 2 + 0.2 * scale)
    return {f"kernel_type{stage}": KERNEL_TYPES.index("iso"), **size, f"blur_sigma{stage}": sigma}


def _shrink(values: dict[str, list[float]], scale: int) -> dict[str, Any]:
    if values["rnum"][0] < 0.75:
        factor = _share(values["sf1"][0] - 1, 2 * scale - 1)
        return {"shrink_type": 0, "shrink_factor": factor, "shrink_mode": _mode(values)}
    sigma = _share(values["blursigma"][0] - 0.1, 0.6 * scale - 0.1)
    return {"shrink_type": 1, "shrink_sigma": sigma}


def _noise(values: dict[str, list[float]]) -> dict[str, Any]:
    chance, level = values["rnum"][0], int(values["noiselevel"][0])
    if chance > 0.6 or chance < 0.4:
        kind = "colour" if chance > 0.6 else "grey"
        return {"noise_type": NOISES.index(kind), "gaussian_sigma": level}
    variances, basis = values["D"], values["U"]
    if len(variances) != 9 or len(basis) != 9:
        raise ValueError("correlated noise has two matrices of nine numbers")
    return {
        "noise_type": NOISES.index("correlated"),
        "gaussian_sigma": _STRONGEST,
        **{f"colour_variance{i + 1}": variances[4 * i] for i in range(3)},
        **{f"colour_basis{i + 1}": v for i, v in enumerate(_with_basis(basis))},
    }


def _with_basis(basis: list[float]) -> list[float]:
    """A matrix with entries in [0, 1] whose left singular vectors are the given ones.

    There the basis itself is written; here it is that of a matrix of uniform numbers, which is what
    theirs comes from, too. So its first vector has one sign, and ``U diag(1, e, e/2) V^T``, whose
    first column of ``V`` is ``1 / sqrt(3)``, is positive for a small ``e``. Signs of the vectors
    make no difference to the noise.
    """
    left = np.reshape(basis, (3, 3))
    if not np.allclose(left.T @ left, np.eye(3), atol=1e-6):
        raise ValueError("the basis of the noise is not orthonormal")
    left = left * np.sign(left[:, 0].sum())
    small = 0.5 * float(left[:, 0].min()) / math.sqrt(3)
    if small <= 0:
        raise NotImplementedError("its noise has a basis that no positive matrix has")
    root = math.sqrt(1 / 3), math.sqrt(1 / 2), math.sqrt(1 / 6)
    right = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]]) * np.array(root)[:, None]
    made = left @ np.diag([1, small, small / 2]) @ right
    return [float(value) for value in made.ravel()]


def _mode(values: dict[str, list[float]]) -> int:
    return RESIZE_MODES.index(_MODES[int(values["interptype"][0])])


def _share(value: float, whole: float) -> float:
    share = value / whole
    if not -1e-6 <= share <= 1 + 1e-6:
        raise NotImplementedError(f"{value:g} is more than the {whole:g} that this space allows")
    return min(max(share, 0.0), 1.0)
