# SPDX-License-Identifier: GPL-2.0-or-later
"""C's rules of which value may become which type, with explicit conversions.

What C leaves to a diagnostic is an error here: a model that compares unlike
pointers or stores an integer in one is a mistake, not a model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ctxlint.frontend.model_functions.state import State, expr
from ctxlint.frontend.model_functions.types import LayoutError
from ctxlint.frontend.model_functions.types import same as same_type
from ctxlint.ir.ops import Addr, Cast, Const, Expr, Func, Global, Str
from ctxlint.ir.printer import type_text
from ctxlint.ir.types import TFunc, TInt, TPtr, TRecord, TVoid, Type, TypeId


def spelled(s: State, e: Expr) -> str:
    return type_name(s, s.build.type_of(e))


def type_name(s: State, type_: TypeId) -> str:
    return "_Bool" if s.build.is_bool(type_) else type_text(type_, s.build.types)


def same(s: State, a: TypeId, b: TypeId) -> bool:
    return same_type(a, b, s.build.table)


def known_size(
    s: State, size: Callable[[TypeId, Sequence[Type]], int], type_: TypeId, node: Any
) -> int:
    try:
        return size(type_, s.build.types)
    except LayoutError as error:
        s.fail(node, str(error))


# values


def decayed(s: State, e: Expr) -> Expr:
    """Arrays and functions become pointers."""
    if isinstance(s.build.shape(e), TFunc):
        return s.build.convert(e, s.build.pointer_to(s.build.type_of(e)))
    return s.build.decayed(e)


def rvalue(s: State, node: Any) -> Expr:
    """What C calls the value: decayed, never void."""
    e = decayed(s, expr(s, node))
    shape = s.build.shape(e)
    if isinstance(shape, TVoid):
        s.fail(node, "an expression without a value where one is needed")
    if isinstance(shape, TRecord):
        known_size(s, s.world.size, s.build.type_of(e), node)
    return e


def scalar(s: State, node: Any) -> Expr:
    """A value that can be compared with zero."""
    e = rvalue(s, node)
    if not isinstance(s.build.shape(e), TInt | TPtr):
        s.fail(node, f"a condition of type {spelled(s, e)}")
    if isinstance(e, Func) or (isinstance(e, Addr) and isinstance(e.lvalue, Global | Str)):
        return Const(1, s.build.int_)  # an object's address is never 0
    return e


def integer(s: State, e: Expr, node: Any) -> Expr:
    """An integer after C's promotions."""
    if not isinstance(s.build.shape(e), TInt):
        s.fail(node, f"an integer is needed, not {spelled(s, decayed(s, e))}")
    return promote(s, e)


def promote(s: State, e: Expr) -> Expr:
    return s.build.convert(e, s.build.promoted(e))


def check_step(s: State, place: Expr, node: Any) -> None:
    shape = s.build.shape(place)
    if isinstance(shape, TPtr):
        arithmetic_pointee(s, place, node)
    elif not isinstance(shape, TInt):
        s.fail(node, f"{node.op.strip('p')} on {spelled(s, place)}")


# pointers


def is_null(s: State, e: Expr) -> bool:
    """A null pointer constant: ``0`` or ``(void *)0``."""
    if not isinstance(e, Const) or e.value:
        return False
    shape = s.build.types[e.type]
    if isinstance(shape, TPtr):
        return isinstance(s.build.types[shape.to], TVoid)
    return isinstance(shape, TInt)


def arithmetic_pointee(s: State, pointer: Expr, node: Any) -> TypeId:
    """What a pointer that is computed with points at: an object of known
    size."""
    shape = s.build.shape(pointer)
    if not isinstance(shape, TPtr):
        s.fail(node, f"a pointer is needed, not {spelled(s, pointer)}")
    if isinstance(s.build.types[shape.to], TVoid):
        s.fail(node, "arithmetic on a pointer to void", "cast it to u8 * before")
    known_size(s, s.world.size, shape.to, node)
    return shape.to


def _meeting(s: State, a: Expr, b: Expr) -> TypeId | None:
    """The type in which two pointers meet, in a comparison or choice."""
    x, y = s.build.type_of(a), s.build.type_of(b)
    p, q = s.build.types[x], s.build.types[y]
    if isinstance(p, TPtr) and is_null(s, b):
        return x
    if isinstance(q, TPtr) and is_null(s, a):
        return y
    if not (isinstance(p, TPtr) and isinstance(q, TPtr)):
        return None
    if same(s, p.to, q.to):
        return x
    for one, other in ((x, q), (y, p)):
        void = s.build.types[one]
        assert isinstance(void, TPtr)
        if isinstance(s.build.types[void.to], TVoid):
            return None if isinstance(s.build.types[other.to], TFunc) else one
    return None


def comparable(s: State, a: Expr, b: Expr, op: str, node: Any) -> tuple[Expr, Expr]:
    type_ = _meeting(s, a, b)
    if type_ is None:
        s.fail(node, f"{op} of {spelled(s, a)} and {spelled(s, b)}")
    return s.build.convert(a, type_), s.build.convert(b, type_)


def chosen_type(s: State, a: Expr, b: Expr, node: Any) -> TypeId:
    """The type of ``?:`` with these values."""
    x, y = s.build.type_of(a), s.build.type_of(b)
    p, q = s.build.types[x], s.build.types[y]
    if isinstance(p, TInt) and isinstance(q, TInt):
        return s.build.common(s.build.promoted(a), s.build.promoted(b))
    if isinstance(p, TVoid) and isinstance(q, TVoid):
        return s.build.void
    if isinstance(p, TRecord) and same(s, x, y):
        return x
    type_ = _meeting(s, a, b)
    if type_ is None:
        s.fail(node, f"?: of {spelled(s, a)} and {spelled(s, b)}")
    return type_


# conversions


def assignable(s: State, e: Expr, to: TypeId, node: Any, what: str) -> Expr:
    """``e`` as by assignment to ``to``; an error where that needs a cast."""
    have = s.build.type_of(e)
    target, source = s.build.types[to], s.build.types[have]
    match target, source:
        case TInt(), TInt():
            return s.build.convert(e, to)
        case TInt(), TPtr() if s.build.is_bool(to):
            return s.build.convert(e, to)
        case TPtr(), TPtr() | TInt() if is_null(s, e):
            return Const(0, to)
        case TPtr(), TPtr():
            void = [isinstance(s.build.types[p.to], TVoid) for p in (target, source)]
            func = [isinstance(s.build.types[p.to], TFunc) for p in (target, source)]
            if same(s, target.to, source.to) or (any(void) and not any(func)):
                return s.build.convert(e, to)
        case TRecord(), TRecord() if target.key == source.key:
            return e
    raise s.error(node, f"{what}: {type_name(s, have)} is no {type_name(s, to)}",
              "a cast would say that it is meant")  # fmt: skip


def cast(s: State, e: Expr, to: TypeId, node: Any) -> Expr:
    have = s.build.type_of(e)
    target, source = s.build.types[to], s.build.types[have]
    if not isinstance(target, TInt | TPtr) or not isinstance(source, TInt | TPtr):
        s.fail(node, f"a cast of {type_name(s, have)} to {type_name(s, to)}")
    if isinstance(target, TPtr) and isinstance(source, TInt):
        if source.bits != s.build.pointer_bits:  # extended by its own sign
            e = s.build.convert(e, s.build.table.local(s.world.long_))
        return s.build.convert(e, to)
    if isinstance(target, TPtr) and isinstance(e, Func):
        return e if same(s, have, to) else Cast(e, to)
    return s.build.convert(e, to)
