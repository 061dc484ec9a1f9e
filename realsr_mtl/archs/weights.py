"""Weight files of ours, BasicSR's and others, loaded with nothing silently left out."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from realsr_mtl.errors import UserError

_WRAPPERS = (
    "params_ema",
    "params-ema",
    "params",
    "state_dict",
    "model",
    "net",
    "generator",
    "weights",
)

_COMPUTED = re.compile(r"(attn_mask|relative_position_index)[^.]*$")
"""Tables of window attention, which a network computes from its options."""

_NAMED = 3
"""Tensors of each kind that a sentence names."""


def read_weights(path: str | Path, key: str | None = None) -> tuple[dict[str, Tensor], str]:
    """Read the weights of one network.

    Args:
        path: a file of torch.save with a state dict, possibly inside a wrapper, or a safetensors
            file.
        key: the wrapper's key to take. By default, and where it is missing, the first of
            params_ema, params-ema, params, state_dict, model, net, generator, weights that the file
            has.

    Returns:
        State dict (``module.`` and ``_orig_mod.`` removed) and the key it was found under
        ("" when the file is the state dict itself).

    Raises:
        UserError: no such file, not a weight file, or no weights in it.
    """
    file = Path(path)
    try:
        content = read_content(file)
    except FileNotFoundError:
        raise UserError(f"weight file '{file}' does not exist (seen from {Path.cwd()})") from None
    except Exception as error:  # a damaged pickle raises anything
        raise UserError(
            f"'{file}' is not a weight file that can be read safely: {why_unreadable(error)}"
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

    Where no name of the network is in the file, but its names behind one prefix (``net.``,
    ``generator.``) are, the tensors under that prefix are taken. The masks and position indices of
    window attention (``attn_mask``, ``relative_position_index``) are left as the network computed
    them: the masks in a file have the size of the images that its network was made for.

    Args:
        network: receives the weights.
        path: the weight file.
        key: see `read_weights`; or the prefix to take, where several fit.
        strict: every name and shape must match; otherwise what matches is loaded.

    Returns:
        A sentence that says which weights were loaded from where.

    Raises:
        UserError: a mismatch under ``strict``, or nothing that matches without it.
    """
    weights, wrapper = read_weights(path, key)
    source = f"'{wrapper}' of {path}" if wrapper else str(path)
    parameters = {name for name, _ in network.named_parameters()}
    own = {
        name: value
        for name, value in network.state_dict().items()
        if name in parameters or not _COMPUTED.search(name)
    }
    if not own.keys() & weights.keys():
        weights, source = _under_prefix(weights, own, key, source)
    missing = sorted(own.keys() - weights.keys())
    extra = sorted(k for k in weights.keys() - own.keys() if not _COMPUTED.search(k))
    shapes = sorted(k for k in own.keys() & weights.keys() if own[k].shape != weights[k].shape)
    sizes = [
        f"{k}: {tuple(weights[k].shape)} in the file, {tuple(own[k].shape)} in the network"
        for k in shapes
    ]
    problems = [
        f"{len(found)} {what} (e.g. {'; '.join(found[:_NAMED])})"
        for found, what in ((missing, "missing"), (extra, "unknown"), (sizes, "of another shape"))
        if found
    ]
    if problems and strict:
        raise UserError(
            f"the weights in '{path}' do not fit {type(network).__name__}: {', '.join(problems)}; "
            "check type, scale and size in network_g, or set path:strict_load_g=false to load what "
            "fits"
        )
    fitting = {k: v for k, v in weights.items() if k in own and k not in shapes}
    if not fitting:
        raise UserError(f"no weight in '{path}' fits {type(network).__name__}")
    network.load_state_dict(fitting, strict=False)
    partly = f"; not loaded: {', '.join(problems)}" if problems else ""
    return f"loaded {len(fitting)} of {len(own)} tensors from {source}{partly}"


def read_content(file: Path) -> Any:
    """What is in a file, which cannot run code by being read."""
    with file.open("rb") as start:
        head = start.read(9)
    if head[8:] == b"{":  # the length of a JSON header, and the header
        from safetensors.torch import load_file

        return load_file(file)
    _check_archive(file)
    return torch.load(file, map_location="cpu", weights_only=True)


def _check_archive(file: Path) -> None:
    """Refuse an archive that unpacks to more than it is; torch.save compresses nothing."""
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > file.stat().st_size:
            raise OSError("it is a compressed archive, which torch.save never writes")


def _under_prefix(
    weights: Mapping[str, Tensor], own: Mapping[str, Tensor], key: str | None, source: str
) -> tuple[dict[str, Tensor], str]:
    """The weights behind the one prefix that fits a network, if there is one, and their source."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, value in weights.items():
        prefix, _, rest = name.partition(".")
        groups.setdefault(prefix, {})[rest] = value
    fitting = [prefix for prefix, group in groups.items() if own.keys() & group.keys()]
    if key in fitting:
        fitting = [key]
    if len(fitting) > 1:
        raise UserError(
            f"{source} holds several networks ({', '.join(fitting)}); name one with "
            "path:param_key_g"
        )
    if not fitting:
        return dict(weights), source
    (prefix,) = fitting
    others = len(weights) - len(groups[prefix])
    beside = f" ({others} tensors have other prefixes)" if others else ""
    return groups[prefix], f"'{prefix}.' in {source}{beside}"


def _plain(name: str) -> str:
    return re.sub(r"^((module|_orig_mod)\.)+", "", name)


def why_unreadable(error: Exception) -> str:
    """What is wrong with a file, without torch's advice to switch its protection off."""
    foreign = re.search(r"GLOBAL (\S+)", str(error))
    if foreign:
        return f"it holds '{foreign[1]}' and not only tensors"
    if isinstance(error, (RuntimeError, OSError)) and str(error):
        return str(error).split("\n", 1)[0]
    return "it is damaged, or not written by torch.save or safetensors"
