"""Writing options so that the reader gives back the same values."""

from __future__ import annotations

from typing import Any

import yaml

from realsr_mtl.config.reader import SCALARS


class _Dumper(yaml.SafeDumper):
    """Safe dumper that quotes what the reader would take for a number."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own protocol

    def ignore_aliases(self, data: Any) -> bool:
        """Write a list that stands in two places twice, not as an anchor."""
        return True


for _tag, _pattern, _first in SCALARS:
    _Dumper.add_implicit_resolver(_tag, _pattern, _first)


def format_yaml(value: Any) -> str:
    """YAML text of plain dictionaries, lists, strings, numbers, booleans and None."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
