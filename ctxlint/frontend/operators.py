# SPDX-License-Identifier: GPL-2.0-or-later
"""Operators and conditions."""

from __future__ import annotations

from ctxlint.frontend.builtins import Builtins
from ctxlint.frontend.cfg import Node, branch, jump
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.fold import COMPARISONS, binary, storable, truth, wrap
from ctxlint.frontend.kinds import BinaryOperator, CursorKind, UnaryOperator
from ctxlint.ir.ops import Assign, Bin, Const, Expr, FConst, Un
from ctxlint.ir.types import TFunc, TPtr

_IMPURE = frozenset(
    {CursorKind.CALL_EXPR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR, CursorKind.STMT_EXPR}
)
_CONDITIONS = frozenset(
    {CursorKind.PAREN_EXPR, CursorKind.UNARY_OPERATOR, CursorKind.CALL_EXPR,
     CursorKind.BINARY_OPERATOR}
)  # fmt: skip
_WRAPPERS = (_CONDITIONS | {CursorKind.UNEXPOSED_EXPR}) - {CursorKind.BINARY_OPERATOR}

OPERATORS = {
    BinaryOperator.MUL: "*", BinaryOperator.DIV: "/", BinaryOperator.REM: "%",
    BinaryOperator.ADD: "+", BinaryOperator.SUB: "-", BinaryOperator.SHL: "<<",
    BinaryOperator.SHR: ">>", BinaryOperator.LT: "<", BinaryOperator.GT: ">",
    BinaryOperator.LE: "<=", BinaryOperator.GE: ">=", BinaryOperator.EQ: "==",
    BinaryOperator.NE: "!=", BinaryOperator.AND: "&", BinaryOperator.XOR: "^",
    BinaryOperator.OR: "|",
}  # fmt: skip
COMPOUND = {
    BinaryOperator.MUL_ASSIGN: "*", BinaryOperator.DIV_ASSIGN: "/",
    BinaryOperator.REM_ASSIGN: "%", BinaryOperator.ADD_ASSIGN: "+",
    BinaryOperator.SUB_ASSIGN: "-", BinaryOperator.SHL_ASSIGN: "<<",
    BinaryOperator.SHR_ASSIGN: ">>", BinaryOperator.AND_ASSIGN: "&",
    BinaryOperator.XOR_ASSIGN: "^", BinaryOperator.OR_ASSIGN: "|",
}  # fmt: skip
STEPS = {
    UnaryOperator.POST_INC: "+", UnaryOperator.POST_DEC: "-",
    UnaryOperator.PRE_INC: "+", UnaryOperator.PRE_DEC: "-",
}  # fmt: skip
_POSTFIX = frozenset((UnaryOperator.POST_INC, UnaryOperator.POST_DEC))


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
        if op == UnaryOperator.LNOT:
            e = self.expr(kid)
            type_ = self.type(cursor)
            known = truth(e)
            if known is not None:
                return Const(int(not known), type_)
            if type(e) is Un and e.op == "!" and self._is_condition(e.e):
                return self.truth_value(e.e, type_)
            return Un("!", e, type_)
        if op in STEPS:
            return self._step(cursor, kid, op, wanted=True)
        e = self.expr(kid)
        if op in (UnaryOperator.PLUS, UnaryOperator.EXTENSION):
            return e
        type_ = self.type(cursor)
        if op == UnaryOperator.ADDR_OF:
            return self.address(e, type_)
        if op == UnaryOperator.DEREF:
            have = self.types[self.type_of(e)]
            if isinstance(have, TPtr):
                return self.deref(e, have.to)
            if isinstance(have, TFunc):
                return e
            return self.opaque("dereference", type_)
        if op in (UnaryOperator.MINUS, UnaryOperator.NOT):
            if type(e) is Const:
                number = wrap(
                    -e.value if op == UnaryOperator.MINUS else ~e.value, self.types[type_]
                )
                if storable(number):
                    return Const(number, type_)
            if type(e) is FConst:
                return FConst(-e.value, type_)
            return Un("-" if op == UnaryOperator.MINUS else "~", e, type_)
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
        if wanted and op in _POSTFIX:
            before = self.temp(type_)
            self.emit(Assign(before, place, loc))
        one = Const(1, self.int_)
        self.emit(Assign(place, self.compute(STEPS[op], place, one, type_), loc))
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
        if op == BinaryOperator.ASSIGN:
            return self._assignment(cursor, first, second)
        if op == BinaryOperator.COMMA:
            self.effect(first)
            return self.expr(second)
        if op in (BinaryOperator.LAND, BinaryOperator.LOR):
            return self.logical(
                self.type(cursor), op == BinaryOperator.LAND, lambda: self.expr(first),
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
        op = (
            self.lib.getCursorBinaryOperatorKind(cursor)
            if cursor.kind == CursorKind.BINARY_OPERATOR
            else 0
        )
        if op in (BinaryOperator.LAND, BinaryOperator.LOR) and self.lib.any_descendant(
            cursor, _IMPURE
        ):
            first, second = self.lib.children(cursor)[-2:]
            rest = Node()
            self.test(first, *((rest, els) if op == BinaryOperator.LAND else (then, rest)))
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
            if cursor.kind == CursorKind.PAREN_EXPR:
                cursor = kids[0]
            elif cursor.kind == CursorKind.UNARY_OPERATOR:
                if self.lib.getCursorUnaryOperatorKind(cursor) != UnaryOperator.LNOT:
                    return cursor, positive
                cursor, positive = kids[-1], not positive
            elif (
                cursor.kind == CursorKind.CALL_EXPR and len(kids) > 2 and self._is_hint(kids[0])
            ):
                cursor = kids[1]
            elif (
                cursor.kind == CursorKind.UNEXPOSED_EXPR
                and len(kids) == 1
                and kids[0].kind in _CONDITIONS
            ):
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
