# SPDX-License-Identifier: GPL-2.0-or-later
"""Operators and conditions."""

from __future__ import annotations

from ctxlint.frontend.builder import Node, branch, jump
from ctxlint.frontend.builder.fold import COMPARISONS, binary, storable, truth, wrap
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.kinds import BinaryOperator, CursorKind, UnaryOperator
from ctxlint.frontend.lowering.state import State, effect, expr, expression
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

_OPERATORS = {
    BinaryOperator.MUL: "*", BinaryOperator.DIV: "/", BinaryOperator.REM: "%",
    BinaryOperator.ADD: "+", BinaryOperator.SUB: "-", BinaryOperator.SHL: "<<",
    BinaryOperator.SHR: ">>", BinaryOperator.LT: "<", BinaryOperator.GT: ">",
    BinaryOperator.LE: "<=", BinaryOperator.GE: ">=", BinaryOperator.EQ: "==",
    BinaryOperator.NE: "!=", BinaryOperator.AND: "&", BinaryOperator.XOR: "^",
    BinaryOperator.OR: "|",
}  # fmt: skip
_COMPOUND = {
    BinaryOperator.MUL_ASSIGN: "*", BinaryOperator.DIV_ASSIGN: "/",
    BinaryOperator.REM_ASSIGN: "%", BinaryOperator.ADD_ASSIGN: "+",
    BinaryOperator.SUB_ASSIGN: "-", BinaryOperator.SHL_ASSIGN: "<<",
    BinaryOperator.SHR_ASSIGN: ">>", BinaryOperator.AND_ASSIGN: "&",
    BinaryOperator.XOR_ASSIGN: "^", BinaryOperator.OR_ASSIGN: "|",
}  # fmt: skip
_STEPS = {
    UnaryOperator.POST_INC: "+", UnaryOperator.POST_DEC: "-",
    UnaryOperator.PRE_INC: "+", UnaryOperator.PRE_DEC: "-",
}  # fmt: skip
_POSTFIX = frozenset({UnaryOperator.POST_INC, UnaryOperator.POST_DEC})
_LOGICAL = frozenset({BinaryOperator.LAND, BinaryOperator.LOR})


@expression(CursorKind.UNARY_OPERATOR, effect=True)
def _unary(s: State, cursor: Cursor, *, wanted: bool = True) -> Expr:
    op = s.lib.getCursorUnaryOperatorKind(cursor)
    kid = s.operand(cursor)
    if op == UnaryOperator.LNOT:
        e = expr(s, kid)
        type_ = s.type(cursor)
        known = truth(e)
        if known is not None:
            return Const(int(not known), type_)
        if type(e) is Un and e.op == "!" and _is_condition(e.e):
            return s.build.truth_value(e.e, type_)
        return Un("!", e, type_)
    if op in _STEPS:
        return _step(s, cursor, kid, op, wanted=wanted)
    e = expr(s, kid)
    if op in (UnaryOperator.PLUS, UnaryOperator.EXTENSION):
        return e
    type_ = s.type(cursor)
    if op == UnaryOperator.ADDR_OF:
        return s.build.address(e, type_)
    if op == UnaryOperator.DEREF:
        have = s.build.shape(e)
        if isinstance(have, TPtr):
            return s.build.deref(e, have.to)
        if isinstance(have, TFunc):
            return e
        return s.opaque("dereference", type_)
    if op in (UnaryOperator.MINUS, UnaryOperator.NOT):
        minus = op == UnaryOperator.MINUS
        if type(e) is Const:
            number = wrap(-e.value if minus else ~e.value, s.build.types[type_])
            if storable(number):
                return Const(number, type_)
        if type(e) is FConst:
            return FConst(-e.value, type_)
        return Un("-" if minus else "~", e, type_)
    return s.opaque(f"unary operator {op}", type_)


def _is_condition(e: Expr) -> bool:
    return (type(e) is Bin and (e.op in COMPARISONS or e.op in ("&&", "||"))) or (
        type(e) is Un and e.op == "!"
    )


def _step(s: State, cursor: Cursor, kid: Cursor, op: int, *, wanted: bool) -> Expr:
    """``++`` and ``--``."""
    place = expr(s, kid)
    type_ = s.build.type_of(place)
    loc = s.loc(cursor)
    before: Expr = place
    if wanted and op in _POSTFIX:
        before = s.build.temp(type_)
        s.build.emit(Assign(before, place, loc))
    one = Const(1, s.build.int_)
    s.build.emit(Assign(place, s.build.compute(_STEPS[op], place, one, type_), loc))
    return before


@expression(CursorKind.BINARY_OPERATOR, effect=True)
def _binary(s: State, cursor: Cursor, *, wanted: bool = True) -> Expr:
    op = s.lib.getCursorBinaryOperatorKind(cursor)
    first, second = s.lib.children(cursor)[-2:]
    name = _OPERATORS.get(op)
    if name is not None:
        a, b = expr(s, first), expr(s, second)
        type_ = s.type(cursor)
        if type(a) is Const and type(b) is Const:
            folded = binary(name, a, b, type_, s.build.types)
            if folded is not None:
                return folded
        elif type(b) is Const and not b.name:
            b = Const(b.value, b.type, s.parsed.written(name, first, second))
        return Bin(name, a, b, type_)
    if op == BinaryOperator.ASSIGN:
        value = expr(s, second)
        place = expr(s, first)
        s.build.assign(place, value, s.loc(cursor))
        return place
    if op == BinaryOperator.COMMA:
        effect(s, first)
        return (expr if wanted else effect)(s, second)
    if op in _LOGICAL:
        return s.build.logical(
            s.type(cursor), op == BinaryOperator.LAND, lambda: expr(s, first),
            lambda: expr(s, second), s.loc(first), s.loc(second),
        )  # fmt: skip
    return s.opaque(f"binary operator {op}", s.type(cursor))


@expression(CursorKind.COMPOUND_ASSIGNMENT_OPERATOR)
def _compound_assign(s: State, cursor: Cursor) -> Expr:
    first, second = s.lib.children(cursor)[-2:]
    op = _COMPOUND[s.lib.getCursorBinaryOperatorKind(cursor)]
    value = expr(s, second)
    place = expr(s, first)
    result = s.build.compute(op, place, value, s.build.type_of(place))
    s.build.emit(Assign(place, result, s.loc(cursor)))
    return place


def test(s: State, cursor: Cursor, then: Node, els: Node) -> None:
    """Branch on a condition. ``&&`` and ``||`` that need operations become
    branches of their own."""
    cursor, positive = _stripped(s, cursor)
    if not positive:
        then, els = els, then
    is_binary = cursor.kind == CursorKind.BINARY_OPERATOR
    op = s.lib.getCursorBinaryOperatorKind(cursor) if is_binary else 0
    if op in _LOGICAL and s.lib.any_descendant(cursor, _IMPURE):
        first, second = s.lib.children(cursor)[-2:]
        rest = Node()
        test(s, first, *((rest, els) if op == BinaryOperator.LAND else (then, rest)))
        s.build.start(rest, live=rest.used)
        if not s.build.dead:
            test(s, second, then, els)
        return
    e = s.build.condition(expr(s, cursor))
    known = truth(e)
    if known is not None:
        s.build.end(jump(then if known else els))
    else:
        s.build.end(branch(e, then, els, s.loc(cursor)))


def _stripped(s: State, cursor: Cursor) -> tuple[Cursor, bool]:
    """A condition without parentheses, hints and negations, and whether
    it still is true for the same values."""
    positive = True
    while cursor.kind in _WRAPPERS:
        kind, kids = cursor.kind, s.lib.children(cursor)
        if kind == CursorKind.PAREN_EXPR:
            cursor = kids[0]
        elif kind == CursorKind.UNARY_OPERATOR:
            if s.lib.getCursorUnaryOperatorKind(cursor) != UnaryOperator.LNOT:
                break
            cursor, positive = kids[-1], not positive
        elif kind == CursorKind.CALL_EXPR:
            if len(kids) < 3 or not s.names.spelling(kids[0]).startswith("__builtin_expect"):
                break
            cursor = kids[1]
        elif len(kids) == 1 and kids[0].kind in _CONDITIONS:  # an implicit cast
            cursor = kids[0]
        else:
            break
    return cursor, positive


@expression(CursorKind.CONDITIONAL_OPERATOR, effect=True)
def _conditional(s: State, cursor: Cursor, *, wanted: bool = True) -> Expr:
    first, yes, no = s.lib.children(cursor)[-3:]
    cond = expr(s, first)
    known = truth(cond)
    lower = expr if wanted else effect
    if known is not None:
        return s.build.convert(lower(s, yes if known else no), s.type(cursor))
    return s.build.choose(
        s.type(cursor), cond, s.loc(first), lambda: lower(s, yes), lambda: lower(s, no),
        wanted=wanted,
    )  # fmt: skip
