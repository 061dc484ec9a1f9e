"""From a file and overrides to checked options, with errors that name the line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from realsr_mtl.config.compatibility import translate
from realsr_mtl.config.overrides import apply_overrides, parse_override
from realsr_mtl.config.reader import Lines, read_yaml
from realsr_mtl.config.schema import Component, Options
from realsr_mtl.errors import CONTROL, KeyPath, OptionError, UserError, shown, suggest
from realsr_mtl.registry import first_error

_LARGEST = 2**63 - 1  # of torch's and NumPy's numbers
_LONGEST = 4096  # of the paths of operating systems


@dataclass(frozen=True)
class LoadedOptions:
    """Options and where they came from.

    Attributes:
        options: the checked options.
        warnings: sentences for the user, e.g. about keys that BasicSR never reads.
        file: the option file.
        overrides: the ``--force_yml`` texts that were applied.
    """

    options: Options
    warnings: list[str]
    file: Path
    overrides: list[str]
    _lines: Lines
    _moved: Mapping[KeyPath, KeyPath]

    @contextmanager
    def located(self) -> Iterator[None]:
        """Add file and line to an `OptionError` raised inside."""
        with _located(self.file, self._lines, self._moved, self.overrides):
            yield


def load_options(file: Path, overrides: Sequence[str] = (), debug: bool = False) -> LoadedOptions:
    """Read, translate, override and check an option file.

    Args:
        file: the YAML file, ours, BasicSR's or Real-ESRGAN's.
        overrides: ``a:b=value`` texts, applied in order.
        debug: prefix ``debug_`` to the name and validate, save and log often.

    Raises:
        UserError: anything wrong with the file; the sentence names file, line and key.
    """
    raw, lines = read_yaml(file)
    moved: dict[KeyPath, KeyPath] = {}
    with _located(file, lines, moved, overrides):
        _check_values(raw, ())
        translation = translate(raw)
        moved.update(translation.moved)
        if overrides:
            warnings = translation.warnings
            changed = apply_overrides(translation.options, overrides)
            _check_values(changed, ())
            translation = translate(changed, overridden=True)
            translation.warnings[:] = dict.fromkeys([*warnings, *translation.warnings])
            moved.update(translation.moved)
        _reject_unknown_keys(Options, translation.options, ())
        try:
            options = Options.model_validate(translation.options)
        except ValidationError as error:
            raise first_error(error) from None
        if debug:
            options = _debug(options)
    return LoadedOptions(options, translation.warnings, file, list(overrides), lines, moved)


def _check_values(value: Any, path: KeyPath) -> None:
    """Refuse what no option can mean: text that would break a line of a log, endless numbers."""
    if isinstance(value, str) and (wrong := CONTROL.search(value)):
        raise OptionError(f"the text holds a control character, {wrong[0]!r}", path)
    if isinstance(value, str) and len(value) > _LONGEST:
        raise OptionError(f"the text has more than {_LONGEST:,} characters: {shown(value)}", path)
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise OptionError(f"{shown(value)} is too large; whole numbers go up to {_LARGEST}", path)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if CONTROL.search(key):
                raise OptionError("the name of a key holds a control character", (*path, key))
            _check_values(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            _check_values(inner, (*path, place))


def _reject_unknown_keys(model: type[BaseModel], value: Any, path: KeyPath) -> None:
    """Walk the closed blocks; an unknown key is an error naming the nearest and the known ones."""
    if not isinstance(value, Mapping):
        return
    closed = not issubclass(model, Component)
    for key, inner in value.items():
        if key not in model.model_fields:
            if closed:
                known = model.model_fields
                raise OptionError(f"unknown key{suggest(str(key), known)}", (*path, key))
            continue
        annotation = model.model_fields[key].annotation
        for inner_model in _block_types(annotation):
            if getattr(annotation, "__origin__", None) is dict:
                for name, block in inner.items() if isinstance(inner, Mapping) else ():
                    _reject_unknown_keys(inner_model, block, (*path, key, name))
            else:
                _reject_unknown_keys(inner_model, inner, (*path, key))


def _block_types(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for argument in get_args(annotation) for m in _block_types(argument)]


def _debug(options: Options) -> Options:
    name = options.name if options.name.startswith("debug_") else f"debug_{options.name}"
    logger = options.logger.model_copy(
        update={"print_freq": 1, "save_checkpoint_freq": 8, "use_tb_logger": False}
    )
    val = options.val.model_copy(update={"val_freq": 8}) if options.val else None
    return options.model_copy(update={"name": name, "logger": logger, "val": val})


@contextmanager
def _located(
    file: Path, lines: Lines, moved: Mapping[KeyPath, KeyPath], overrides: Sequence[str]
) -> Iterator[None]:
    try:
        yield
    except OptionError as error:
        raise UserError(f"{_place(error.path, file, lines, moved, overrides)}: {error}") from None


def _place(
    path: KeyPath,
    file: Path,
    lines: Lines,
    moved: Mapping[KeyPath, KeyPath],
    overrides: Sequence[str],
) -> str:
    prefixes = [path[:length] for length in range(len(path), 0, -1)]
    written = [(at, lines.get(moved.get(at, at))) for at in prefixes]
    depth, line = next(((len(at), line) for at, line in written if line), (0, None))
    old_spellings = [moved[at] for at in prefixes if at in moved]
    for text in reversed(overrides):  # of two for one key the last counts
        given = parse_override(text)[0]
        meant = any(_shared(given, s) == len(given) for s in (path, *old_spellings))
        if meant or _shared(given, path) > depth:
            return f"--force_yml {shown(text)}"
    return f"{file}, line {line}" if line else str(file)


def _shared(given: KeyPath, path: KeyPath) -> int:
    """How many keys two paths have in common at their beginning."""
    pairs = zip(given, map(str, path), strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(given), len(path)))
