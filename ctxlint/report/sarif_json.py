# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes sarif-om objects as JSON.

sarif-om's classes are attrs classes whose fields carry the property name of the
format in their metadata. The serialiser that is published beside it drops every
value that equals its default, so a level of ``warning`` disappears and consumers
apply defaults of their own; this one never drops a level.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import attr

_ALWAYS = frozenset({"level"})


def to_json(log: Any) -> str:
    """The sarif-om object ``log`` as indented ASCII JSON, ending in a line break."""
    return json.dumps(_value(log), indent=2, ensure_ascii=True) + "\n"


def _value(item: Any) -> Any:
    if attr.has(type(item)):
        return _object(item)
    if isinstance(item, dict):
        return {key: _value(value) for key, value in item.items()}
    if isinstance(item, (list, tuple)):
        return [_value(value) for value in item]
    return item


def _object(item: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    kind: Any = type(item)
    for attribute, name, default in _fields(kind):
        value = getattr(item, attribute)
        if value is None or (name not in _ALWAYS and _same(value, default)):
            continue
        fields[name] = _value(value)
    return fields


@cache
def _fields(kind: type) -> tuple[tuple[str, str, Any], ...]:
    """Attribute, name in the format and default of each field of a class."""
    rows = []
    for field in attr.fields(kind):
        default: Any = field.default
        if isinstance(default, attr.Factory):  # type: ignore[arg-type]
            default = default.factory()
        rows.append((field.name, field.metadata["schema_property_name"], default))
    return tuple(rows)


def _same(value: Any, default: Any) -> bool:
    # 0 == False and 1 == True: equal values of another type are no default.
    return type(value) is type(default) and bool(value == default)
