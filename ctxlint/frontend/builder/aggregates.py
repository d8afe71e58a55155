# SPDX-License-Identifier: GPL-2.0-or-later
"""Braced initialisers: every value gets its place, with the current object moving as
C11 6.7.9 says."""

from __future__ import annotations

from typing import Any

from ctxlint.frontend.builder.builder import Builder
from ctxlint.ir.ops import Agg, Expr
from ctxlint.ir.types import TArray, TRecord, TypeId


class Slot:
    """A subobject being filled: members or elements by name or index.

    Members of an anonymous record are under ``@N``, N being its number.
    """

    __slots__ = ("items", "type")

    def __init__(self, type_: TypeId) -> None:
        self.type = type_
        self.items: dict[str | int, Expr | Slot] = {}


Path = list[tuple[Slot, int]]
"""The current subobject: slot, and number of the part within it, from the outermost."""
Part = tuple[str | int, TypeId]


def part(build: Builder[Any], type_: TypeId, at: int) -> Part | None:
    """The ``at``-th subobject, or None behind the last."""
    shape = build.types[type_]
    if isinstance(shape, TArray):
        return None if 0 <= shape.count <= at else (at, shape.of)
    assert isinstance(shape, TRecord)
    found = build.table.world.part(shape.key, at)
    return None if found is None else (found[0], build.table.local(found[1]))


def current(build: Builder[Any], path: Path) -> Part:
    """The part that a path ends with, which is there."""
    slot, at = path[-1]
    found = part(build, slot.type, at)
    assert found is not None
    return found


def advance(build: Builder[Any], path: Path) -> bool:
    """Go to the next subobject, leaving finished ones; False behind the last."""
    while path:
        slot, at = path[-1]
        done = at >= 0 and _is_union(build, slot)
        if not done and part(build, slot.type, at + 1) is not None:
            path[-1] = (slot, at + 1)
            return True
        if len(path) == 1:
            return False
        path.pop()
    return False


def put(build: Builder[Any], path: Path, value: Expr | Slot) -> None:
    """Give the current subobject its value."""
    slot = path[-1][0]
    if _is_union(build, slot):
        slot.items.clear()  # one member of a union has a value: the last given
    slot.items[current(build, path)[0]] = value


def inside(build: Builder[Any], path: Path) -> Slot:
    """The current subobject, to fill its parts one by one."""
    name, type_ = current(build, path)
    inner = path[-1][0].items.get(name)
    if isinstance(inner, Slot):
        return inner
    fresh = Slot(type_)
    if isinstance(inner, Agg):
        fresh.items.update(inner.items)
    put(build, path, fresh)
    return fresh


def finished(build: Builder[Any], slot: Slot) -> Agg:
    found: list[tuple[str | int, Expr]] = []
    for name, value in slot.items.items():
        e = finished(build, value) if isinstance(value, Slot) else value
        if isinstance(name, str) and name.startswith("@"):
            found.extend(e.items if isinstance(e, Agg) else ())
        else:
            found.append((name, e))
    type_, shape = slot.type, build.types[slot.type]
    if isinstance(shape, TArray):
        found.sort(key=lambda item: int(item[0]))
        if shape.count < 0 and found:
            type_ = build.table.intern(TArray(shape.of, int(found[-1][0]) + 1))
    return Agg(tuple(found), type_)


def _is_union(build: Builder[Any], slot: Slot) -> bool:
    shape = build.types[slot.type]
    return isinstance(shape, TRecord) and shape.key.startswith("union ")
