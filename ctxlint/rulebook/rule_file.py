# SPDX-License-Identifier: GPL-2.0-or-later
"""A file of rules: YAML into the types of the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from ctxlint.base.errors import RuleError


class _Nodes(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
    """Composes nodes without guessing what a word is: ``on`` is a word here, and msgspec
    makes numbers where the schema has them. Reading rules is mostly this."""

    def resolve(self, kind: object, value: object, implicit: object) -> str:
        return ""

    def descend_resolver(self, parent: object, index: object) -> None:
        """No tags by path."""

    def ascend_resolver(self) -> None:
        """No tags by path."""


def _plain(node: Any, shown: str) -> Any:
    """Nodes as dictionaries, lists and text; a key that is there twice is an error."""
    value = node.value
    if isinstance(value, str):
        return value
    if not isinstance(node, yaml.MappingNode):
        return [_plain(item, shown) for item in value]
    result = {key.value: _plain(item, shown) for key, item in value}
    if len(result) != len(value):
        line = node.start_mark.line + 1
        raise RuleError(f"{shown}:{line}: a key is there twice in this mapping")
    return result


def _read(path: Path, shown: str) -> Any:
    with path.open("rb") as stream:
        loader = _Nodes(stream)
        try:
            node = loader.get_single_node()
            return {} if node is None else _plain(node, shown)
        finally:
            loader.dispose()


def parsed(path: Path, shown: str) -> Any:
    """What is in a YAML file; ``shown`` is what messages call it. Raises RuleError."""
    try:
        return _read(path, shown)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise RuleError(f"{shown}{line}: {getattr(error, 'problem', error)}") from error
    except OSError as error:
        raise RuleError(f"{shown}: {error.strerror}") from error


def converted(path: Path, shown: str, kind: Any) -> Any:
    """A YAML file as the type ``kind`` of the schema. Raises RuleError."""
    data = parsed(path, shown)
    try:
        return msgspec.convert(data, kind, strict=False)
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at `")
        where = where.rstrip("`").removeprefix("$").removeprefix(".")
        raise RuleError(f"{shown}: {where}: {text}" if where else f"{shown}: {text}") from error
