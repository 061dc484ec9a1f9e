"""Weight files of ours, BasicSR's and others, loaded with nothing silently left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from realsr_mtl.errors import UserError

_WRAPPERS = ("params_ema", "params", "state_dict", "model", "net", "generator", "weights")


def read_weights(path: str | Path, key: str | None = None) -> tuple[dict[str, Tensor], str]:
    """Read the weights of one network.

    Args:
        path: a file of torch.save holding a state dict, possibly inside a wrapper.
        key: the wrapper's key to take. By default, and where it is missing, the first of
            params_ema, params, state_dict, model, net, generator, weights that the file has.

    Returns:
        State dict (``module.`` and ``_orig_mod.`` removed) and the key it was found under
        ("" when the file is the state dict itself).

    Raises:
        UserError: no such file, not a weight file, or no weights in it.
    """
    file = Path(path)
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"weight file '{file}' does not exist (seen from {Path.cwd()})") from None
    except Exception as error:  # a damaged pickle raises anything
        raise UserError(
            f"'{file}' is not a weight file that can be read safely: {_reason(error)}"
        ) from None
    found = ""
    if isinstance(content, Mapping):
        wrapped = [k for k in (key, *_WRAPPERS) if k and isinstance(content.get(k), Mapping)]
        if wrapped:
            found = wrapped[0]
            content = content[found]
    if not isinstance(content, Mapping) or not all(isinstance(v, Tensor) for v in content.values()):
        raise UserError(f"'{file}' holds no state dict of a network")
    if not content:
        raise UserError(f"'{file}' holds an empty state dict")
    return {_plain(str(k)): v for k, v in content.items()}, found


def load_weights(
    network: nn.Module, path: str | Path, key: str | None = None, strict: bool = True
) -> str:
    """Load weights into a network.

    Args:
        network: receives the weights.
        path: the weight file.
        key: see `read_weights`.
        strict: every name and shape must match; otherwise what matches is loaded.

    Returns:
        A sentence that says which weights were loaded from where.

    Raises:
        UserError: a mismatch under ``strict``, or nothing that matches without it.
    """
    weights, found = read_weights(path, key)
    own = network.state_dict()
    missing = sorted(own.keys() - weights.keys())
    extra = sorted(weights.keys() - own.keys())
    shapes = sorted(k for k in own.keys() & weights.keys() if own[k].shape != weights[k].shape)
    problems = [
        f"{len(names)} {what} (e.g. {names[0]}{_shapes(own, weights, names[0])})"
        for names, what in ((missing, "missing"), (extra, "unknown"), (shapes, "of another shape"))
        if names
    ]
    if problems and strict:
        raise UserError(
            f"the weights in '{path}' do not fit {type(network).__name__}: {', '.join(problems)}; "
            "check network_g, or set path:strict_load_g=false to load what fits"
        )
    fitting = {k: v for k, v in weights.items() if k in own and k not in shapes}
    if not fitting:
        raise UserError(f"no weight in '{path}' fits {type(network).__name__}")
    network.load_state_dict(fitting, strict=False)
    partly = f"; not loaded: {', '.join(problems)}" if problems else ""
    source = f"'{found}' of {path}" if found else str(path)
    return f"loaded {len(fitting)} of {len(own)} tensors from {source}{partly}"


def _plain(name: str) -> str:
    return re.sub(r"^((module|_orig_mod)\.)+", "", name)


def _reason(error: Exception) -> str:
    """What is wrong, without torch's advice to switch its protection off."""
    foreign = re.search(r"GLOBAL (\S+)", str(error))
    if foreign:
        return f"it holds '{foreign[1]}' and not only tensors"
    if isinstance(error, (RuntimeError, OSError)) and str(error):
        return str(error).split("\n", 1)[0]
    return "it is damaged or was not written by torch.save"


def _shapes(own: Mapping[str, Tensor], given: Mapping[str, Tensor], name: str) -> str:
    if name not in own or name not in given:
        return ""
    return f": {tuple(given[name].shape)} in the file, {tuple(own[name].shape)} in the network"
