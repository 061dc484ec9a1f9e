"""Write the reference pages and the editor schema.

docs/options.md and docs/options.schema.json come from the pydantic models of the option file and
from the signatures and docstrings of the registered classes, docs/degradations.md from the spaces
that the samplers describe; nothing is written by hand.

    python scripts/make_option_reference.py            # write the files
    python scripts/make_option_reference.py --check    # exit with status 1 if they are out of date
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pydantic import BaseModel  # noqa: E402
from pydantic.fields import FieldInfo  # noqa: E402

from realsr_mtl.archs import ARCHS, DISCRIMINATORS  # noqa: E402
from realsr_mtl.config.schema import Component, DatasetOptions, FamilyOptions, Options  # noqa: E402
from realsr_mtl.data import DATASETS  # noqa: E402
from realsr_mtl.degradations import SAMPLERS  # noqa: E402
from realsr_mtl.losses import LOSSES  # noqa: E402
from realsr_mtl.metrics import METRICS  # noqa: E402
from realsr_mtl.registry import Registry  # noqa: E402
from realsr_mtl.strategies import GRADIENTS, GROUPINGS, SAMPLINGS, WEIGHTINGS  # noqa: E402
from realsr_mtl.tasks import TARGETS, TASK_SETS  # noqa: E402
from realsr_mtl.training.optimizers import OPTIMIZERS  # noqa: E402
from realsr_mtl.training.schedules import SCHEDULES  # noqa: E402

REGISTRIES: dict[str, tuple[Registry[Any], bool]] = {
    "datasets.*": (DATASETS, False),
    "degradation": (SAMPLERS, False),
    "tasks": (TASK_SETS, False),
    "targets.*": (TARGETS, False),
    "strategy.grouping": (GROUPINGS, False),
    "strategy.sampling": (SAMPLINGS, False),
    "strategy.weighting": (WEIGHTINGS, False),
    "strategy.gradients": (GRADIENTS, False),
    "network_g": (ARCHS, True),
    "seal.acceptance": (ARCHS, True),
    "seal.families.*": (SAMPLERS, False),
    "network_d": (DISCRIMINATORS, False),
    "train.optim_g": (OPTIMIZERS, True),
    "train.optim_d": (OPTIMIZERS, True),
    "train.scheduler": (SCHEDULES, False),
    "train.pixel_opt": (LOSSES, False),
    "train.perceptual_opt": (LOSSES, False),
    "train.gan_opt": (LOSSES, False),
    "train.ldl_opt": (LOSSES, False),
    "train.contrastive_opt": (LOSSES, False),
    "train.losses.*": (LOSSES, False),
    "val.metrics.*": (METRICS, False),
}
"""Place of a block to its registry, and whether other libraries' names are accepted too."""

COMMON: dict[str, type[BaseModel]] = {
    "datasets.*": DatasetOptions,
    "seal.families.*": FamilyOptions,
}
"""Places whose blocks have keys beside those of the class."""


def reference() -> str:
    """The reference page."""
    parts = [
        "# Option reference",
        "Made by `python scripts/make_option_reference.py` from the code; do not edit.",
        "`key:key=value` after `--force_yml` changes any of them from the command line.",
        "## Blocks",
        *_block_sections(Options, "top level"),
        "## Types",
        "Blocks with a `type` key take the options of the class they name.",
    ]
    for registry, open_ended in dict.fromkeys(REGISTRIES.values()):
        places = [p.replace(".", ":") for p, (own, _) in REGISTRIES.items() if own is registry]
        parts.append(f"### {registry.kind}: {', '.join(f'`{place}`' for place in places)}")
        if open_ended:
            parts.append(_others(registry))
        parts += [_class_section(registry, name) for name in registry]
    return "\n\n".join(parts) + "\n"


def degradations() -> str:
    """The parameters of every degradation space, at its default options."""
    parts = [
        "# Degradation spaces",
        "Made by `python scripts/make_option_reference.py` from the code; do not edit.",
        "Every sample has a record of these parameters (`null` where its draw has none), besides "
        "the seeds of its noise. A cut of a task set, a region and a record name them. Ranges are "
        "those of the default options at scale 4; equal ends mean a fixed value.",
    ]
    for name in SAMPLERS:
        module = inspect.getmodule(SAMPLERS.get(name))
        space = SAMPLERS.build({"type": name}, 4).space
        rows = ["| parameter | unit | from | to | meaning |", "|---|---|---|---|---|"]
        for key, bounds in space.ranges().items():
            parameter = space.parameters[key]
            ends = ["-", "-"] if bounds is None else [f"{bound:.5g}" for bound in bounds]
            rows.append(f"| `{key}` | {parameter.unit} | {' | '.join(ends)} | {parameter.text} |")
        parts += [f"## {name}", inspect.getdoc(module) or "", "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def schema() -> dict[str, Any]:
    """The JSON schema of an option file; closed inside registered types too."""
    result = Options.model_json_schema()
    definitions = result["$defs"]
    for place, (registry, open_ended) in REGISTRIES.items():
        common = COMMON.get(place)
        name = "family block" if common is FamilyOptions else f"{registry.kind} block"
        blocks = [_type_schema(registry, n, definitions, common) for n in registry]
        definitions[name] = {"anyOf": blocks}
        if open_ended:
            known = [n for own in registry for n in (own, *registry.aliases(own))]
            definitions[name]["anyOf"].append(
                {"type": "object", "properties": {"type": {"not": {"enum": known}}}}
            )
        _point_to(result, definitions, place, name)
    result["title"] = "realsr_mtl option file"
    return result


def _block_sections(model: type[BaseModel], title: str) -> Iterator[str]:
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    inner: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        rows.append(f"| `{name}` | {_type_text(field)} | {_default(field)} | {field.description} |")
        inner += [(name, m) for m in _models(field.annotation) if m is not Component]
    yield f"### {title}"
    yield "\n".join(rows)
    for name, block in inner:
        place = f"{name}:*" if block in COMMON.values() else name
        yield from _block_sections(block, place if title == "top level" else f"{title}:{place}")


def _class_section(registry: Registry[Any], name: str) -> str:
    doc = inspect.getdoc(registry.get(name)) or ""
    text = doc.split("\nArgs:", 1)[0].strip()
    aliases = registry.aliases(name)
    heading = f"#### {name}" + (f" (also {', '.join(aliases)})" if aliases else "")
    rows = [
        f"| `{key}` | {_type_text(field)} | {_default(field)} | {field.description} |"
        for key, field in registry.options(name).model_fields.items()
    ]
    if rows:
        rows[:0] = ["| option | type | default | meaning |", "|---|---|---|---|"]
    return "\n\n".join(part for part in (heading, text, "\n".join(rows)) if part)


def _others(registry: Registry[Any]) -> str:
    if registry is ARCHS:
        return (
            "Any other name is looked up in basicsr (`SwinIR`, `EDSR`, `RCAN`, ...) and then in "
            "spandrel (`HAT`, `DAT`, `SPAN`, ...), with that library's options."
        )
    return "Any other class of `torch.optim` by its name, with torch's options."


def _models(annotation: Any) -> list[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for argument in get_args(annotation) for m in _models(argument)]


def _type_text(field: FieldInfo) -> str:
    return _words(field.annotation)


def _words(annotation: Any) -> str:
    """A type in words that do not depend on the Python version."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in (None, type(None)):
        return "empty"
    if origin is Annotated:
        return _words(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_words(argument) for argument in arguments)
    if origin is dict or annotation is dict:
        return "mapping"
    if origin in (list, tuple):
        fixed = origin is tuple and Ellipsis not in arguments
        inner = [_words(argument) for argument in arguments if argument is not Ellipsis]
        return f"[{', '.join(inner)}]" if fixed else f"list of {inner[0]}"
    if _models(annotation):
        return "block"
    return {"str": "text", "int": "integer", "float": "number", "bool": "true, false"}.get(
        getattr(annotation, "__name__", ""), "any"
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return "its defaults"
    value = field.default
    if isinstance(value, tuple):
        value = list(value)
    return "none" if value is None else f"`{json.dumps(value)}`"


def _type_schema(
    registry: Registry[Any],
    name: str,
    definitions: dict[str, Any],
    common: type[BaseModel] | None,
) -> dict[str, Any]:
    own = registry.options(name).model_json_schema()
    definitions.update(own.pop("$defs", {}))
    properties = {"type": {"enum": [name, *registry.aliases(name)]}, **own.get("properties", {})}
    if common is not None:
        properties |= {
            key: value
            for key, value in common.model_json_schema()["properties"].items()
            if key != "type"
        }
    return {
        "type": "object",
        "description": registry.describe(name),
        "properties": properties,
        "required": ["type", *own.get("required", [])],
        "additionalProperties": False,
    }


def _point_to(result: dict[str, Any], definitions: dict[str, Any], place: str, name: str) -> None:
    """Let the property at ``place`` accept the block ``name`` (or null where it may be empty)."""
    node, target = result, {"$ref": f"#/$defs/{name}"}
    *path, last = place.split(".")
    for key in path:
        node = _resolved(node["properties"][key], definitions)
    if last == "*":
        node["additionalProperties"] = target
    else:
        required = last in node.get("required", [])
        node["properties"][last] = target if required else {"anyOf": [target, {"type": "null"}]}


def _resolved(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    for option in (node, *node.get("anyOf", [])):
        if "$ref" in option:
            found: dict[str, Any] = definitions[option["$ref"].rsplit("/", 1)[1]]
            return found
    return node


def main() -> int:
    """Write or check the files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="only compare, write nothing")
    arguments = parser.parse_args()
    files = {
        ROOT / "docs" / "options.md": reference(),
        ROOT / "docs" / "degradations.md": degradations(),
        ROOT / "docs" / "options.schema.json": json.dumps(schema(), indent=1) + "\n",
    }
    stale = [
        f for f, text in files.items() if not f.is_file() or f.read_text(encoding="utf-8") != text
    ]
    if arguments.check:
        for file in stale:
            print(f"{file.relative_to(ROOT)} is out of date; run {Path(__file__).name}")
        return 1 if stale else 0
    for file, text in files.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print(f"wrote {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
