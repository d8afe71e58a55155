# SPDX-License-Identifier: GPL-2.0-or-later
"""Names, literals, parts of objects, calls and casts of model files."""

from __future__ import annotations

from typing import Any

from ctxlint.frontend.model_functions import literals
from ctxlint.frontend.model_functions.convert import (
    arithmetic_pointee,
    assignable,
    cast,
    decayed,
    integer,
    known_size,
    promote,
    rvalue,
    spelled,
)
from ctxlint.frontend.model_functions.scope import (
    Enumerator,
    Function,
    Local,
    MacroName,
    TypedefName,
    Variable,
)
from ctxlint.frontend.model_functions.state import State, constant, effect, expr, expression
from ctxlint.ir.ops import (
    Bin,
    Call,
    Const,
    Deref,
    Expr,
    Field,
    Func,
    Global,
    Index,
    Str,
    Var,
)
from ctxlint.ir.types import TArray, TFunc, TInt, TPtr, TRecord, TVoid
from ctxlint.ir.unit import Loc


@expression("ID")
def _identifier(s: State, node: Any) -> Expr:
    found = s.unit.scope.find(node.name)
    match found:
        case Local(type_, slot, owner):
            if owner is s:
                return Var(slot)
            return s.build.temp(s.build.table.local(type_))  # its type is known, no more
        case Variable(symbol, type=type_):
            return Global(symbol, s.build.table.local(type_))
        case Function(symbol, type=type_):
            s.build.cur.refs.append(found)
            return Func(symbol, s.build.table.local(type_))
        case Enumerator(value):
            return Const(value, s.build.int_, node.name)
        case MacroName():
            return _expanded(s, found, node)
        case TypedefName():
            s.fail(node, f"{node.name} is a type")
    if node.name == "__func__" and s.unit.function:
        return _string(s, s.unit.function.encode())
    raise s.error(node, f"{node.name} is not declared")


def _expanded(s: State, found: MacroName, node: Any) -> Expr:
    if found.busy:
        s.fail(node, f"{node.name} is part of its own value")
    outer = s.macro
    if outer is None:
        coord, macro = node.coord, found.macro
        where = f"{macro.file}:{macro.line}"
        s.macro = Loc(coord.file, coord.line, coord.column or 0, macro.name, where)
    found.busy = True
    try:
        return expr(s, found.value)
    finally:
        found.busy = False
        s.macro = outer


def _string(s: State, data: bytes) -> Str:
    type_ = s.build.table.local(s.world.intern(TArray(s.world.char, len(data) + 1)))
    return Str(data, type_)


@expression("Constant")
def _constant(s: State, node: Any) -> Expr:
    try:
        if node.type == "string":
            return _string(s, literals.string(node.value))
        if "'" in node.value:
            return s.build.const(literals.character(node.value), s.build.int_)
        value, bits, signed = literals.integer(node.value, s.build.pointer_bits)
    except ValueError as error:
        s.fail(node, str(error))
    return Const(value, s.build.table.local(s.world.intern(TInt(bits, signed))))


# parts of objects


@expression("StructRef")
def _struct_ref(s: State, node: Any) -> Expr:
    base = rvalue(s, node.name) if node.type == "->" else expr(s, node.name)
    have = s.build.shape(base)
    if node.type == "->":
        if not isinstance(have, TPtr):
            s.fail(node, f"-> on something that is no pointer: {spelled(s, base)}")
        base = s.build.deref(base, have.to)
        have = s.build.types[have.to]
    return _member_of(s, base, node.field.name, node)


def _member_of(s: State, base: Expr, name: str, node: Any) -> Expr:
    have = s.build.shape(base)
    if not isinstance(have, TRecord):
        s.fail(node, f"member {name} of {spelled(s, base)}")
    if s.world.layout(have.key) is None:
        s.fail(node, f"{have.key} is not defined here, so {name} is not known")
    found = s.world.find(have.key, name)
    if found is None:
        s.fail(node, f"{have.key} has no member {name}")
    owner, member = found
    type_ = s.build.table.local(member.type)
    return Field(base, owner, name, member.offset, member.width, type_)


@expression("ArrayRef")
def _element(s: State, node: Any) -> Expr:
    base, index = expr(s, node.name), expr(s, node.subscript)
    if isinstance(s.build.shape(index), TPtr | TArray):
        base, index = index, base
    index = integer(s, index, node.subscript)
    array = s.build.shape(base)
    if isinstance(array, TArray):
        return Index(base, index, array.of)
    pointer = decayed(s, base)
    of = arithmetic_pointee(s, pointer, node)
    if type(index) is Const and index.value == 0:
        return s.build.deref(pointer, of)
    return s.build.deref(Bin("+", pointer, index, s.build.type_of(pointer)), of)


# casts, calls


@expression("Cast", effect=True)
def _cast(s: State, node: Any, *, wanted: bool = True) -> Expr:
    type_ = s.build.table.local(s.unit.resolve(node.to_type))
    if isinstance(s.build.types[type_], TVoid):
        return effect(s, node.expr)
    return cast(s, rvalue(s, node.expr), type_, node)


@expression("FuncCall", effect=True)
def _call(s: State, node: Any, *, wanted: bool = True) -> Expr:
    if type(node.name).__name__ == "ID" and node.name.name == "offsetof":
        return _offset(s, node)
    fn = expr(s, node.name)
    shape = s.build.shape(fn)
    if isinstance(shape, TPtr):
        if isinstance(fn, Func):
            fn = Func(fn.symbol, shape.to)
        shape = s.build.types[shape.to]
    if not isinstance(shape, TFunc):
        s.fail(node, f"a call of {spelled(s, fn)}")
    given = node.args.exprs if node.args is not None else []
    few = len(given) < len(shape.params)
    if few or (len(given) > len(shape.params) and not shape.variadic):
        s.fail(node, f"{len(given)} arguments for {len(shape.params)} parameters")
    args = []
    for number, item in enumerate(given):
        e = rvalue(s, item)
        if number < len(shape.params):
            args.append(assignable(s, e, shape.params[number], item, "argument"))
        else:
            args.append(promote(s, e))
    nothing = isinstance(s.build.types[shape.ret], TVoid)
    dst = None if nothing or not wanted else s.build.temp(shape.ret)
    s.build.emit(Call(dst, fn, tuple(args), s.loc(node)))
    if isinstance(fn, Func) and "noreturn" in s.unit.by_symbol[fn.symbol].attrs:
        s.build.end(("unreachable",))
    return Const(0, s.build.void) if dst is None else dst


def _offset(s: State, node: Any) -> Expr:
    """``offsetof(type, member)``, also of a member's member or element."""
    record, path = node.args.exprs
    base: Expr = Deref(Const(0, s.build.void), s.build.table.local(s.unit.resolve(record)))
    e = _designated(s, base, path)
    total = 0
    while not isinstance(e, Deref):
        if isinstance(e, Field):
            if e.width:
                s.fail(node, "the offset of a bit-field")
            total += e.offset // 8
        else:
            assert isinstance(e, Index) and isinstance(e.index, Const)
            total += e.index.value * known_size(s, s.world.size, e.type, node)
        e = e.base
    return Const(total, s.build.table.local(s.world.ulong))


def _designated(s: State, base: Expr, path: Any) -> Expr:
    kind = type(path).__name__
    if kind == "ID":
        return _member_of(s, base, path.name, path)
    if kind == "StructRef" and path.type == ".":
        return _member_of(s, _designated(s, base, path.name), path.field.name, path)
    if kind == "ArrayRef":
        array = _designated(s, base, path.name)
        shape = s.build.shape(array)
        if isinstance(shape, TArray):
            index = Const(constant(s, path.subscript, "an index"), s.build.int_)
            return Index(array, index, shape.of)
    raise s.error(path, "offsetof takes a member")
