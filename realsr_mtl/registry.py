"""The registry: names in option files to classes, with every key checked before anything is built.

A registered class takes *runtime objects* (device, task set, scale, ...) as positional
parameters and *options* as keyword-only parameters. The keyword-only signature is the one source
of an option block: its names, types and defaults are checked with pydantic, listed in the option
reference and written to the editor schema.
"""

from __future__ import annotations

import inspect
import itertools
import re
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from realsr_mtl.errors import OptionError, UserError, shown, suggest

T = TypeVar("T")
Factory = Callable[..., Any]


class Registry(Generic[T]):
    """Named factories of one kind of object.

    Args:
        kind: what the entries are, in the words of an error message ("network").
        lookup: called with a name that is not registered; returns a factory from another library
            or None. All parameters of such a factory count as options.
        others: the names that ``lookup`` knows, for suggestions.
    """

    def __init__(
        self,
        kind: str,
        lookup: Callable[[str], Factory | None] | None = None,
        others: Callable[[], list[str]] = list,
    ) -> None:
        self.kind = kind
        self._lookup = lookup
        self._others = others
        self._factories: dict[str, Factory] = {}
        self._aliases: dict[str, str] = {}

    def register(self, name: str | None = None, *, aliases: Sequence[str] = ()) -> Any:
        """Class decorator. The class name is the registered name unless ``name`` is given."""

        def add(factory: Factory) -> Factory:
            own = name or factory.__name__
            taken = {own, *aliases} & {*self._factories, *self._aliases}
            if taken:
                raise ValueError(f"{self.kind} '{taken.pop()}' is registered twice")
            self._factories[own] = factory
            self._aliases.update(dict.fromkeys(aliases, own))
            return factory

        return add

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._factories))

    def __contains__(self, name: str) -> bool:
        return name in self._factories or name in self._aliases

    def aliases(self, name: str) -> list[str]:
        """The other names of a registered name."""
        return sorted(a for a, own in self._aliases.items() if own == name)

    def get(self, name: str, path: Sequence[str | int] = ()) -> Factory:
        """Return the factory of a name or raise an `OptionError` with the nearest names."""
        factory = self._factories.get(self._aliases.get(name, name))
        if factory is None and self._lookup is not None:
            factory = self._lookup(name)
        if factory is None:
            known = [*self._factories, *self._aliases]
            hint = suggest(name, known, self._others())
            raise OptionError(f"no {self.kind} is called '{name}'{hint}", (*path, "type"))
        return factory

    def describe(self, name: str) -> str:
        """First line of the docstring of an entry."""
        doc = inspect.getdoc(self.get(name)) or ""
        return doc.split("\n", 1)[0]

    def options(self, name: str, path: Sequence[str | int] = ()) -> type[BaseModel]:
        """The options of an entry as a pydantic model (names, types, defaults, descriptions)."""
        factory = self.get(name, path)
        own = name in self
        texts = argument_texts(factory)
        annotations = _annotations(factory) if own else {}
        fields: dict[str, Any] = {}
        for parameter in option_parameters(factory, keyword_only=own):
            annotation = annotations.get(parameter.name, Any)
            required = parameter.default is inspect.Parameter.empty
            fields[parameter.name] = (
                annotation,
                Field(
                    ... if required else parameter.default,
                    description=texts.get(parameter.name),
                ),
            )
        config = ConfigDict(
            extra="forbid",
            arbitrary_types_allowed=True,
            protected_namespaces=(),
            allow_inf_nan=False,
        )
        return create_model(f"{name}Options", __config__=config, **fields)

    def check(
        self, block: Mapping[str, Any], path: Sequence[str | int] = (), known: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Check a ``{type: ..., key: value}`` block; return it with types converted and defaults.

        Args:
            block: the block of the option file.
            path: where it stands, for the error message.
            known: further keys that the same block accepts, for the error message only.

        Raises:
            OptionError: unknown name, unknown key, missing key or a value of the wrong type.
        """
        name = str(block["type"])
        model = self.options(name, path)
        given = {key: value for key, value in block.items() if key != "type"}
        for key in given:
            if key not in model.model_fields:
                accepted = [*model.model_fields, *known, "type"]
                raise OptionError(
                    f"unknown key for {self.kind} '{name}'{suggest(str(key), accepted)}",
                    (*path, key),
                )
        try:
            values = model(**given)
        except ValidationError as error:
            raise first_error(error, path) from None
        return {"type": name, **{key: getattr(values, key) for key in model.model_fields}}

    def build(self, block: Mapping[str, Any], *runtime: Any, path: Sequence[str | int] = ()) -> T:
        """Check a block and call its factory with the runtime objects and the options."""
        options = self.check(block, path)
        factory = self.get(options.pop("type"), path)
        try:
            return typing.cast(T, factory(*runtime, **options))
        except OptionError as error:
            raise OptionError(error.message, (*path, *error.path)) from None
        except UserError:
            raise
        except (ValueError, TypeError, AssertionError) as error:
            raise OptionError(f"{block['type']} refuses these options: {error}", path) from error


def option_parameters(factory: Factory, keyword_only: bool) -> list[inspect.Parameter]:
    """The parameters of a factory that an option file may set.

    A class whose constructor takes ``**others`` has the options of its base class, too.
    """
    kinds = [inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD]
    accepted = kinds[:1] if keyword_only else kinds
    found: dict[str, inspect.Parameter] = {}
    for part in _lineage(factory):
        for name, parameter in inspect.signature(part).parameters.items():
            if parameter.kind in accepted:
                found.setdefault(name, parameter)
    return list(found.values())


def _lineage(factory: Factory) -> Iterator[Factory]:
    """A factory and, as long as they pass ``**others`` on, the constructors of its bases."""
    yield factory
    if not inspect.isclass(factory):
        return
    owners = [c for c in factory.__mro__ if inspect.isfunction(vars(c).get("__init__"))]
    if owners and owners[0] is not factory:
        yield owners[0]
    for owner, base in itertools.pairwise(owners):
        parameters = inspect.signature(owner).parameters.values()
        if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
            return
        yield base


def argument_texts(factory: Factory) -> dict[str, str]:
    """The ``Args:`` entries of a docstring, name to text; those of a base class as it applies."""
    texts: dict[str, str] = {}
    for part in _lineage(factory):
        texts = {**_own_texts(part), **texts}
    return texts


def _own_texts(factory: Factory) -> dict[str, str]:
    doc = inspect.getdoc(factory) or ""
    section = re.search(r"^Args:\n((?:[ ]+.*\n?|\n)*)", doc, re.MULTILINE)
    texts: dict[str, str] = {}
    name = ""
    for line in section.group(1).splitlines() if section else []:
        entry = re.match(r"^ {4}(\w+): (.*)$", line)
        if entry:
            name = entry.group(1)
            texts[name] = entry.group(2).strip()
        elif name and line.strip():
            texts[name] += " " + line.strip()
    return texts


def first_error(error: ValidationError, path: Sequence[str | int] = ()) -> OptionError:
    """Turn pydantic's first complaint into one sentence with the place.

    A value that fits no member of a union has one complaint for each; those that got furthest
    into the value are put together.
    """
    details = [(_key_path(d["loc"]), d) for d in error.errors(include_url=False)]
    first = details[0][0]
    place = max((p for p, _ in details if p[: len(first)] == first), key=len)
    same = [detail for p, detail in details if p == place]
    if same[0]["type"] == "missing":
        return OptionError("this key is required", (*path, *place))
    messages = [_complaint(detail) for detail in same]
    if same[0]["type"] == "value_error":
        return OptionError(messages[0], (*path, *place))
    others = [m.removeprefix("Input should be ") for m in messages[1:]]
    message = " or ".join(dict.fromkeys([messages[0], *others]))
    found = f"found {shown(same[0]['input'])}"
    return OptionError(f"{message[0].lower()}{message[1:]}, {found}", (*path, *place))


_UNION_MEMBERS = {
    n for kind in ("bool", "int", "float", "str") for n in (kind, f"constrained-{kind}")
}


def _key_path(loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """The keys of a pydantic location, which also names the members of unions it tried."""
    return tuple(
        p for p in loc if isinstance(p, int) or not (p.endswith("]") or p in _UNION_MEMBERS)
    )


def _complaint(detail: Mapping[str, Any]) -> str:
    if detail["type"] in ("model_type", "dict_type"):
        return "Input should be a block of 'key: value' lines"
    if detail["type"] == "extra_forbidden":
        return "Unknown key"
    return str(detail["msg"]).removeprefix("Value error, ").partition(", unable to parse")[0]


def _annotations(factory: Factory) -> dict[str, Any]:
    hints: dict[str, Any] = {}
    for part in _lineage(factory):
        target = part.__init__ if inspect.isclass(part) else part  # type: ignore[misc]
        hints = {**typing.get_type_hints(target, include_extras=True), **hints}
    return hints
