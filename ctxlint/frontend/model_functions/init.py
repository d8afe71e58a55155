# SPDX-License-Identifier: GPL-2.0-or-later
"""Initialisers of model files: every value gets its place, with the current
object moving as C11 6.7.9 says."""

from __future__ import annotations

from typing import Any

from ctxlint.frontend.model_functions import literals
from ctxlint.frontend.model_functions.expr import Expressions
from ctxlint.ir.ops import (
    Addr,
    Agg,
    Bin,
    Cast,
    Const,
    Deref,
    Expr,
    Field,
    Func,
    Global,
    Index,
    Str,
)
from ctxlint.ir.types import TArray, TInt, TPtr, TRecord, TypeId


class _Slot:
    """A subobject being filled: members or elements by name or index.

    Members of an anonymous record are under ``@N``, N being its number.
    """

    def __init__(self, type_: TypeId) -> None:
        self.type = type_
        self.items: dict[str | int, Expr | _Slot] = {}


_Path = list[tuple[_Slot, int]]  # the current subobject: slot, number of the part within it


class Initialisers(Expressions):
    def initialiser(self, node: Any, type_: TypeId) -> Expr:
        """The value of an initialiser for an object of ``type_``."""
        shape = self.types[type_]
        items = node.exprs if type(node).__name__ == "InitList" else None
        if isinstance(shape, TArray):
            text = node if items is None else items[0] if len(items) == 1 else None
            if _is_string(text):
                return self._text(text, shape, type_)
            if items is None:
                self.fail(node, "an array needs values in braces")
        elif items is None:
            return self.assignable(self.value(node), type_, node, "initialiser")
        elif not isinstance(shape, TRecord):
            if len(items) != 1:
                self.fail(node, f"{len(items)} values for one {self.type_name(type_)}")
            return self.initialiser(items[0], type_)
        if isinstance(shape, TRecord) and self.world.layout(shape.key) is None:
            self.fail(node, f"{shape.key} is not defined here")
        slot = _Slot(type_)
        self._fill(slot, items)
        return self._finished(slot)

    def literal_object(self, node: Any) -> Expr:
        return self.unit.compound_literal(self, node)

    def _text(self, node: Any, shape: TArray, type_: TypeId) -> Expr:
        element = self.types[shape.of]
        if not isinstance(element, TInt) or element.bits != 8 or self.is_bool(shape.of):
            self.fail(node, f"a string for {self.type_name(type_)}")
        try:
            data = literals.string(node.value)
        except ValueError as error:
            self.fail(node, str(error))
        if 0 <= shape.count < len(data):
            self.fail(node, f"{len(data)} characters for an array of {shape.count}")
        if shape.count < 0:
            type_ = self.table.intern(TArray(shape.of, len(data) + 1))
        return Str(data, type_)

    def _finished(self, slot: _Slot) -> Agg:
        found: list[tuple[str | int, Expr]] = []
        for name, value in slot.items.items():
            e = self._finished(value) if isinstance(value, _Slot) else value
            if isinstance(name, str) and name.startswith("@"):
                found.extend(e.items if isinstance(e, Agg) else ())
            else:
                found.append((name, e))
        shape = self.types[slot.type]
        if not isinstance(shape, TArray):
            return Agg(tuple(found), slot.type)
        found.sort(key=lambda item: int(item[0]))
        type_ = slot.type
        if shape.count < 0 and found:
            type_ = self.table.intern(TArray(shape.of, int(found[-1][0]) + 1))
        return Agg(tuple(found), type_)

    # the current object

    def _part(self, type_: TypeId, at: int) -> tuple[str | int, TypeId] | None:
        """The ``at``-th subobject, or None behind the last."""
        shape = self.types[type_]
        if isinstance(shape, TArray):
            return None if 0 <= shape.count <= at else (at, shape.of)
        assert isinstance(shape, TRecord)
        layout = self.world.layout(shape.key)
        if layout is None or at >= len(layout.members):
            return None
        member = layout.members[at]
        return member.name or f"@{at}", self.table.local(member.type)

    def _fill(self, slot: _Slot, items: list[Any]) -> None:
        path: _Path = [(slot, -1)]
        for item in items:
            if type(item).__name__ == "NamedInitializer":
                path = self._designate(slot, list(item.name))
                item = item.expr
                self._place(path, item, designated=True)
            elif self._next(path):
                self._place(path, item)
            else:
                self.fail(item, f"more values than {self.type_name(slot.type)} has parts")

    def _next(self, path: _Path) -> bool:
        """Advance to the next subobject, leaving finished ones."""
        while path:
            slot, at = path[-1]
            shape = self.types[slot.type]
            union = isinstance(shape, TRecord) and shape.key.startswith("union ")
            if not (union and at >= 0) and self._part(slot.type, at + 1) is not None:
                path[-1] = (slot, at + 1)
                return True
            if len(path) == 1:
                return False
            path.pop()
        return False

    def _place(self, path: _Path, node: Any, *, designated: bool = False) -> None:
        """Put a value at the current subobject, going down into aggregates
        whose braces were left out."""
        braces = type(node).__name__ == "InitList"
        while True:
            slot, at = path[-1]
            part = self._part(slot.type, at)
            assert part is not None
            name, type_ = part
            shape = self.types[type_]
            down = isinstance(shape, TArray | TRecord) and not braces
            if down and isinstance(shape, TArray) and _is_string(node):
                element = self.types[shape.of]
                down = not (isinstance(element, TInt) and element.bits == 8)
            elif down and isinstance(shape, TRecord):
                down = not self.same(self.type_of(self.discarded(node)), type_)
            if not down:
                self._store(slot, name, self.initialiser(node, type_))
                return
            path.append((self._sub(slot, name, type_), 0))

    def _store(self, slot: _Slot, name: str | int, value: Expr) -> None:
        shape = self.types[slot.type]
        if isinstance(shape, TRecord) and shape.key.startswith("union "):
            slot.items.clear()  # one member of a union has a value: the last given
        slot.items[name] = value

    def _sub(self, slot: _Slot, name: str | int, type_: TypeId) -> _Slot:
        inner = slot.items.get(name)
        if isinstance(inner, _Slot):
            return inner
        fresh = _Slot(type_)
        if isinstance(inner, Agg):
            fresh.items.update(inner.items)
        self._store(slot, name, fresh)  # type: ignore[arg-type]
        return fresh

    def _designate(self, slot: _Slot, parts: list[Any]) -> _Path:
        """The subobject that ``.a.b[3]`` names."""
        path: _Path = []
        current, type_ = slot, slot.type
        for number, part in enumerate(parts):
            if number:
                name, type_ = self._part_of(path[-1])
                current = self._sub(path[-1][0], name, type_)
            shape = self.types[type_]
            if isinstance(shape, TArray):
                expr = getattr(part, "expr", part)
                at = self.constant(expr, "the index of an initialiser")
                if at < 0 or 0 <= shape.count <= at:
                    self.fail(part, f"element {at} of {self.type_name(type_)}")
                path.append((current, at))
            elif isinstance(shape, TRecord) and type(part).__name__ == "ID":
                self._member_path(path, current, part)
            else:
                self.fail(part, f"a designator into {self.type_name(type_)}")
        return path

    def _part_of(self, step: tuple[_Slot, int]) -> tuple[str | int, TypeId]:
        part = self._part(step[0].type, step[1])
        assert part is not None
        return part

    def _member_path(self, path: _Path, slot: _Slot, node: Any) -> None:
        """Append the way to a member, through anonymous records."""
        shape = self.types[slot.type]
        assert isinstance(shape, TRecord)
        layout = self.world.layout(shape.key)
        for at, member in enumerate(layout.members if layout is not None else ()):
            if member.name == node.name:
                path.append((slot, at))
                return
            inner = self.world.types[member.type]
            if not member.name and isinstance(inner, TRecord):
                if self.world.find(inner.key, node.name) is None:
                    continue
                path.append((slot, at))
                name, type_ = self._part_of(path[-1])
                self._member_path(path, self._sub(slot, name, type_), node)
                return
        self.fail(node, f"{shape.key} has no member {node.name}")

    # values of variables that exist before the program runs

    def check_static(self, e: Expr, node: Any) -> None:
        """An error unless the linker could know the value."""
        if not self._is_static(e):
            self.fail(node, "the value of a static variable must be constant")

    def _is_static(self, e: Expr) -> bool:
        match e:
            case Const() | Str() | Func():
                return True
            case Agg(items):
                return all(self._is_static(value) for _, value in items)
            case Addr(lvalue):
                return self._is_static_place(lvalue)
            case Cast(inner, type_):
                wide = self.known_size(self.world.size, type_, None) * 8 >= self.pointer_bits
                return wide and self._is_static(inner)
            case Bin("+" | "-", a, Const(), type_):
                return isinstance(self.types[type_], TPtr) and self._is_static(a)
        return False

    def _is_static_place(self, e: Expr) -> bool:
        match e:
            case Global() | Str():
                return True
            case Field(base):
                return self._is_static_place(base)
            case Index(base, index):
                return isinstance(index, Const) and self._is_static_place(base)
            case Deref(ptr):
                return self._is_static(ptr)
        return False


def _is_string(node: Any) -> bool:
    return type(node).__name__ == "Constant" and node.type == "string"
