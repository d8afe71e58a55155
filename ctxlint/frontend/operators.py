# SPDX-License-Identifier: GPL-2.0-or-later
"""Operators and conditions.

Cursor kinds and operator kinds are libclang's own numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctxlint.frontend.builtins import Builtins
from ctxlint.frontend.cfg import Node, branch, jump
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.fold import COMPARISONS, binary, truth
from ctxlint.ir.ops import Assign, Bin, Const, Expr, FConst, Field, Select, Un
from ctxlint.ir.types import TFloat, TFunc, TInt, TPtr, TVoid, TypeId

(UNEXPOSED, DECL_REF, MEMBER_REF_EXPR, CALL, INTEGER, FLOATING, STRING, CHARACTER, PAREN,
 UNARY, SUBSCRIPT, BINARY, COMPOUND_ASSIGN, CONDITIONAL, CAST, COMPOUND_LITERAL, INIT_LIST,
 ADDR_LABEL, STMT_EXPR, GENERIC, UNARY_TRAIT) = (
    100, 101, 102, 103, 106, 107, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120,
    121, 122, 136,
)  # fmt: skip
MEMBER_REF = 47
INT_KIND = 17  # the type kind
_IMPURE = frozenset((CALL, COMPOUND_ASSIGN, STMT_EXPR))
_WRAPPERS = frozenset((PAREN, UNARY, CALL, UNEXPOSED))
_CONDITIONS = frozenset((PAREN, UNARY, CALL, BINARY))

OPERATORS = {
    3: "*", 4: "/", 5: "%", 6: "+", 7: "-", 8: "<<", 9: ">>", 11: "<", 12: ">", 13: "<=",
    14: ">=", 15: "==", 16: "!=", 17: "&", 18: "^", 19: "|",
}  # fmt: skip
LAND, LOR, ASSIGN, COMMA = 20, 21, 22, 33
COMPOUND = {
    23: "*", 24: "/", 25: "%", 26: "+", 27: "-", 28: "<<", 29: ">>", 30: "&", 31: "^", 32: "|",
}  # fmt: skip
POST_INC, POST_DEC, PRE_INC, PRE_DEC, ADDR_OF, DEREF, PLUS, MINUS, NOT, LNOT = range(1, 11)
EXTENSION = 13


class Operators(Builtins):
    """Lowering of operators; the other expressions are in the subclass."""

    def operand(self, cursor: Cursor) -> Cursor:
        """The last child, which is what a cast or parenthesis holds."""
        return self.lib.children(cursor)[-1]

    def effect_value(self, cursor: Cursor) -> Expr:
        self.effect(cursor)
        return Const(0, self.void)

    def _unary(self, cursor: Cursor) -> Expr:
        op = self.lib.getCursorUnaryOperatorKind(cursor)
        kid = self.operand(cursor)
        if op == LNOT:
            e = self.expr(kid)
            type_ = self.type(cursor)
            known = truth(e)
            if known is not None:
                return Const(int(not known), type_)
            if type(e) is Un and e.op == "!" and self._is_condition(e.e):
                return self.truth_value(e.e, type_)
            return Un("!", e, type_)
        if op in (POST_INC, POST_DEC, PRE_INC, PRE_DEC):
            return self._step(cursor, kid, op, wanted=True)
        e = self.expr(kid)
        if op in (PLUS, EXTENSION):
            return e
        type_ = self.type(cursor)
        if op == ADDR_OF:
            return self.address(e, type_)
        if op == DEREF:
            have = self.types[self.type_of(e)]
            if isinstance(have, TPtr):
                return self.deref(e, have.to)
            if isinstance(have, TFunc):
                return e
            return self.opaque("dereference", type_)
        if op in (MINUS, NOT):
            if type(e) is Const:
                return self.const(-e.value if op == MINUS else ~e.value, type_)
            if type(e) is FConst:
                return FConst(-e.value, type_)
            return Un("-" if op == MINUS else "~", e, type_)
        return self.opaque(f"unary operator {op}", type_)

    @staticmethod
    def _is_condition(e: Expr) -> bool:
        return (type(e) is Bin and (e.op in COMPARISONS or e.op in ("&&", "||"))) or (
            type(e) is Un and e.op == "!"
        )

    def _step(self, cursor: Cursor, kid: Cursor, op: int, *, wanted: bool) -> Expr:
        """``++`` and ``--``."""
        place = self.expr(kid)
        type_ = self.type_of(place)
        loc = self.loc(cursor)
        before: Expr = place
        if wanted and op in (POST_INC, POST_DEC):
            before = self.temp(type_)
            self.emit(Assign(before, place, loc))
        sign = "+" if op in (POST_INC, PRE_INC) else "-"
        self.emit(Assign(place, self._compute(sign, place, Const(1, self.int_), type_), loc))
        return before

    def _compute(self, op: str, place: Expr, value: Expr, type_: TypeId) -> Expr:
        """The right side of ``place op= value``: computed in the common type
        of the operands, converted back."""
        left, right = self.types[type_], self.types[self.type_of(value)]
        if isinstance(left, TPtr):
            return Bin(op, place, value, type_)
        common = self.promoted(place)
        if op not in ("<<", ">>"):
            common = self._common(common, self.type_of(value), right)
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

    def _common(self, a: TypeId, b: TypeId, right: Any) -> TypeId:
        left = self.types[a]
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

    def _binary(self, cursor: Cursor) -> Expr:
        op = self.lib.getCursorBinaryOperatorKind(cursor)
        first, second = self.lib.children(cursor)[-2:]
        name = OPERATORS.get(op)
        if name is not None:
            a, b = self.expr(first), self.expr(second)
            type_ = self.type(cursor)
            if type(a) is Const and type(b) is Const:
                folded = binary(name, a, b, type_, self.types)
                if folded is not None:
                    return folded
            return Bin(name, a, b, type_)
        if op == ASSIGN:
            return self._assignment(cursor, first, second)
        if op == COMMA:
            self.effect(first)
            return self.expr(second)
        if op in (LAND, LOR):
            return self._logical(cursor, first, second, op == LAND)
        return self.opaque(f"binary operator {op}", self.type(cursor))

    def _assignment(self, cursor: Cursor, first: Cursor, second: Cursor) -> Expr:
        src = self.expr(second)
        dst = self.expr(first)
        self.assign(dst, src, self.loc(cursor))
        return dst

    def _compound_assign(self, cursor: Cursor) -> Expr:
        first, second = self.lib.children(cursor)[-2:]
        op = COMPOUND[self.lib.getCursorBinaryOperatorKind(cursor)]
        value = self.expr(second)
        place = self.expr(first)
        result = self._compute(op, place, value, self.type_of(place))
        self.emit(Assign(place, result, self.loc(cursor)))
        return place

    def pure(self, lower: Callable[[], Expr]) -> tuple[Expr, Node | None]:
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

    def _logical(self, cursor: Cursor, first: Cursor, second: Cursor, both: bool) -> Expr:
        type_ = self.type(cursor)
        a = self.expr(first)
        known = truth(a)
        if known is not None:
            if known != both:
                return Const(int(known), type_)
            return self.truth_value(self.expr(second), type_)
        outer, loc = self.cur, self.loc(first)
        was_dead = self.dead
        b, node = self.pure(lambda: self.expr(second))
        if node is None:
            value = truth(b)
            if value is not None:
                return Const(int(value), type_) if value != both else self.truth_value(a, type_)
            a, b = self.condition(a), self.condition(b)
            return Bin("&&" if both else "||", a, b, type_)
        result, after, short = self.temp(type_), Node(), Node()
        self.emit(Assign(result, self.truth_value(b, type_), self.loc(second)))
        self.end(jump(after))
        ends = (node, short) if both else (short, node)
        self.start(outer, live=not was_dead)
        self.end(branch(self.condition(a), *ends, loc))
        self.start(short, live=not was_dead)
        self.emit(Assign(result, Const(int(not both), type_), loc))
        self.join(after)
        return result

    def test(self, cursor: Cursor, then: Node, els: Node) -> None:
        """Branch on a condition. ``&&`` and ``||`` that need operations become
        branches of their own."""
        cursor, positive = self._stripped(cursor)
        if not positive:
            then, els = els, then
        op = self.lib.getCursorBinaryOperatorKind(cursor) if cursor.kind == BINARY else 0
        if op in (LAND, LOR) and self.lib.any_descendant(cursor, _IMPURE):
            first, second = self.lib.children(cursor)[-2:]
            rest = Node()
            self.test(first, *((rest, els) if op == LAND else (then, rest)))
            self.start(rest, live=rest.used)
            if not self.dead:
                self.test(second, then, els)
            return
        e = self.condition(self.expr(cursor))
        known = truth(e)
        if known is not None:
            self.end(jump(then if known else els))
        else:
            self.end(branch(e, then, els, self.loc(cursor)))

    def _stripped(self, cursor: Cursor) -> tuple[Cursor, bool]:
        """A condition without parentheses, hints and negations, and whether
        it still is true for the same values."""
        positive = True
        while True:
            kids = self.lib.children(cursor) if cursor.kind in _WRAPPERS else []
            if cursor.kind == PAREN:
                cursor = kids[0]
            elif cursor.kind == UNARY:
                if self.lib.getCursorUnaryOperatorKind(cursor) != LNOT:
                    return cursor, positive
                cursor, positive = kids[-1], not positive
            elif cursor.kind == CALL and len(kids) > 2 and self._is_hint(kids[0]):
                cursor = kids[1]
            elif cursor.kind == UNEXPOSED and len(kids) == 1 and kids[0].kind in _CONDITIONS:
                cursor = kids[0]
            else:
                return cursor, positive

    def _is_hint(self, callee: Cursor) -> bool:
        return self.names.spelling(callee).startswith("__builtin_expect")

    def _conditional(self, cursor: Cursor, *, wanted: bool = True) -> Expr:
        test, yes, no = self.lib.children(cursor)[-3:]
        cond = self.expr(test)
        known = truth(cond)
        lower = self.expr if wanted else self.effect_value
        if known is not None:
            return self.convert(lower(yes if known else no), self.type(cursor))
        return self._choose(
            cursor, cond, test, lambda: lower(yes), lambda: lower(no), wanted=wanted
        )

    def _choose(
        self,
        cursor: Cursor,
        cond: Expr,
        test: Cursor,
        yes: Callable[[], Expr],
        no: Callable[[], Expr],
        *,
        wanted: bool = True,
    ) -> Expr:
        type_ = self.type(cursor)
        loc, outer, was_dead = self.loc(test), self.cur, self.dead
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
