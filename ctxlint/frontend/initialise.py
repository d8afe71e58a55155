# SPDX-License-Identifier: GPL-2.0-or-later
"""Braced initialisers.

libclang shows the syntactic form: designators as written and braces left out
where C allows it. The walk below gives each value its place, with the current
object moving as C11 6.7.9 says.
"""

from __future__ import annotations

from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.expr import Expressions
from ctxlint.frontend.kinds import CursorKind, TypeKind
from ctxlint.ir.ops import Agg, Expr, Str
from ctxlint.ir.types import TArray, TRecord, Type, TypeId

_MOST = 1 << 16  # elements of one range


class Slot:
    """A subobject being filled: members or elements by designator."""

    __slots__ = ("items", "type")

    def __init__(self, type_: TypeId) -> None:
        self.type = type_
        self.items: dict[str | int, Expr | Slot] = {}


class Initialisers(Expressions):
    def initialiser(self, cursor: Cursor, type_: TypeId) -> Expr:
        """The value of an initialiser for an object of ``type_``."""
        shape = self.types[type_]
        if cursor.kind != CursorKind.INIT_LIST_EXPR and isinstance(shape, TArray | TRecord):
            cursor = self._literal(cursor)
        if cursor.kind != CursorKind.INIT_LIST_EXPR:
            value = self.expr(cursor)
            if isinstance(shape, TArray) and isinstance(value, Str):
                return Str(value.data, self._string_type(shape, value, type_))
            return self.convert(value, type_)
        kids = self.lib.children(cursor)
        if not isinstance(shape, TArray | TRecord):
            return self.initialiser(kids[0], type_) if kids else self.const(0, type_)
        if isinstance(shape, TArray) and len(kids) == 1 and self._is_string(kids[0]):
            return self.initialiser(self._unwrapped(kids[0]), type_)
        slot = Slot(type_)
        self._fill(slot, kids)
        return self._finished(slot)

    def _string_type(self, shape: TArray, value: Str, type_: TypeId) -> TypeId:
        return value.type if shape.count < 0 else type_

    def _is_string(self, cursor: Cursor) -> bool:
        return bool(self._unwrapped(cursor).kind == CursorKind.STRING_LITERAL)

    def _unwrapped(self, cursor: Cursor) -> Cursor:
        while cursor.kind == CursorKind.PAREN_EXPR:
            cursor = self.lib.children(cursor)[0]
        return cursor

    def _literal(self, cursor: Cursor) -> Cursor:
        """The braces of a compound literal that gives its value here."""
        inner = cursor
        while inner.kind in (CursorKind.PAREN_EXPR, CursorKind.UNEXPOSED_EXPR):
            kids = self.lib.children(inner)
            if len(kids) != 1:
                return cursor
            inner = kids[0]
        return self.operand(inner) if inner.kind == CursorKind.COMPOUND_LITERAL_EXPR else cursor

    def _finished(self, slot: Slot) -> Agg:
        shape = self.types[slot.type]
        found: list[tuple[str | int, Expr]] = []
        for name, value in slot.items.items():
            e = self._finished(value) if isinstance(value, Slot) else value
            if isinstance(name, str) and name.startswith("@"):
                found.extend(e.items if isinstance(e, Agg) else [])
            else:
                found.append((name, e))
        items = tuple(found)
        if isinstance(shape, TArray):
            items = tuple(sorted(items, key=lambda item: int(item[0])))
            if shape.count < 0 and items:
                last = items[-1][0]
                assert isinstance(last, int)
                return Agg(items, self.table.intern(TArray(shape.of, last + 1)))
        return Agg(items, slot.type)

    # the current object

    def _part(self, type_: TypeId, at: int) -> tuple[str | int, TypeId] | None:
        """The ``at``-th subobject, or None behind the last."""
        shape = self.types[type_]
        if isinstance(shape, TArray):
            return None if 0 <= shape.count <= at else (at, shape.of)
        assert isinstance(shape, TRecord)
        parts = self.unit.world.parts(shape.key)
        if at >= len(parts):
            return None
        name, number, _ = parts[at]
        return name, self.table.local(number)

    def _is_union(self, type_: TypeId) -> bool:
        shape = self.types[type_]
        return isinstance(shape, TRecord) and shape.key.startswith("union ")

    def _fill(self, slot: Slot, kids: list[Cursor]) -> None:
        """All of one braced list; ``path`` is the current subobject: pairs of
        (slot, number of the part within it)."""
        path: list[tuple[Slot, int]] = [(slot, -1)]
        for kid in kids:
            designated = kid.kind == CursorKind.UNEXPOSED_EXPR and self._is_designated(kid)
            if designated:
                path = self._designate(slot, self.lib.children(kid))
                continue
            if not self._next(path):
                continue
            self._place(path, kid)

    def _next(self, path: list[tuple[Slot, int]]) -> bool:
        """Advance to the next subobject, leaving finished ones."""
        while path:
            slot, at = path[-1]
            last = self._is_union(slot.type) and at >= 0
            if not last and self._part(slot.type, at + 1) is not None:
                path[-1] = (slot, at + 1)
                return True
            if len(path) == 1:
                return False
            path.pop()
        return False

    def _place(self, path: list[tuple[Slot, int]], kid: Cursor) -> None:
        """Put a value at the current subobject, going down into aggregates
        whose braces were left out."""
        while True:
            slot, at = path[-1]
            part = self._part(slot.type, at)
            assert part is not None
            name, type_ = part
            shape = self.types[type_]
            aggregate = isinstance(shape, TArray | TRecord)
            if not aggregate or kid.kind == CursorKind.INIT_LIST_EXPR:
                slot.items[name] = self.initialiser(kid, type_)
                return
            if isinstance(shape, TArray) and self._is_string(kid):
                slot.items[name] = self.initialiser(kid, type_)
                return
            if isinstance(shape, TRecord):
                have = self.types[self.table.of(self.lib.getCursorType(kid))]
                if isinstance(have, TRecord) and have.key == shape.key:
                    slot.items[name] = self.initialiser(kid, type_)
                    return
            if self._part(type_, 0) is None:
                return
            path.append((self._sub(slot, name, type_), 0))

    def _sub(self, slot: Slot, name: str | int, type_: TypeId) -> Slot:
        inner = slot.items.get(name)
        if isinstance(inner, Slot):
            return inner
        fresh = Slot(type_)
        if isinstance(inner, Agg):
            fresh.items.update(inner.items)
        slot.items[name] = fresh
        return fresh

    def _is_designated(self, kid: Cursor) -> bool:
        """A designated initialiser has the type void, unlike any value."""
        return bool(self.lib.getCursorType(kid).kind == TypeKind.VOID)

    def _designate(self, slot: Slot, parts: list[Cursor]) -> list[tuple[Slot, int]]:
        """``.a.b[3] = value``: the last part is the value."""
        value = parts.pop()
        path: list[tuple[Slot, int]] = []
        type_ = slot.type
        current = slot
        span: tuple[int, int] | None = None
        while parts:
            part = parts.pop(0)
            shape = self.types[type_]
            if path:
                name = self._part_name(path[-1])
                current = self._sub(path[-1][0], name, type_)
            if part.kind == CursorKind.MEMBER_REF:
                at = self._find(shape, part) if isinstance(shape, TRecord) else None
                if at is None:
                    return path or [(slot, -1)]
                path.append((current, at))
                found = self._part(type_, at)
                assert found is not None
                type_ = found[1]
            else:
                low = self.lib.evaluate(part) or 0
                high = low
                is_range = (
                    isinstance(shape, TArray)
                    and parts
                    and parts[0].kind != CursorKind.MEMBER_REF
                    and self._is_range(part, self.types[shape.of])
                )
                if is_range:
                    high = self.lib.evaluate(parts.pop(0)) or low
                    span = (low, min(high, low + _MOST))
                path.append((current, high))
                type_ = shape.of if isinstance(shape, TArray) else type_
        if not path:
            return [(slot, -1)]
        holder, at = path[-1]
        if span is not None and len(path) == 1:
            result = self.initialiser(value, type_)
            for index in range(span[0], span[1] + 1):
                holder.items[index] = result
        else:
            name = self._part_name(path[-1])
            holder.items[name] = self.initialiser(value, type_)
        return path

    def _part_name(self, step: tuple[Slot, int]) -> str | int:
        part = self._part(step[0].type, step[1])
        assert part is not None
        return part[0]

    def _find(self, shape: TRecord, member: Cursor) -> int | None:
        address = self.lib.getCursorReferenced(member).d0
        for at, part in enumerate(self.unit.world.parts(shape.key)):
            if part[2] == address:
                return at
        return None

    def _is_range(self, low: Cursor, element: Type) -> bool:
        """``[a ... b]`` and not ``[a][b]``, which needs an array of arrays;
        where both are possible, the text decides."""
        if not isinstance(element, TArray):
            return True
        inside = self.parsed.source(low).partition(b"]")[0]
        return b"..." in inside
