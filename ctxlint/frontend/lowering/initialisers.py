# SPDX-License-Identifier: GPL-2.0-or-later
"""Braced initialisers.

libclang shows the syntactic form: designators as written and braces left out
where C allows it. The walk below gives each value its place, with the current
object moving as C11 6.7.9 says.
"""

from __future__ import annotations

from ctxlint.frontend.builder.aggregates import (
    Path,
    Slot,
    advance,
    current,
    finished,
    inside,
    part,
    put,
)
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.kinds import CursorKind, TypeKind
from ctxlint.frontend.lowering.state import State, expr, expression
from ctxlint.ir.ops import Assign, Expr, Global, Str
from ctxlint.ir.types import TArray, TRecord, Type, TypeId
from ctxlint.ir.unit import GlobalVar

_MOST = 1 << 16  # elements of one range


@expression(CursorKind.INIT_LIST_EXPR)
def _init_list(s: State, cursor: Cursor) -> Expr:
    return initialiser(s, cursor, s.type(cursor))


@expression(CursorKind.COMPOUND_LITERAL_EXPR)
def _compound_literal(s: State, cursor: Cursor) -> Expr:
    type_ = s.type(cursor)
    value = initialiser(s, s.operand(cursor), type_)
    if s.unit.initialising:
        return _literal_variable(s, cursor, value)
    holder = s.build.temp(type_)
    s.build.emit(Assign(holder, value, s.loc(cursor)))
    return holder


def _literal_variable(s: State, cursor: Cursor, value: Expr) -> Expr:
    """A compound literal at file scope: a variable without a name."""
    file, line, col, _ = s.parsed.place(cursor)
    base = symbol = f"{file}::@literal:{line}:{col}"
    number = 1
    while symbol in s.unit.globals:
        number += 1
        symbol = f"{base}#{number}"
    type_ = s.build.type_of(value)
    s.unit.globals[symbol] = GlobalVar(
        symbol, "", file, line, ("static",), type_, value, tuple(s.build.types)
    )
    return Global(symbol, type_)


def initialiser(s: State, cursor: Cursor, type_: TypeId) -> Expr:
    """The value of an initialiser for an object of ``type_``."""
    shape = s.build.types[type_]
    if cursor.kind != CursorKind.INIT_LIST_EXPR and isinstance(shape, TArray | TRecord):
        cursor = _literal(s, cursor)
    if cursor.kind != CursorKind.INIT_LIST_EXPR:
        value = expr(s, cursor)
        if isinstance(shape, TArray) and isinstance(value, Str):
            return value if shape.count < 0 else Str(value.data, type_)
        return s.build.convert(value, type_)
    kids = s.lib.children(cursor)
    if not isinstance(shape, TArray | TRecord):
        return initialiser(s, kids[0], type_) if kids else s.build.const(0, type_)
    if isinstance(shape, TArray) and len(kids) == 1 and _is_string(s, kids[0]):
        return initialiser(s, _unwrapped(s, kids[0]), type_)
    slot = Slot(type_)
    path = [(slot, -1)]
    for kid in kids:
        if kid.kind == CursorKind.UNEXPOSED_EXPR and _is_designated(s, kid):
            path = _designate(s, slot, s.lib.children(kid))
        elif advance(s.build, path):
            _place(s, path, kid)
    return finished(s.build, slot)


def _is_string(s: State, cursor: Cursor) -> bool:
    return bool(_unwrapped(s, cursor).kind == CursorKind.STRING_LITERAL)


def _unwrapped(s: State, cursor: Cursor) -> Cursor:
    while cursor.kind == CursorKind.PAREN_EXPR:
        cursor = s.lib.children(cursor)[0]
    return cursor


def _literal(s: State, cursor: Cursor) -> Cursor:
    """The braces of a compound literal that gives its value here."""
    inner = cursor
    while inner.kind in (CursorKind.PAREN_EXPR, CursorKind.UNEXPOSED_EXPR):
        kids = s.lib.children(inner)
        if len(kids) != 1:
            return cursor
        inner = kids[0]
    return s.operand(inner) if inner.kind == CursorKind.COMPOUND_LITERAL_EXPR else cursor


def _place(s: State, path: Path, kid: Cursor) -> None:
    """Put a value at the current subobject, going down into aggregates
    whose braces were left out."""
    while True:
        _, type_ = current(s.build, path)
        if not _goes_down(s, kid, type_):
            put(s.build, path, initialiser(s, kid, type_))
            return
        if part(s.build, type_, 0) is None:
            return
        path.append((inside(s.build, path), 0))


def _goes_down(s: State, kid: Cursor, type_: TypeId) -> bool:
    """Whether a value is for a part of an aggregate rather than for all of it."""
    shape = s.build.types[type_]
    if kid.kind == CursorKind.INIT_LIST_EXPR or not isinstance(shape, TArray | TRecord):
        return False
    if isinstance(shape, TArray):
        return not _is_string(s, kid)
    have = s.build.types[s.type(kid)]
    return not (isinstance(have, TRecord) and have.key == shape.key)


def _is_designated(s: State, kid: Cursor) -> bool:
    """A designated initialiser has the type void, unlike any value."""
    return bool(s.lib.getCursorType(kid).kind == TypeKind.VOID)


def _designate(s: State, slot: Slot, parts: list[Cursor]) -> Path:
    """``.a.b[3] = value``: the last part is the value."""
    value = parts.pop()
    path: Path = []
    type_, holder = slot.type, slot
    elements = range(0)
    while parts:
        step = parts.pop(0)
        shape = s.build.types[type_]
        if path:
            holder = inside(s.build, path)
        if step.kind == CursorKind.MEMBER_REF:
            at = _find(s, shape, step) if isinstance(shape, TRecord) else None
            if at is None:
                return path or [(slot, -1)]
            path.append((holder, at))
            type_ = current(s.build, path)[1]
            continue
        low = high = s.lib.evaluate(step) or 0
        if isinstance(shape, TArray):
            type_ = shape.of
            second = parts and parts[0].kind != CursorKind.MEMBER_REF
            if second and _is_range(s, step, s.build.types[type_]):
                high = s.lib.evaluate(parts.pop(0)) or low
                elements = range(low, min(high, low + _MOST) + 1)
        path.append((holder, high))
    if not path:
        return [(slot, -1)]
    if elements and len(path) == 1:
        result = initialiser(s, value, type_)
        slot.items.update(dict.fromkeys(elements, result))
    else:
        put(s.build, path, initialiser(s, value, type_))
    return path


def _find(s: State, shape: TRecord, member: Cursor) -> int | None:
    address = s.lib.getCursorReferenced(member).d0
    parts = s.unit.world.parts(shape.key)
    return next((at for at, found in enumerate(parts) if found[2] == address), None)


def _is_range(s: State, low: Cursor, element: Type) -> bool:
    """``[a ... b]`` and not ``[a][b]``, which needs an array of arrays;
    where both are possible, the text decides."""
    if not isinstance(element, TArray):
        return True
    return b"..." in s.parsed.source(low).partition(b"]")[0]
