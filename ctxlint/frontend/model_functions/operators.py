# SPDX-License-Identifier: GPL-2.0-or-later
"""Operators and conditions of model files."""

from __future__ import annotations

from typing import Any

from ctxlint.frontend.builder import Node, branch, jump
from ctxlint.frontend.builder.fold import COMPARISONS, truth
from ctxlint.frontend.builder.fold import binary as folded
from ctxlint.frontend.model_functions.convert import (
    arithmetic_pointee,
    assignable,
    check_step,
    chosen_type,
    comparable,
    decayed,
    integer,
    known_size,
    rvalue,
    same,
    scalar,
    spelled,
)
from ctxlint.frontend.model_functions.state import State, discarded, effect, expr, expression
from ctxlint.ir.ops import (
    Assign,
    Bin,
    Const,
    Deref,
    Expr,
    Field,
    Func,
    Global,
    Index,
    Un,
    Var,
)
from ctxlint.ir.types import TFunc, TInt, TPtr, TVoid, TypeId

STEPS = {"p++": "+", "p--": "-", "++": "+", "--": "-"}
_PLACES = frozenset(("ID", "StructRef", "ArrayRef", "CompoundLiteral"))


def test(s: State, node: Any, then: Node, els: Node) -> None:
    """Branch on a condition; ``&&`` and ``||`` become branches of their own
    where they need operations."""
    kind, op = type(node).__name__, getattr(node, "op", "")
    if kind == "UnaryOp" and op == "!":
        test(s, node.expr, els, then)
    elif kind == "BinaryOp" and op in ("&&", "||") and _has_effects(node):
        rest = Node()
        rest.used = True
        test(s, node.left, *((rest, els) if op == "&&" else (then, rest)))
        s.build.start(rest)
        test(s, node.right, then, els)
    else:
        e = s.build.condition(scalar(s, node))
        known = truth(e)
        if known is not None:
            s.build.end(jump(then if known else els))
        else:
            s.build.end(branch(e, then, els, s.loc(node)))


def lvalue(s: State, node: Any, what: str) -> Expr:
    """An object that can be stored to or whose address can be taken."""
    kind = type(node).__name__
    is_place = kind in _PLACES or (kind == "UnaryOp" and node.op == "*")
    at = node
    while type(at).__name__ == "StructRef" and at.type == ".":
        at = at.name
    e = expr(s, node) if is_place else None
    if isinstance(e, Var | Global | Field | Deref | Index) and (
        type(at).__name__ in _PLACES or (type(at).__name__ == "UnaryOp" and at.op == "*")
    ):
        return e
    raise s.error(node, f"{what} needs an object")


# unary


@expression("UnaryOp", effect=True)
def _unary(s: State, node: Any, *, wanted: bool = True) -> Expr:
    op = node.op
    if op in STEPS:
        return _step(s, node, wanted=wanted)
    if op in ("sizeof", "_Alignof"):
        return _size(s, node)
    if op == "&":
        return _address_of(s, node)
    if op == "*":
        pointer = rvalue(s, node.expr)
        shape = s.build.shape(pointer)
        if not isinstance(shape, TPtr):
            s.fail(node, f"* on something that is no pointer: {spelled(s, pointer)}")
        to = s.build.types[shape.to]
        if isinstance(to, TVoid):
            s.fail(node, "* on a pointer to void")
        return pointer if isinstance(to, TFunc) else s.build.deref(pointer, shape.to)
    if op == "!":
        e = scalar(s, node.expr)
        known = truth(e)
        if known is not None:
            return Const(int(not known), s.build.int_)
        return Un("!", s.build.condition(e), s.build.int_)
    e = integer(s, expr(s, node.expr), node)
    type_ = s.build.type_of(e)
    if op == "+":
        return e
    if op in ("-", "~"):
        if type(e) is Const:
            return s.build.const(-e.value if op == "-" else ~e.value, type_)
        return Un(op, e, type_)
    raise s.error(node, f"the operator {op} is not known here")


def _address_of(s: State, node: Any) -> Expr:
    if type(node.expr).__name__ == "ID":
        e = expr(s, node.expr)
        if isinstance(e, Func):
            return decayed(s, e)
    e = lvalue(s, node.expr, "&")
    if isinstance(e, Field) and e.width:
        s.fail(node, "the address of a bit-field")
    return s.build.address(e, s.build.pointer_to(s.build.type_of(e)))


def _size(s: State, node: Any) -> Expr:
    if type(node.expr).__name__ == "Typename":
        number = s.unit.resolve(node.expr)
        type_ = s.build.table.local(number)
    else:
        e = discarded(s, node.expr)
        type_ = s.build.type_of(e)
    size = s.world.align if node.op == "_Alignof" else s.world.size
    bytes_ = known_size(s, size, type_, node)
    return Const(bytes_, s.build.table.local(s.world.ulong))


def _step(s: State, node: Any, *, wanted: bool) -> Expr:
    place = lvalue(s, node.expr, node.op.strip("p"))
    type_ = s.build.type_of(place)
    check_step(s, place, node)
    loc = s.loc(node)
    before: Expr = place
    if wanted and node.op.startswith("p"):
        before = s.build.temp(type_)
        s.build.emit(Assign(before, place, loc))
    one = Const(1, s.build.int_)
    s.build.emit(Assign(place, s.build.compute(STEPS[node.op], place, one, type_), loc))
    return before


# binary


@expression("BinaryOp")
def _binary(s: State, node: Any) -> Expr:
    op = node.op
    if op in ("&&", "||"):
        return s.build.logical(
            s.build.int_, op == "&&", lambda: scalar(s, node.left),
            lambda: scalar(s, node.right), s.loc(node.left), s.loc(node.right),
        )  # fmt: skip
    a, b = rvalue(s, node.left), rvalue(s, node.right)
    pointers = [isinstance(s.build.shape(e), TPtr) for e in (a, b)]
    if any(pointers):
        if op in COMPARISONS:
            a, b = comparable(s, a, b, op, node)
            return Bin(op, a, b, s.build.int_)
        return _pointer_arithmetic(s, op, a, b, pointers, node)
    a, b = integer(s, a, node), integer(s, b, node)
    type_ = s.build.type_of(a)
    if op not in ("<<", ">>"):
        type_ = s.build.common(type_, s.build.type_of(b))
        a, b = s.build.convert(a, type_), s.build.convert(b, type_)
    result = s.build.int_ if op in COMPARISONS else type_
    return folded(op, a, b, result, s.build.types) or Bin(op, a, b, result)


def _pointer_arithmetic(
    s: State, op: str, a: Expr, b: Expr, pointers: list[bool], node: Any
) -> Expr:
    if op == "-" and all(pointers):
        x, y = (arithmetic_pointee(s, e, node) for e in (a, b))
        if not same(s, x, y):
            s.fail(node, "the difference of pointers to different types")
        return Bin("-", a, b, s.build.table.local(s.world.long_))
    if op not in ("+", "-") or all(pointers) or (op == "-" and pointers[1]):
        s.fail(node, f"{op} on a pointer")
    if pointers[1]:
        a, b = b, a
    arithmetic_pointee(s, a, node)
    return Bin(op, a, integer(s, b, node), s.build.type_of(a))


@expression("Assignment")
def _assignment(s: State, node: Any) -> Expr:
    if node.op == "=":
        src = rvalue(s, node.rvalue)
        dst = lvalue(s, node.lvalue, "=")
        src = assignable(s, src, s.build.type_of(dst), node, "=")
        s.build.assign(dst, src, s.loc(node))
        return dst
    op = node.op[:-1]
    value = integer(s, expr(s, node.rvalue), node)
    place = lvalue(s, node.lvalue, node.op)
    type_ = s.build.type_of(place)
    if isinstance(s.build.types[type_], TPtr):
        if op not in ("+", "-"):
            s.fail(node, f"{node.op} on a pointer")
        arithmetic_pointee(s, place, node)
    elif not isinstance(s.build.types[type_], TInt):
        s.fail(node, f"{node.op} on {spelled(s, place)}")
    s.build.emit(Assign(place, s.build.compute(op, place, value, type_), s.loc(node)))
    return place


@expression("ExprList", effect=True)
def _comma(s: State, node: Any, *, wanted: bool = True) -> Expr:
    for item in node.exprs[:-1]:
        effect(s, item)
    if not wanted:
        return effect(s, node.exprs[-1])
    return decayed(s, expr(s, node.exprs[-1]))


# choices


@expression("TernaryOp", effect=True)
def _ternary(s: State, node: Any, *, wanted: bool = True) -> Expr:
    if not wanted:
        cond = scalar(s, node.cond)
        known = truth(cond)
        if known is not None:
            return effect(s, node.iftrue if known else node.iffalse)
        return s.build.choose(
            s.build.void, cond, s.loc(node), lambda: effect(s, node.iftrue),
            lambda: effect(s, node.iffalse), wanted=False,
        )  # fmt: skip
    type_ = s.chosen.get(id(node))
    if type_ is None:
        type_ = s.chosen[id(node)] = _choice_type(s, node)
    if s.probing:
        return s.build.temp(type_)
    del s.chosen[id(node)]  # a macro's node may come again, in another scope
    if isinstance(s.build.types[type_], TVoid):
        _ternary(s, node, wanted=False)
        return Const(0, s.build.void)
    cond = scalar(s, node.cond)

    def one(part: Any) -> Expr:
        return assignable(s, rvalue(s, part), type_, part, "?:")

    known = truth(cond)
    if known is not None:
        return one(node.iftrue if known else node.iffalse)
    return s.build.choose(
        type_, s.build.condition(cond), s.loc(node), lambda: one(node.iftrue),
        lambda: one(node.iffalse),
    )  # fmt: skip


def _choice_type(s: State, node: Any) -> TypeId:
    outer, s.probing = s.probing, True
    found = []
    for part in (node.iftrue, node.iffalse):
        e = discarded(s, part)
        found.append(e if isinstance(e, Const) else decayed(s, e))
    s.probing = outer
    return chosen_type(s, found[0], found[1], node)


def _has_effects(node: Any) -> bool:
    stack = [node]
    while stack:
        item = stack.pop()
        kind = type(item).__name__
        if kind in ("FuncCall", "Assignment", "CompoundLiteral") or (
            kind == "UnaryOp" and item.op in STEPS
        ):
            return True
        if not (kind == "UnaryOp" and item.op in ("sizeof", "_Alignof")):
            stack.extend(child for _, child in item.children())
    return False
