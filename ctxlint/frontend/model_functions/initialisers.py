# SPDX-License-Identifier: GPL-2.0-or-later
"""Initialisers of model files."""

from __future__ import annotations

from typing import Any

from ctxlint.frontend.builder.aggregates import (
    Path,
    Slot,
    advance,
    current,
    finished,
    inside,
    put,
)
from ctxlint.frontend.model_functions import literals
from ctxlint.frontend.model_functions.convert import (
    assignable,
    known_size,
    rvalue,
    same,
    type_name,
)
from ctxlint.frontend.model_functions.state import State, constant, discarded
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


def initialiser(s: State, node: Any, type_: TypeId) -> Expr:
    """The value of an initialiser for an object of ``type_``."""
    shape = s.build.types[type_]
    items = node.exprs if type(node).__name__ == "InitList" else None
    if isinstance(shape, TArray):
        text = node if items is None else items[0] if len(items) == 1 else None
        if _is_string(text):
            return _text(s, text, shape, type_)
        if items is None:
            s.fail(node, "an array needs values in braces")
    elif items is None:
        return assignable(s, rvalue(s, node), type_, node, "initialiser")
    elif not isinstance(shape, TRecord):
        if len(items) != 1:
            s.fail(node, f"{len(items)} values for one {type_name(s, type_)}")
        return initialiser(s, items[0], type_)
    if isinstance(shape, TRecord) and s.world.layout(shape.key) is None:
        s.fail(node, f"{shape.key} is not defined here")
    slot = Slot(type_)
    path = [(slot, -1)]
    for item in items:
        if type(item).__name__ == "NamedInitializer":
            path = _designate(s, slot, item.name)
            _place(s, path, item.expr)
        elif advance(s.build, path):
            _place(s, path, item)
        else:
            s.fail(item, f"more values than {type_name(s, type_)} has parts")
    return finished(s.build, slot)


def _text(s: State, node: Any, shape: TArray, type_: TypeId) -> Expr:
    element = s.build.types[shape.of]
    if not isinstance(element, TInt) or element.bits != 8 or s.build.is_bool(shape.of):
        s.fail(node, f"a string for {type_name(s, type_)}")
    try:
        data = literals.string(node.value)
    except ValueError as error:
        s.fail(node, str(error))
    if 0 <= shape.count < len(data):
        s.fail(node, f"{len(data)} characters for an array of {shape.count}")
    if shape.count < 0:
        type_ = s.build.table.intern(TArray(shape.of, len(data) + 1))
    return Str(data, type_)


def _place(s: State, path: Path, node: Any) -> None:
    """Put a value at the current subobject, going down into aggregates
    whose braces were left out."""
    while True:
        _, type_ = current(s.build, path)
        if not _goes_down(s, node, type_):
            put(s.build, path, initialiser(s, node, type_))
            return
        path.append((inside(s.build, path), 0))


def _goes_down(s: State, node: Any, type_: TypeId) -> bool:
    """Whether a value is for a part of an aggregate rather than for all of it."""
    shape = s.build.types[type_]
    if type(node).__name__ == "InitList" or not isinstance(shape, TArray | TRecord):
        return False
    if isinstance(shape, TRecord):
        return not same(s, s.build.type_of(discarded(s, node)), type_)
    element = s.build.types[shape.of]
    return not (_is_string(node) and isinstance(element, TInt) and element.bits == 8)


def _designate(s: State, slot: Slot, parts: list[Any]) -> Path:
    """The subobject that ``.a.b[3]`` names."""
    path: Path = []
    holder = slot
    for number, step in enumerate(parts):
        if number:
            holder = inside(s.build, path)
        shape = s.build.types[holder.type]
        if isinstance(shape, TArray):
            expr = getattr(step, "expr", step)
            at = constant(s, expr, "the index of an initialiser")
            if at < 0 or 0 <= shape.count <= at:
                s.fail(step, f"element {at} of {type_name(s, holder.type)}")
            path.append((holder, at))
        elif isinstance(shape, TRecord) and type(step).__name__ == "ID":
            _member_path(s, path, holder, step)
        else:
            s.fail(step, f"a designator into {type_name(s, holder.type)}")
    return path


def _member_path(s: State, path: Path, slot: Slot, node: Any) -> None:
    """Append the way to a member, through anonymous records."""
    shape = s.build.types[slot.type]
    assert isinstance(shape, TRecord)
    layout = s.world.layout(shape.key)
    for at, member in enumerate(layout.members if layout is not None else ()):
        if member.name == node.name:
            path.append((slot, at))
            return
        inner = s.world.types[member.type]
        if not member.name and isinstance(inner, TRecord):
            if s.world.find(inner.key, node.name) is None:
                continue
            path.append((slot, at))
            _member_path(s, path, inside(s.build, path), node)
            return
    s.fail(node, f"{shape.key} has no member {node.name}")


# values of variables that exist before the program runs


def check_static(s: State, e: Expr, node: Any) -> None:
    """An error unless the linker could know the value."""
    if not _is_static(s, e):
        s.fail(node, "the value of a static variable must be constant")


def _is_static(s: State, e: Expr) -> bool:
    match e:
        case Const() | Str() | Func():
            return True
        case Agg(items):
            return all(_is_static(s, value) for _, value in items)
        case Addr(lvalue):
            return _is_static_place(s, lvalue)
        case Cast(inner, type_):
            wide = known_size(s, s.world.size, type_, None) * 8 >= s.build.pointer_bits
            return wide and _is_static(s, inner)
        case Bin("+" | "-", a, Const(), type_):
            return isinstance(s.build.types[type_], TPtr) and _is_static(s, a)
    return False


def _is_static_place(s: State, e: Expr) -> bool:
    match e:
        case Global() | Str():
            return True
        case Field(base):
            return _is_static_place(s, base)
        case Index(base, index):
            return isinstance(index, Const) and _is_static_place(s, base)
        case Deref(ptr):
            return _is_static(s, ptr)
    return False


def _is_string(node: Any) -> bool:
    return type(node).__name__ == "Constant" and node.type == "string"
