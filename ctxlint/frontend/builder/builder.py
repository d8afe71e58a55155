# SPDX-License-Identifier: GPL-2.0-or-later
"""Building one function or initialiser, whatever parser read it: the block
being filled, variables, places, C's conversions of values, and choices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from ctxlint.frontend.builder.cfg import Node, branch, jump
from ctxlint.frontend.builder.fold import COMPARISONS, storable, truth, wrap
from ctxlint.frontend.builder.table import Table
from ctxlint.ir.ops import (
    Addr,
    Assign,
    Bin,
    Call,
    Cast,
    Const,
    Deref,
    Expr,
    Field,
    Func,
    LocId,
    Op,
    Select,
    Str,
    Un,
    Var,
)
from ctxlint.ir.types import TArray, TFloat, TFunc, TInt, TPtr, TRecord, TVoid, Type, TypeId
from ctxlint.ir.unit import Loc, VarDecl

T = TypeVar("T", bound=Table)
Lower = Callable[[], Expr]


class Builder(Generic[T]):
    """The function so far.

    ``table`` are its types. With ``short`` a conversion of a promoted value leaves out the
    promotion, where that keeps the value.
    """

    def __init__(self, table: T, *, short: bool = False) -> None:
        self.table = table
        self._short = short
        self.types = table.types
        self.pointer_bits = table.world.pointer_bits
        self.void = table.local(table.world.void)
        self.int_ = table.local(table.world.int_)
        self.vars: list[VarDecl] = []  # slots of Var
        self.locs: list[Loc] = []
        self._loc_of: dict[Loc, LocId] = {}
        self.entry = self.cur = Node()
        self.dead = False

    # places and blocks

    def loc_id(self, loc: Loc) -> LocId:
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

    def shape(self, expr: Expr) -> Type:
        """The type itself, whose id is :meth:`type_of`."""
        if type(expr) is Var:
            return self.types[self.vars[expr.slot].type]
        return self.types[expr.type]  # type: ignore[union-attr]

    def const(self, value: int, type_: TypeId) -> Expr:
        """A constant. One of 128 bits may be the conversion of a shorter one (all of clang's
        answers are numbers of 64 bits)."""
        number = wrap(value, self.types[type_], self.pointer_bits)
        if storable(number):
            return Const(number, type_)
        return Cast(Const(value, self.table.intern(TInt(64, True))), type_)

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

    def decayed(self, expr: Expr) -> Expr:
        """``expr``, or the address of its first element when it is an array."""
        array = self.shape(expr)
        return Addr(expr, self.pointer_to(array.of)) if isinstance(array, TArray) else expr

    def convert(self, expr: Expr, to: TypeId) -> Expr:
        """``expr`` as a value of type ``to``: decay, conversion, or nothing."""
        if self._short:
            expr = self._unpromoted(expr, to)
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
                return Const(wrap(expr.value, target, self.pointer_bits), to)
            if type(expr) is Func:
                return Cast(expr, to)
            if type(source) is TPtr and source.to == target.to:  # type: ignore[union-attr]
                return expr
            if type(expr) is Cast and type(source) is TPtr:
                inner = self.shape(expr.e)
                if type(inner) is TPtr:
                    return self.convert(expr.e, to)
            if type(source) in (TPtr, TInt):
                return Cast(expr, to)
            return expr
        if kind is TFloat:
            return Cast(expr, to)
        return expr

    def _unpromoted(self, expr: Expr, to: TypeId) -> Expr:
        """``expr`` without a promotion that changes nothing on the way to ``to``."""
        if isinstance(expr, Cast) and isinstance(self.types[to], TInt) and not self.is_bool(to):
            before, between = self.shape(expr.e), self.types[expr.type]
            if isinstance(before, TInt) and isinstance(between, TInt):
                wider = before.bits < between.bits
                if wider and (between.signed or not before.signed):
                    return expr.e
        return expr

    def _to_integer(self, expr: Expr, to: TypeId, have: TypeId) -> Expr:
        target, source = self.types[to], self.types[have]
        assert isinstance(target, TInt)
        if to in self.table.bools:
            if have in self.table.bools:
                return expr
            return self.truth_value(expr, to)
        if type(expr) is Const:
            value = wrap(expr.value, target)
            return Const(value, to, expr.name) if storable(value) else Cast(expr, to)
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
        if type(expr) is Bin and (expr.op in COMPARISONS or expr.op in ("&&", "||")):
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
                source, target = self.shape(expr.e), self.types[expr.type]
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

    # arithmetic

    def compute(self, op: str, place: Expr, value: Expr, type_: TypeId) -> Expr:
        """The right side of ``place op= value``: computed in the common type
        of the operands, converted back."""
        if isinstance(self.types[type_], TPtr):
            return Bin(op, place, value, type_)
        common = self.promoted(place)
        if op not in ("<<", ">>"):
            common = self.common(common, self.type_of(value))
            value = self.convert(value, common)
        e: Expr = Bin(op, self.convert(place, common), value, common)
        return self.convert(e, type_)

    def promoted(self, e: Expr) -> TypeId:
        """The type of ``e`` after C's integer promotions."""
        have = self.type_of(e)
        type_ = self.types[have]
        if not isinstance(type_, TInt):
            return have
        if type_.bits < 32 or (type(e) is Field and 0 < e.width < 32):
            return self.int_
        return have

    def common(self, a: TypeId, b: TypeId) -> TypeId:
        """The type of arithmetic on a promoted ``a`` and any ``b``."""
        left, right = self.types[a], self.types[b]
        if isinstance(left, TFloat) or isinstance(right, TFloat):
            floats = [t for t in (a, b) if isinstance(self.types[t], TFloat)]
            return max(floats, key=lambda t: self.types[t].bits)  # type: ignore[union-attr]
        if not isinstance(left, TInt) or not isinstance(right, TInt):
            return a
        if right.bits < 32:
            return a
        if left.bits != right.bits:
            return a if left.bits > right.bits else b
        return b if left.signed and not right.signed else a

    # && || ?: : expressions while their operands are pure, branches otherwise

    def pure(self, lower: Lower) -> tuple[Expr, Node | None]:
        """Lower into a block of its own. When that emitted nothing, the block
        is given up and None comes back in its place; otherwise the block to
        enter first (the current block is then where the value is known)."""
        outer, node = self.cur, Node()
        was_dead = self.dead
        self.start(node, live=not was_dead)
        e = lower()
        if self.cur is node and not node.ops and node.term is None:
            outer.refs.extend(node.refs)
            self.start(outer, live=not was_dead)
            return e, None
        return e, node

    def logical(
        self, type_: TypeId, both: bool, first: Lower, second: Lower, loc: LocId, loc2: LocId
    ) -> Expr:
        """``first && second`` (``both``) or ``first || second``, of type ``type_``."""
        a = first()
        known = truth(a)
        if known is not None:
            if known != both:
                return Const(int(known), type_)
            return self.truth_value(second(), type_)
        outer = self.cur
        was_dead = self.dead
        b, node = self.pure(second)
        if node is None:
            value = truth(b)
            if value is not None:
                return Const(int(value), type_) if value != both else self.truth_value(a, type_)
            a, b = self.condition(a), self.condition(b)
            return Bin("&&" if both else "||", a, b, type_)
        result, after, short = self.temp(type_), Node(), Node()
        self.emit(Assign(result, self.truth_value(b, type_), loc2))
        self.end(jump(after))
        ends = (node, short) if both else (short, node)
        self.start(outer, live=not was_dead)
        self.end(branch(self.condition(a), *ends, loc))
        self.start(short, live=not was_dead)
        self.emit(Assign(result, Const(int(not both), type_), loc))
        self.join(after)
        return result

    def choose(
        self,
        type_: TypeId,
        cond: Expr,
        loc: LocId,
        yes: Lower,
        no: Lower,
        *,
        wanted: bool = True,
    ) -> Expr:
        """``cond ? yes : no``; without a value when nobody wants it."""
        outer, was_dead = self.cur, self.dead
        a, a_node = self.pure(yes)
        a_cur, a_dead = self.cur, self.dead
        self.start(outer, live=not was_dead)
        b, b_node = self.pure(no)
        nothing = not wanted or isinstance(self.types[type_], TVoid)
        if a_node is None and b_node is None:
            if nothing:
                return a
            return Select(cond, self.convert(a, type_), self.convert(b, type_), type_)
        result = None if nothing else self.temp(type_)
        after = Node()
        b_cur, b_dead = self.cur, self.dead
        starts: list[Node] = []
        for e, node, cur, dead in ((a, a_node, a_cur, a_dead), (b, b_node, b_cur, b_dead)):
            if node is None:
                node = cur = Node()
                dead = was_dead
            starts.append(node)
            self.start(cur, live=not dead)
            if result is not None:
                self.assign(result, self.convert(e, type_), loc)
            self.end(jump(after))
        self.start(outer, live=not was_dead)
        self.end(branch(self.condition(cond), starts[0], starts[1], loc))
        self.start(after, live=after.used)
        return result if result is not None else Const(0, self.int_)
