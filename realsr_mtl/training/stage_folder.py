"""A folder that work fills in stages, each of which knows what it was made with."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from realsr_mtl.errors import UserError
from realsr_mtl.writing import write_atomically

_SETTINGS = "settings.json"


class StageFolder:
    """Files of stages that can be gone on with, and ``settings.json``: what each was made with.

    Args:
        root: the folder.
        overwrite: discard results of other options instead of refusing to go on.
        stages: every stage and the patterns of its files; a stage rests on those before it.
        option: the option that names the folder, for error messages.
    """

    def __init__(
        self, root: Path, overwrite: bool, stages: Mapping[str, Sequence[str]], option: str
    ) -> None:
        self.root, self._overwrite = root, overwrite
        self._stages, self._option = stages, option

    def __truediv__(self, name: str) -> Path:
        return self.root / name

    def claim(self, stage: str, settings: Mapping[str, Any]) -> None:
        """Make sure that what is there of a stage was made with these settings.

        Raises:
            UserError: it was made with others.
        """
        wanted = json.loads(json.dumps(settings))
        known = self.read(_SETTINGS) or {}
        if known.get(stage) == wanted:
            return
        if not self._overwrite:
            self._check_nothing_is_lost(stage, known, wanted)
        order = list(self._stages)
        for name in order[order.index(stage) :]:
            known.pop(name, None)
            self.discard(*self._stages[name])
        self.write(_SETTINGS, {**known, stage: wanted})

    def _check_nothing_is_lost(self, stage: str, known: Mapping[str, Any], wanted: Any) -> None:
        advice = f"choose another {self._option}, or discard them with --overwrite"
        if stage in known:
            place, old, new = _first_difference(known[stage], wanted)
            raise UserError(
                f"'{self.root}' holds results for {place} = {old}, now it is {new}; {advice}"
            )
        found = [file for pattern in self._stages[stage] for file in self.root.glob(pattern)]
        if found:
            raise UserError(
                f"'{self.root / _SETTINGS}' does not say which options made '{found[0].name}' and "
                f"other results there; {advice}"
            )

    def discard(self, *patterns: str, keep: Collection[str] = ()) -> None:
        """Delete the files of the given names but some."""
        for pattern in patterns:
            for file in self.root.glob(pattern):
                if file.name not in keep:
                    file.unlink()

    def read(self, name: str) -> Any:
        """The content of a JSON file; None if it is not there.

        Raises:
            UserError: it is damaged.
        """
        try:
            return json.loads((self.root / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise UserError(f"'{self.root / name}' is damaged ({error}); remove it") from None

    def write(self, name: str, content: Any) -> None:
        """Write a JSON file, whole or not at all."""
        text = json.dumps(content, indent=1) + "\n"
        write_atomically(text.encode(), self.root / name)

    def write_text(self, name: str, text: str) -> None:
        """Write a text file, whole or not at all."""
        write_atomically(text.encode(), self.root / name)

    def lines(self, name: str) -> list[dict[str, Any]]:
        """The records of a JSON Lines file; a line that a kill cut off is dropped."""
        try:
            text = (self.root / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self.write_text(name, whole)
        try:
            return [json.loads(line) for line in whole.splitlines()]
        except ValueError as error:
            raise UserError(f"'{self.root / name}' is damaged ({error}); remove it") from None

    def append(self, name: str, records: list[dict[str, Any]]) -> None:
        """Add records to a JSON Lines file."""
        with (self.root / name).open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(record) + "\n" for record in records))


def _first_difference(old: Any, new: Any, place: str = "") -> tuple[str, Any, Any]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            if old.get(key) != new.get(key):
                inner = f"{place}:{key}" if place else key
                return _first_difference(old.get(key), new.get(key), inner)
    return place, old, new
