# SPDX-License-Identifier: GPL-2.0-or-later
"""Operators and conditions.

Cursor kinds and operator kinds are libclang's own numbers.
"""

from __future__ import annotations

from ctxlint.frontend.builtins import Builtins
from ctxlint.frontend.cfg import Node, branch, jump
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.fold import COMPARISONS, binary, storable, truth, wrap
from ctxlint.ir.ops import Assign, Bin, Const, Expr, FConst, Un
from ctxlint.ir.types import TFunc, TPtr

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
                number = wrap(-e.value if op == MINUS else ~e.value, self.types[type_])
                if storable(number):
                    return Const(number, type_)
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
        self.emit(Assign(place, self.compute(sign, place, Const(1, self.int_), type_), loc))
        return before

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
            elif type(b) is Const and not b.name:
                b = Const(b.value, b.type, self.parsed.written(name, first, second))
            return Bin(name, a, b, type_)
        if op == ASSIGN:
            return self._assignment(cursor, first, second)
        if op == COMMA:
            self.effect(first)
            return self.expr(second)
        if op in (LAND, LOR):
            return self.logical(
                self.type(cursor), op == LAND, lambda: self.expr(first),
                lambda: self.expr(second), self.loc(first), self.loc(second),
            )  # fmt: skip
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
        result = self.compute(op, place, value, self.type_of(place))
        self.emit(Assign(place, result, self.loc(cursor)))
        return place

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
        return self.choose(
            self.type(cursor), cond, self.loc(test), lambda: lower(yes), lambda: lower(no),
            wanted=wanted,
        )  # fmt: skip
