# SPDX-License-Identifier: GPL-2.0-or-later
"""What the compiler itself answers: builtins, traits, ``_Generic``."""

from __future__ import annotations

import re

from ctxlint.frontend.builder.fold import truth
from ctxlint.frontend.clang import CType, Cursor
from ctxlint.frontend.kinds import CursorKind, is_expression
from ctxlint.frontend.lowering.state import State, expr, expression
from ctxlint.ir.ops import Addr, Bin, Call, Const, Expr, Func
from ctxlint.ir.types import TArray, TPtr, TRecord, TVoid, TypeId

_WORD = re.compile(rb"\s*(\w+)")
_TRAITS = ("__builtin_types_compatible_p", "__builtin_offsetof", "offsetof")
_EXPECT = frozenset(("__builtin_expect", "__builtin_expect_with_probability"))
_SIZES = frozenset(("__builtin_object_size", "__builtin_dynamic_object_size"))


def builtin(s: State, name: str, cursor: Cursor, args: list[Cursor]) -> Expr | None:
    """A builtin that is not an ordinary call; None when it is one."""
    if name in _EXPECT:
        return s.build.convert(expr(s, args[0]), s.type(cursor))
    if name == "__builtin_constant_p":
        return s.build.const(s.lib.evaluate(cursor) or 0, s.type(cursor))
    if name == "__builtin_unreachable":
        s.build.end(("unreachable",))
        return Const(0, s.build.void)
    if name == "__builtin_assume_aligned":
        return s.build.convert(expr(s, args[0]), s.type(cursor))
    if name in ("__builtin_assume", "__builtin_prefetch", "__builtin_va_end"):
        return Const(0, s.build.void)
    if name in ("__builtin_va_start", "__builtin_va_copy"):
        return _va_start(s, name, cursor, args)
    value = s.lib.evaluate(cursor)
    type_ = s.type(cursor)
    if value is not None and not isinstance(s.build.types[type_], TVoid):
        return s.build.const(value, type_)
    if name in _SIZES:
        mode = s.lib.evaluate(args[1]) or 0
        return s.build.const(-1 if mode < 2 else 0, type_)
    return None


@expression(CursorKind.CXX_UNARY_EXPR)
def _trait(s: State, cursor: Cursor) -> Expr:
    """``sizeof`` and ``_Alignof``; the operand is not evaluated."""
    value = s.lib.evaluate(cursor)
    type_ = s.type(cursor)
    if value is None:
        return s.opaque("size that is not constant", type_)
    return s.build.const(value, type_)


@expression(CursorKind.GENERIC_SELECTION_EXPR)
def _generic(s: State, cursor: Cursor) -> Expr:
    """The association that clang chose. Its type is the type of the whole;
    where several have that type, constants decide by their value."""
    lib = s.lib
    kids = [k for k in lib.children(cursor) if is_expression(k.kind)]
    whole = lib.getCursorType(cursor)
    type_ = s.build.table.of(whole)
    choices = [k for k in kids[1:] if lib.getCursorType(k).d0 == whole.d0]
    if not choices:
        canonical = lib.getCanonicalType(whole).d0
        choices = [
            k for k in kids[1:] if lib.getCanonicalType(lib.getCursorType(k)).d0 == canonical
        ]
    if len(choices) == 1:
        return s.build.convert(expr(s, choices[0]), type_)
    value = lib.evaluate(cursor)
    if value is not None:
        return s.build.const(value, type_)
    return s.opaque("_Generic", type_)


def _word(s: State, cursor: Cursor) -> str:
    match = _WORD.match(s.parsed.source(cursor))
    return match[1].decode() if match else ""


def unexposed(s: State, cursor: Cursor, kids: list[Cursor]) -> Expr:
    """Expressions that libclang has no kind for: told apart by their
    children and their first word."""
    type_ = s.type(cursor)
    expressions = [k for k in kids if is_expression(k.kind)]
    if not expressions or any(k.kind == CursorKind.MEMBER_REF for k in kids):
        value = s.lib.evaluate(cursor)
        if value is not None:
            return s.build.const(value, type_)
        if expressions:
            return _offset_of(s, kids, type_)
        return s.opaque(f"unexposed {_word(s, cursor)}", type_)
    word = _word(s, cursor)
    if word.endswith("va_arg"):
        return _va_arg(s, expr(s, expressions[0]), type_, cursor)
    if word.startswith(_TRAITS):
        value = s.lib.evaluate(cursor)
        return s.opaque(word, type_) if value is None else s.build.const(value, type_)
    if len(expressions) == 1:
        if word.startswith(("__atomic", "__c11_atomic")):
            return _atomic(s, word, cursor, expressions)
        return s.build.convert(expr(s, expressions[0]), type_)
    if word.startswith(("__atomic", "__c11_atomic", "__scoped_atomic")):
        return _atomic(s, word, cursor, expressions)
    if len(expressions) == 3:
        known = s.lib.evaluate(expressions[0])
        if known is not None:
            return s.build.convert(expr(s, expressions[1 if known else 2]), type_)
    if len(expressions) == 4:
        return _elvis(s, cursor, expressions[0], expressions[3])
    return s.opaque(f"unexposed {word}", type_)


def _offset_of(s: State, kids: list[Cursor], type_: TypeId) -> Expr:
    """``offsetof`` with an index that is not constant."""
    lib = s.lib
    total: Expr = s.build.const(0, type_)
    fixed = 0
    at: CType | None = None
    for kid in kids:
        if kid.kind == CursorKind.MEMBER_REF:
            field = lib.getCursorReferenced(kid)
            fixed += lib.Cursor_getOffsetOfField(field) // 8
            at = lib.getCanonicalType(lib.getCursorType(field))
        elif at is not None and is_expression(kid.kind):
            at = lib.getCanonicalType(lib.getArrayElementType(at))
            size = s.build.const(lib.Type_getSizeOf(at), type_)
            index = s.build.convert(expr(s, kid), type_)
            total = Bin("+", total, Bin("*", index, size, type_), type_)
    return Bin("+", total, s.build.const(fixed, type_), type_)


def _elvis(s: State, cursor: Cursor, first: Cursor, second: Cursor) -> Expr:
    """``a ?: b``."""
    type_ = s.type(cursor)
    value = expr(s, first)
    known = truth(value)
    if known is not None:
        return s.build.convert(value if known else expr(s, second), type_)
    holder = s.build.temp(s.build.type_of(value))
    loc = s.loc(cursor)
    s.build.assign(holder, value, loc)
    return s.build.choose(
        type_,
        holder,
        s.loc(first),
        lambda: s.build.convert(holder, type_),
        lambda: expr(s, second),
    )


def _atomic(s: State, word: str, cursor: Cursor, kids: list[Cursor]) -> Expr:
    type_ = s.type(cursor)
    args = tuple([expr(s, k) for k in kids])
    dst = None if isinstance(s.build.types[type_], TVoid) else s.build.temp(type_)
    s.build.emit(Call(dst, Func(word, s.build.void), args, s.loc(cursor)))
    return Const(0, s.build.void) if dst is None else dst


def _va_start(s: State, name: str, cursor: Cursor, args: list[Cursor]) -> Expr:
    """Lists are handed over by address, whatever the ABI makes of them."""
    values = [expr(s, a) for a in args]
    if name == "__builtin_va_start":
        del values[1:]
    passed = tuple([_list_address(s, v) for v in values])
    s.build.emit(Call(None, Func(name, s.build.void), passed, s.loc(cursor)))
    return Const(0, s.build.void)


def _list_address(s: State, e: Expr) -> Expr:
    """The address of a va_list, which may be a record, a pointer, or an
    array of one record that has decayed already."""
    have = s.build.type_of(e)
    shape = s.build.types[have]
    if isinstance(shape, TPtr):
        inner = s.build.types[shape.to]
        if isinstance(inner, TRecord) and "va_list" in inner.key:
            return e
    if isinstance(shape, TArray):
        return s.build.decayed(e)
    return Addr(e, s.build.pointer_to(have))


def _va_arg(s: State, e: Expr, type_: TypeId, cursor: Cursor) -> Expr:
    """``va_arg(ap, type)``: a call that gives the next argument."""
    dst = s.build.temp(type_)
    args = (_list_address(s, e),)
    s.build.emit(Call(dst, Func("__builtin_va_arg", s.build.void), args, s.loc(cursor)))
    return dst
