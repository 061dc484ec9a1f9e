"""Export a trained network as safetensors or ONNX.

    python scripts/export.py -opt FILE --format safetensors --out net.safetensors
    python scripts/export.py -opt FILE --format onnx --out net.onnx [--weights WEIGHTS]

The weights are the latest of the file's own run, else path:pretrain_network_g, unless they are
given; of several in a file, the averaged ones (params_ema) or those that path:param_key_g names.
The metadata of both formats keep network, options and scale.

ONNX turns ``lq [1, 3, h, w]`` into ``hq [1, 3, scale h, scale w]``, float32, not clamped, for all
sides from 16 that are multiples of what is printed. Before it is written it restores crops of a
photograph in two sizes; a difference above 1e-4 to PyTorch is an error.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from torch import Tensor, nn

from realsr_mtl.archs import TaskHeads, limits, load_weights
from realsr_mtl.command import run_command
from realsr_mtl.config import Options, load_options
from realsr_mtl.data import DATASETS
from realsr_mtl.errors import UnavailableError, UserError
from realsr_mtl.experiment import Experiment

MULTIPLES = (1, 8, 64)
"""What sides may have to be multiples of in ONNX: padding inside a network branches on its size."""

LEAST, TOLERANCE = 16, 1e-4
"""Smallest side; largest difference."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-opt", type=Path, required=True, help="the option file")
    parser.add_argument("--weights", type=Path, help="the weight file")
    parser.add_argument("--format", choices=("safetensors", "onnx"), required=True)
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    arguments = parser.parse_args(argv)
    return run_command(lambda: export(arguments))


def export(arguments: argparse.Namespace) -> int:
    """Build, load, verify and write."""
    experiment = Experiment(load_options(arguments.opt))
    options = experiment.options
    network = experiment.network().eval()
    weights = arguments.weights or _weights(options)
    print(load_weights(network, weights, options.path.param_key_g))
    metadata = {
        "arch": options.network_g.type,
        "options": json.dumps(experiment.resolved()["network_g"]),
        "scale": str(options.scale),
    }
    write = write_onnx if arguments.format == "onnx" else write_safetensors
    write(network, arguments.out, metadata)
    print(f"wrote {arguments.out}")
    return 0


def write_safetensors(network: nn.Module, file: Path, metadata: dict[str, str]) -> None:
    """Write the state dict."""
    from safetensors.torch import save

    _write(file, save(network.state_dict(), {"format": "pt", **metadata}))


def write_onnx(network: nn.Module, file: Path, metadata: dict[str, str]) -> None:
    """Write the computation for images of any size, once it gives the network's results.

    Raises:
        UserError: a network that cannot be exported, or other results.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401 - torch needs it
    except ImportError as error:
        raise UnavailableError(
            f"exporting to ONNX needs {error.name}; run pip install 'realsr-mtl[export]'"
        ) from None
    name = metadata["arch"]
    if isinstance(network, TaskHeads):
        raise UserError(f"{name} has a head for each task and cannot be exported to ONNX")
    multiple, program = _translated(network, name)
    print(f"sides: {'any' if multiple == 1 else f'multiples of {multiple}'} from {LEAST} on")
    program.model.metadata_props.update({**metadata, "multiple": str(multiple)})
    code = program.model_proto.SerializeToString()
    try:
        session = onnxruntime.InferenceSession(code, providers=["CPUExecutionProvider"])
        differences = [_difference(network, session, image) for image in _images(multiple)]
    except UserError:
        raise
    except Exception as error:  # onnxruntime has no exception of its own
        raise UserError(f"{name} does not run in ONNX: {_first_line(error)}") from None
    print(f"largest difference to PyTorch: {max(differences):.1e}")
    if not max(differences) <= TOLERANCE:
        raise UserError(f"{name} gives other results in ONNX; nothing is written")
    _write(file, code)


@torch.no_grad()
def _translated(network: nn.Module, name: str) -> tuple[int, Any]:
    """The ONNX program, and what its sides must be multiples of: the first that can be traced."""
    own = limits(network).multiple
    for multiple in [own, *(m for m in MULTIPLES if m > own and m % own == 0)]:
        try:
            with _silence():
                return multiple, _program(network, multiple)
        except Exception as error:  # torch and other people's networks fail in any way
            reason = _first_line(error.__cause__ or error)
    raise UserError(f"{name} cannot be exported to ONNX: {reason}")


def _program(network: nn.Module, multiple: int) -> Any:
    number = max(3, -(-64 // multiple))  # 1 and 2 would be taken for constants
    image = torch.rand(1, 3, number * multiple, (number + 1) * multiple)
    least = max(2, -(-LEAST // multiple))
    height, width = (multiple * torch.export.Dim(side, min=least) for side in ("h", "w"))
    program = torch.export.export(
        network, (image,), dynamic_shapes=({2: height, 3: width},), strict=False
    )
    for node in program.graph.find_nodes(op="call_function", target=torch.ops.aten.type_as.default):
        source = node.args[0]
        if source.meta["val"].dtype == node.meta["val"].dtype:  # torch 2.11 stumbles over these
            node.replace_all_uses_with(source)
            program.graph.erase_node(node)
    return torch.onnx.export(
        program, dynamo=True, input_names=["lq"], output_names=["hq"], verbose=False
    )


def _images(multiple: int) -> Iterator[Tensor]:
    """Crops of a photograph in two sizes, ``[1, 3, h, w]``."""
    pixels = DATASETS.build({"type": "Photographs", "split": "val"}, 1).load(0).gt
    assert pixels is not None
    for sides in ((45, 61), (96, 40)):
        height, width = (-(-side // multiple) * multiple for side in sides)
        yield torch.from_numpy(pixels[:height, :width]).permute(2, 0, 1)[None].float() / 255


def _difference(network: nn.Module, session: Any, image: Tensor) -> float:
    (found,) = session.run(None, {"lq": image.numpy()})
    with torch.no_grad():
        return float((network(image) - torch.from_numpy(found)).abs().max())


def _weights(options: Options) -> Path:
    latest = Path(options.path.experiments_root) / options.name / "models" / "net_g_latest.pth"
    if not latest.is_file() and options.path.pretrain_network_g:
        return Path(options.path.pretrain_network_g)
    return latest  # load_weights says that it is missing


def _write(file: Path, code: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(code)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Without the graphs and advice that torch prints about a network it cannot translate."""
    streams = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    logging.disable()
    try:
        with streams[0], streams[1], warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


if __name__ == "__main__":
    raise SystemExit(main())
