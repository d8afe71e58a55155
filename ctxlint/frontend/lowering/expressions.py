# SPDX-License-Identifier: GPL-2.0-or-later
"""Names, literals, parts of objects, calls and casts."""

from __future__ import annotations

from ctxlint.frontend.builder.fold import wrap
from ctxlint.frontend.clang import CType, Cursor
from ctxlint.frontend.kinds import CursorKind, TypeKind, is_expression
from ctxlint.frontend.literals import string_bytes
from ctxlint.frontend.lowering.builtins import builtin, unexposed
from ctxlint.frontend.lowering.state import State, effect, expr, expression
from ctxlint.ir.ops import (
    Addr,
    Bin,
    Call,
    Cast,
    Const,
    Expr,
    FConst,
    Field,
    Func,
    Global,
    Index,
    Str,
)
from ctxlint.ir.types import TArray, TInt, TPtr, TRecord, TVoid


@expression(CursorKind.PAREN_EXPR, effect=True)
def _paren(s: State, cursor: Cursor, *, wanted: bool = True) -> Expr:
    return (expr if wanted else effect)(s, s.operand(cursor))


@expression(CursorKind.INTEGER_LITERAL, CursorKind.CHARACTER_LITERAL)
def _integer(s: State, cursor: Cursor) -> Expr:
    value = s.lib.evaluate(cursor)
    type_ = s.type(cursor)
    return s.opaque("integer", type_) if value is None else s.build.const(value, type_)


@expression(CursorKind.FLOATING_LITERAL)
def _floating(s: State, cursor: Cursor) -> Expr:
    value = s.lib.evaluate_float(cursor)
    return FConst(value or 0.0, s.type(cursor))


@expression(CursorKind.STRING_LITERAL)
def _string(s: State, cursor: Cursor) -> Expr:
    type_ = s.type(cursor)
    array = s.build.types[type_]
    width = 1
    if isinstance(array, TArray):
        element = s.build.types[array.of]
        width = element.bits // 8 if isinstance(element, TInt) else 1
    return Str(string_bytes(s.names.spelling(cursor), width), type_)


@expression(CursorKind.DECL_REF_EXPR)
def _decl_ref(s: State, cursor: Cursor) -> Expr:
    decl = s.lib.getCursorReferenced(cursor)
    found = s.slots.get(decl.d0)
    if found is not None:
        if type(found) is Global:
            s.build.cur.refs.append(s.names.global_(decl))
        return found
    if decl.kind == CursorKind.FUNCTION_DECL:
        return s.func(s.names.function(decl))
    if decl.kind == CursorKind.ENUM_CONSTANT_DECL:
        name, value = s.names.enumerator(decl)
        type_ = s.type(cursor)
        return Const(wrap(value, s.build.types[type_]), type_, name)
    if decl.kind == CursorKind.VAR_DECL:
        info = s.names.global_(decl)
        s.build.cur.refs.append(info)
        found = s.slots[decl.d0] = Global(info.symbol, s.build.table.local(info.type))
        return found
    return s.opaque(f"reference to {s.names.spelling(cursor)}", s.type(cursor))


@expression(CursorKind.MEMBER_REF_EXPR)
def _member(s: State, cursor: Cursor) -> Expr:
    kids = s.lib.children(cursor)
    if not kids or not is_expression(kids[0].kind):
        return s.opaque("member without a base", s.type(cursor))
    base, name, type_ = expr(s, kids[0]), s.unit.field_name(cursor), s.type(cursor)
    have = s.build.shape(base)
    if isinstance(have, TPtr):
        base = s.build.deref(base, have.to)
        have = s.build.types[have.to]
    if "(" in name:
        return base  # an anonymous member: its members are found from here
    if isinstance(have, TRecord):
        member = s.unit.world.members(have.key).get(name)
        if member is not None:
            kind = s.build.table.local(member.type)
            return Field(base, member.record, name, member.offset, member.width, kind)
    return s.opaque(f"member {name}", type_)


@expression(CursorKind.ARRAY_SUBSCRIPT_EXPR)
def _subscript(s: State, cursor: Cursor) -> Expr:
    first, second = s.lib.children(cursor)[-2:]
    base, index = expr(s, first), expr(s, second)
    if isinstance(s.build.shape(index), TPtr | TArray):
        base, index = index, base
    type_ = s.type(cursor)
    if type(base) is Addr:
        array = s.build.shape(base.lvalue)
        if isinstance(array, TArray):
            return Index(base.lvalue, index, array.of)
    have = s.build.type_of(base)
    if isinstance(s.build.types[have], TArray):
        return Index(base, index, type_)
    if type(index) is Const and index.value == 0:
        return s.build.deref(base, type_)
    return s.build.deref(Bin("+", base, index, have), type_)


# calls and casts


@expression(CursorKind.CALL_EXPR, effect=True)
def _call(s: State, cursor: Cursor, *, wanted: bool = True) -> Expr:
    kids = s.lib.children(cursor)
    if not kids:
        return s.opaque("call", s.type(cursor))
    fn = expr(s, kids[0])
    if type(fn) is Func and fn.symbol.startswith("__builtin_"):
        special = builtin(s, fn.symbol, cursor, kids[1:])
        if special is not None:
            return special
    args = [expr(s, k) for k in kids[1:]]
    args = [s.build.decayed(a) for a in args]
    type_ = s.type(cursor)
    loc = s.loc(cursor)
    info = s.names.by_symbol.get(fn.symbol) if type(fn) is Func else None
    if info is not None and "error" in info.attrs:
        # A compile-time assertion: the optimiser proves that it is not
        # reached, with facts (constants of callers) that are not seen here.
        return Const(0, type_)
    nothing = not wanted or isinstance(s.build.types[type_], TVoid)
    dst = None if nothing else s.build.temp(type_)
    s.build.emit(Call(dst, fn, tuple(args), loc))
    if info is not None and info.noreturn:
        s.build.end(("unreachable",))
    return Const(0, s.build.void) if dst is None else dst


@expression(CursorKind.CSTYLE_CAST_EXPR, effect=True)
def _cast(s: State, cursor: Cursor, *, wanted: bool = True) -> Expr:
    if not wanted:
        return effect(s, s.operand(cursor))
    e = expr(s, s.operand(cursor))
    type_ = s.type(cursor)
    target = s.build.types[type_]
    if isinstance(target, TVoid):
        return e
    if isinstance(target, TInt) and target.name and type(e) is not Const:
        have = s.build.shape(e)
        if have != target and not s.build.is_bool(type_) and isinstance(have, TInt):
            return Cast(e, type_)
    return s.build.convert(e, type_)


@expression(CursorKind.UNEXPOSED_EXPR, effect=True)
def _unexposed(s: State, cursor: Cursor, *, wanted: bool = True) -> Expr:
    lib = s.lib
    kids = lib.children(cursor)
    if len(kids) != 1 or not is_expression(kids[0].kind):
        return unexposed(s, cursor, kids)
    kid = kids[0]
    whole = lib.getCursorType(cursor)
    inner = lib.getCursorType(kid)
    if not _is_implicit(s, cursor, whole.kind, kid, inner):
        return unexposed(s, cursor, kids)
    if not wanted:
        return effect(s, kid)
    have = s.build.table.of(inner)
    e = expr(s, kid)
    type_ = have if whole.d0 == inner.d0 else s.build.table.of(whole)
    return e if type_ == have and s.build.type_of(e) == have else s.build.convert(e, type_)


def _is_implicit(s: State, cursor: Cursor, kind: int, kid: Cursor, inner: CType) -> bool:
    """Whether this is an implicit cast, which begins where its operand
    does. Only two others have one child: type traits, which are of type
    int, and va_arg."""
    if kind != TypeKind.INT:
        types = s.unit.world.types
        shape = types[s.unit.world.number(inner)]
        name = shape.name if type(shape) is TPtr else ""
        if type(shape) is TPtr:
            shape = types[shape.to]
        elif type(shape) is TArray:
            shape = types[shape.of]
        if type(shape) is TRecord:
            name = shape.key
        if "va_list" not in name:
            return True
    lib = s.lib
    return bool(lib.getCursorExtent(cursor).begin == lib.getCursorExtent(kid).begin)
