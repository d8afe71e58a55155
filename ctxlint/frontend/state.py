# SPDX-License-Identifier: GPL-2.0-or-later
"""What lowering keeps while it works on one function or initialiser."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ctxlint.frontend.cfg import Node
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.decls import FunctionInfo
from ctxlint.frontend.fold import wrap
from ctxlint.frontend.types import TypeTable
from ctxlint.ir.ops import (
    Addr,
    Assign,
    Bin,
    Call,
    Cast,
    Const,
    Deref,
    Expr,
    Func,
    LocId,
    Op,
    Opaque,
    Str,
    Un,
    Var,
)
from ctxlint.ir.types import TArray, TFloat, TFunc, TInt, TPtr, TRecord, TVoid, TypeId
from ctxlint.ir.unit import Loc, VarDecl

if TYPE_CHECKING:
    from ctxlint.frontend.lower import UnitLowering


class Cleanup(NamedTuple):
    """A variable in scope whose destructor must run; ``outer`` came first."""

    outer: Cleanup | None
    slot: int
    function: FunctionInfo


class State:
    """Tables of the function, the block being filled, and small helpers."""

    def __init__(self, unit: UnitLowering) -> None:
        self.unit = unit
        self.lib = unit.lib
        self.names = unit.names
        self.parsed = unit.parsed
        self.table = TypeTable(unit.world)
        self.types = self.table.types
        self.void = self.table.local(unit.world.void)
        self.int_ = self.table.local(unit.world.int_)
        self.vars: list[VarDecl] = []
        self.slots: dict[int | None, Expr] = {}
        self.locs: list[Loc] = []
        self._loc_ids: dict[int, LocId] = {}
        self._loc_of: dict[Loc, LocId] = {}
        self.entry = self.cur = Node()
        self.dead = False
        self.scope: Cleanup | None = None
        self.labels: dict[int | None, int] = {}
        self.label_nodes: list[Node] = []

    # places and blocks

    def loc(self, cursor: Cursor) -> LocId:
        place = self.lib.getCursorLocation(cursor)
        number = self._loc_ids.get(place.raw)
        if number is None:
            number = self._loc_ids[place.raw] = self._loc_id(self.parsed.loc(place))
        return number

    def end_loc(self, cursor: Cursor) -> LocId:
        """The end of a compound statement."""
        extent = self.lib.getCursorExtent(cursor)
        return self._loc_id(self.parsed.loc(self.lib.getRangeEnd(extent)))

    def _loc_id(self, loc: Loc) -> LocId:
        number = self._loc_of.get(loc)
        if number is None:
            number = self._loc_of[loc] = len(self.locs)
            self.locs.append(loc)
        return number

    def emit(self, op: Op) -> None:
        self.cur.ops.append(op)

    def end(self, term: tuple[object, ...]) -> None:
        """Close the current block; what follows is dead until a start()."""
        self.cur.term = term
        if not self.dead:
            if term[0] == "jump":
                term[1].used = True  # type: ignore[attr-defined]
            elif term[0] == "branch":
                term[1].used = term[2].used = True  # type: ignore[attr-defined]
        self.cur = Node()
        self.dead = True

    def start(self, node: Node, *, live: bool = True) -> None:
        """Continue in ``node``, which nothing has filled yet."""
        self.cur = node
        self.dead = not live

    def join(self, node: Node) -> None:
        """Fall into ``node`` and continue there."""
        self.end(("jump", node))
        self.start(node, live=node.used)

    # variables and types

    def temp(self, type_: TypeId) -> Var:
        self.vars.append(VarDecl("", type_))
        return Var(len(self.vars) - 1)

    def type_of(self, expr: Expr) -> TypeId:
        if type(expr) is Var:
            return self.vars[expr.slot].type
        return expr.type  # type: ignore[union-attr]

    def type(self, cursor: Cursor) -> TypeId:
        return self.table.of(self.lib.getCursorType(cursor))

    def const(self, value: int, type_: TypeId) -> Const:
        return Const(wrap(value, self.types[type_], self.unit.world.pointer_bits), type_)

    def opaque(self, text: str, type_: TypeId | None = None) -> Opaque:
        return Opaque(text, self.void if type_ is None else type_)

    def func(self, info: FunctionInfo, type_: TypeId | None = None) -> Func:
        self.cur.refs.append(info)
        return Func(info.symbol, self.table.local(info.type) if type_ is None else type_)

    def pointer_to(self, type_: TypeId) -> TypeId:
        return self.table.intern(TPtr(type_))

    def pointee(self, type_: TypeId) -> TypeId:
        pointer = self.types[type_]
        if isinstance(pointer, TPtr):
            return pointer.to
        return pointer.of if isinstance(pointer, TArray) else self.void

    def is_bool(self, type_: TypeId) -> bool:
        return type_ in self.table.bools

    def deref(self, pointer: Expr, type_: TypeId) -> Expr:
        if type(pointer) is Addr and self.type_of(pointer.lvalue) == type_:
            return pointer.lvalue
        return Deref(pointer, type_)

    def address(self, lvalue: Expr, type_: TypeId) -> Expr:
        if type(lvalue) is Deref:
            return self.convert(lvalue.ptr, type_)
        if type(lvalue) is Func:
            return Func(lvalue.symbol, type_)
        return Addr(lvalue, type_)

    def convert(self, expr: Expr, to: TypeId) -> Expr:
        """``expr`` as a value of type ``to``: decay, conversion, or nothing."""
        have = self.type_of(expr)
        if have == to:
            return expr
        target, source = self.types[to], self.types[have]
        kind = type(target)
        if kind is TInt:
            return self._to_integer(expr, to, have)
        if kind is TPtr:
            if type(source) is TArray:
                return Addr(expr, to)
            if type(source) is TFunc:
                if type(expr) is Func:
                    return Func(expr.symbol, to)
                return expr.ptr if type(expr) is Deref else Addr(expr, to)
            if type(expr) is Const:
                return Const(wrap(expr.value, target, self.unit.world.pointer_bits), to)
            if type(expr) is Func:
                return Cast(expr, to)
            if type(source) is TPtr and source.to == target.to:  # type: ignore[union-attr]
                return expr
            if type(expr) is Cast and type(source) is TPtr:
                inner = self.types[self.type_of(expr.e)]
                if type(inner) is TPtr:
                    return self.convert(expr.e, to)
            if type(source) in (TPtr, TInt):
                return Cast(expr, to)
            return expr
        if kind is TFloat:
            return Cast(expr, to)
        return expr

    def _to_integer(self, expr: Expr, to: TypeId, have: TypeId) -> Expr:
        target, source = self.types[to], self.types[have]
        assert isinstance(target, TInt)
        if to in self.table.bools:
            if have in self.table.bools:
                return expr
            return self.truth_value(expr, to)
        if type(expr) is Const:
            return Const(wrap(expr.value, target), to, expr.name)
        if isinstance(source, TInt) and (source.bits, source.signed) == (
            target.bits,
            target.signed,
        ):
            return expr
        if isinstance(source, TArray):
            expr = Addr(expr, self.pointer_to(source.of))
        return expr if isinstance(source, TVoid | TRecord) else Cast(expr, to)

    def truth_value(self, expr: Expr, type_: TypeId) -> Expr:
        """``expr != 0``."""
        if type(expr) is Const:
            return Const(int(expr.value != 0), type_)
        if type(expr) is Bin and expr.op in ("==", "!=", "<", ">", "<=", ">=", "&&", "||"):
            return Bin(expr.op, expr.a, expr.b, type_)
        if type(expr) is Un and expr.op == "!":
            return Un("!", expr.e, type_)
        have = self.type_of(expr)
        if type(expr) is Func or type(expr) is Str:
            return Const(1, type_)
        return Bin("!=", expr, Const(0, have), type_)

    def condition(self, expr: Expr) -> Expr:
        """``expr`` without what does not change whether it is zero."""
        while True:
            if type(expr) is Cast:
                source, target = self.types[self.type_of(expr.e)], self.types[expr.type]
                if not (type(source) is TInt and type(target) is TInt):
                    return expr
                if target.bits < source.bits:
                    return expr
                expr = expr.e
            elif type(expr) is Un and expr.op == "!":
                inner = self.condition(expr.e)
                if not (type(inner) is Un and inner.op == "!"):
                    return Un("!", inner, expr.type)
                expr = inner.e
            else:
                return expr

    def _alike(self, a: TypeId, b: TypeId) -> bool:
        """Whether a value of one type is the same as one of the other."""
        x, y = self.types[a], self.types[b]
        if type(x) is TInt and type(y) is TInt:
            same = (x.bits, x.signed) == (y.bits, y.signed)
            return same and (a in self.table.bools) == (b in self.table.bools)
        return a == b or (type(x) is TPtr and type(y) is TPtr)

    def assign(self, dst: Expr, src: Expr, loc: LocId) -> None:
        """Store; a call just made into a temporary stores directly instead."""
        ops = self.cur.ops
        if type(src) is Var and ops and not self.vars[src.slot].name:
            last = ops[-1]
            if (
                type(last) is Call
                and last.dst is src
                and self._alike(self.type_of(src), self.type_of(dst))
            ):
                ops[-1] = Call(dst, last.fn, last.args, last.loc)
                if src.slot == len(self.vars) - 1:
                    self.vars.pop()
                return
        self.emit(Assign(dst, src, loc))
