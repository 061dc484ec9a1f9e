"""List what an option file can name: networks with size, cost and limits, and everything else.

python scripts/list.py archs               # networks of this project, names of the others
python scripts/list.py archs --all         # basicsr's and spandrel's measured, too: minutes
python scripts/list.py archs --markdown    # write docs/archs.md, which has all of them
python scripts/list.py losses              # names of any other kind and what they are
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from realsr_mtl.archs import (  # noqa: E402
    ARCHS,
    DISCRIMINATORS,
    TaskHeads,
    build_network,
    count_parameters,
    limits,
)
from realsr_mtl.archs.limits import stated_limits  # noqa: E402
from realsr_mtl.archs.registry import foreign_names  # noqa: E402
from realsr_mtl.command import run_command  # noqa: E402
from realsr_mtl.data import DATASETS  # noqa: E402
from realsr_mtl.degradations import SAMPLERS  # noqa: E402
from realsr_mtl.errors import UserError  # noqa: E402
from realsr_mtl.losses import LOSSES  # noqa: E402
from realsr_mtl.metrics import METRICS  # noqa: E402
from realsr_mtl.registry import Registry  # noqa: E402
from realsr_mtl.strategies import GRADIENTS, GROUPINGS, SAMPLINGS, WEIGHTINGS  # noqa: E402
from realsr_mtl.tasks import TARGETS, TASK_SETS  # noqa: E402
from realsr_mtl.training.optimizers import OPTIMIZERS  # noqa: E402
from realsr_mtl.training.schedules import SCHEDULES  # noqa: E402

KINDS: dict[str, tuple[Registry[Any], ...]] = {
    "archs": (ARCHS, DISCRIMINATORS),
    "datasets": (DATASETS,),
    "samplers": (SAMPLERS,),
    "tasks": (TASK_SETS, TARGETS),
    "strategies": (GROUPINGS, SAMPLINGS, WEIGHTINGS, GRADIENTS),
    "losses": (LOSSES,),
    "metrics": (METRICS,),
    "optimizers": (OPTIMIZERS, SCHEDULES),
}

PAGE = ROOT / "docs" / "archs.md"

SIDE, SIDE_D = 64, 128
"""Sides of the images on which networks and discriminators are measured."""

SWIN = {"embed_dim": 180, "depths": [6] * 6, "num_heads": [6] * 6, "mlp_ratio": 2, "upscale": 4}
VARIANTS: dict[str, dict[str, Any]] = {
    "EDSR": {"num_feat": 256, "num_block": 32, "res_scale": 0.1},
    "HAT": {**SWIN, "window_size": 16, "upsampler": "pixelshuffle"},
    "RCAN": {"num_block": 20},
    "SwinIR": {**SWIN, "window_size": 8, "upsampler": "pixelshuffle"},
    "TaskHeads": {"trunk": {"type": "MSRResNet"}, "heads": {"task": {"scale": 4}}},
}
"""Options of published networks for x4 where those are not the defaults, and of our own."""

Table = list[tuple[str, ...]]


def own_networks() -> Table:
    """The networks of this project."""
    rows = [_row(ARCHS, name, SIDE) for name in ARCHS]
    return [("name", "weights (M)", f"GMAC at {SIDE}", "scale", *_LIMITS), *rows]


def discriminators() -> Table:
    """The discriminators."""
    rows = [_row(DISCRIMINATORS, name, SIDE_D) for name in DISCRIMINATORS]
    return [("name", "weights (M)", f"GMAC at {SIDE_D}", "logits", *_LIMITS), *rows]


def foreign_networks() -> tuple[Table, list[str]]:
    """Those of other libraries; and the names of those that cannot be measured as they are."""
    rows, others = [], []
    for name in sorted(set(foreign_names()) - set(ARCHS)):
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                row = _row(ARCHS, name, SIDE)
            except Exception:  # other people's networks fail in any way
                others.append(name)
            else:
                rows.append((*row, ARCHS.get(name).__module__.partition(".")[0]))
    return [(*own_networks()[0], "from"), *rows], others


_LIMITS = ("sides", "fp16", "channels_last")


def _row(registry: Registry[nn.Module], name: str, side: int) -> tuple[str, ...]:
    fields = registry.options(name).model_fields
    channels: dict[str, Any] = {k: 3 for k in ("num_in_ch", "num_out_ch") if k in fields}
    block: dict[str, Any] = {"type": name, **channels, **VARIANTS.get(name, {})}
    torch.manual_seed(0)  # a mixture of experts costs what its weights choose
    network = registry.build(block)
    if isinstance(network, TaskHeads):
        network = network.only(network.tasks[0])
    out, macs = _run(network.eval(), torch.zeros(1, 3, side, side))
    if not macs:
        raise UserError(f"{name} does nothing with these options")
    if stated_limits(network) is None:
        network = build_network(block, out.shape[-1] // side, seed=0)  # finds them by trial
    shape = f"x{out.shape[-1] // side}" if registry is ARCHS else _shape(out)
    asks = limits(network)
    sides = f"multiples of {asks.multiple}" if asks.multiple > 1 else ""
    if asks.smallest > asks.multiple:
        sides += f" from {asks.smallest}"
    marks = ("yes" if known else "-" for known in (asks.fp16, asks.channels_last))
    size = f"{count_parameters(network) / 1e6:.3f}"
    return name, size, f"{macs / 1e9:.2f}", shape, sides.strip() or "any", *marks


@torch.no_grad()
def _run(network: nn.Module, image: Tensor) -> tuple[Tensor, float]:
    """The output and the multiplications of convolutions and matrix products."""
    import torchvision.ops  # noqa: F401 - defines the operator below

    ours: dict[Any, Callable[..., int]] = {torch.ops.torchvision.deform_conv2d: _deformable}
    with FlopCounterMode(display=False, custom_mapping=ours) as counter:
        out: Tensor = network(image)
    return out, counter.get_total_flops() / 2


def _deformable(x: Any, weight: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
    """As many as those of a plain convolution."""
    batch, channels, height, width = out_shape
    return int(2 * batch * channels * height * width * weight[1] * weight[2] * weight[3])


def _shape(out: Tensor) -> str:
    return " x ".join(str(side) for side in out.shape[1:])


def page() -> str:
    """docs/archs.md."""
    foreign, others = foreign_networks()
    parts = [
        "# Networks",
        "Made by `python scripts/list.py archs --markdown`; do not edit. Options are in "
        "[options.md](options.md).",
        "GMAC are 10^9 multiplications of convolutions and matrix products, for one RGB image\n"
        "of that side. *Sides* are those that a network takes; images are extended by\n"
        "reflection to the next one. *fp16* marks networks that are known to do in float16;\n"
        "for others there is bfloat16. *channels_last* marks plain convolutions, which a GPU with\n"
        "tensor cores runs faster in that memory format.",
        "## Of this project (`network_g`)",
        markdown(own_networks()),
        "TaskHeads has the default MSRResNet as its trunk and one head for x4. The default\n"
        "NAFNet is small; the published ones are in its description.",
        "## Discriminators (`network_d`)",
        markdown(discriminators()),
        "## Of basicsr 1.4.2 and spandrel (`network_g`, by name)",
        "With their own default options, often those of no published network; EDSR (large),\n"
        "HAT, RCAN and SwinIR (classical) with the published ones for x4. Windows give the\n"
        "sides, a trial where there are none.",
        markdown(foreign),
        "These need options, or do not turn one RGB image into one:\n"
        + textwrap.fill(f"{', '.join(others)}.", 100),
    ]
    return "\n\n".join(parts) + "\n"


def markdown(table: Table) -> str:
    """A table of Markdown."""
    heading, *rows = (f"| {' | '.join(row)} |" for row in table)
    return "\n".join([heading, "|---" * len(table[0]) + "|", *rows])


def aligned(table: Table) -> str:
    """A table of plain text."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)
    return "\n".join(lines)


def archs(everything: bool) -> Iterator[str]:
    """What ``list.py archs`` prints, part by part."""
    yield aligned(own_networks())
    yield aligned(discriminators())
    if everything:
        foreign, others = foreign_networks()
        yield aligned(foreign)
        yield f"cannot be measured without further options: {', '.join(others)}"
    else:
        names = sorted(set(foreign_names()) - set(ARCHS))
        yield f"of basicsr and spandrel, by name (--all measures them): {', '.join(names)}"


def names(kind: str) -> Iterator[str]:
    """Names and first lines of documentation."""
    for registry in KINDS[kind]:
        yield aligned([(name, registry.describe(name)) for name in registry])


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--all", action="store_true", help="measure other libraries' networks, too")
    parser.add_argument("--markdown", action="store_true", help="write docs/archs.md")
    arguments = parser.parse_args(argv)
    if (arguments.all or arguments.markdown) and arguments.kind != "archs":
        parser.error("--all and --markdown go with archs")

    def command() -> int:
        if arguments.markdown:
            PAGE.write_text(page(), encoding="utf-8")
            print(f"wrote {PAGE.relative_to(ROOT)}")
            return 0
        parts = archs(arguments.all) if arguments.kind == "archs" else names(arguments.kind)
        print("\n\n".join(parts))
        return 0

    return run_command(command)


if __name__ == "__main__":
    raise SystemExit(main())
