# SPDX-License-Identifier: GPL-2.0-or-later
"""Operators and conditions of model files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ctxlint.frontend.builder import Node
from ctxlint.frontend.builder.fold import binary, truth
from ctxlint.frontend.model_functions.convert import Conversions
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
    LocId,
    Un,
    Var,
)
from ctxlint.ir.types import TFunc, TInt, TPtr, TVoid, TypeId

if TYPE_CHECKING:
    from ctxlint.frontend.model_functions.unit import FileLowering

STEPS = {"p++": "+", "p--": "-", "++": "+", "--": "-"}
_COMPARE = frozenset(("<", ">", "<=", ">=", "==", "!="))
_PLACES = frozenset(("ID", "StructRef", "ArrayRef", "CompoundLiteral"))


class Operators(Conversions):
    """Lowering of operators; the other expressions are in the subclass."""

    def __init__(self, unit: FileLowering) -> None:
        super().__init__(unit)
        self._probing = False
        self._chosen: dict[int, TypeId] = {}  # types of ?: by node

    def loc(self, node: Any) -> LocId:
        raise NotImplementedError

    def expr(self, node: Any) -> Expr:
        raise NotImplementedError

    def effect(self, node: Any) -> None:
        raise NotImplementedError

    def discarded(self, node: Any) -> Expr:
        raise NotImplementedError

    def test(self, node: Any, then: Node, els: Node) -> None:
        """Branch on a condition; ``&&`` and ``||`` become branches of their own
        where they need operations."""
        kind, op = type(node).__name__, getattr(node, "op", "")
        if kind == "UnaryOp" and op == "!":
            self.test(node.expr, els, then)
        elif kind == "BinaryOp" and op in ("&&", "||") and _has_effects(node):
            rest = Node()
            rest.used = True
            self.test(node.left, *((rest, els) if op == "&&" else (then, rest)))
            self.start(rest)
            self.test(node.right, then, els)
        else:
            e = self.condition(self.scalar(node))
            known = truth(e)
            if known is not None:
                self.end(("jump", then if known else els))
            else:
                self.end(("branch", then, els, e, self.loc(node)))

    def place(self, node: Any, what: str) -> Expr:
        """An object that can be stored to or whose address can be taken."""
        kind = type(node).__name__
        is_place = kind in _PLACES or (kind == "UnaryOp" and node.op == "*")
        at = node
        while type(at).__name__ == "StructRef" and at.type == ".":
            at = at.name
        e = self.expr(node) if is_place else None
        if isinstance(e, Var | Global | Field | Deref | Index) and (
            type(at).__name__ in _PLACES or (type(at).__name__ == "UnaryOp" and at.op == "*")
        ):
            return e
        raise self.error(node, f"{what} needs an object")

    # unary

    def _unary(self, node: Any) -> Expr:
        op = node.op
        if op in STEPS:
            return self._step(node, wanted=True)
        if op in ("sizeof", "_Alignof"):
            return self._size(node)
        if op == "&":
            return self._address_of(node)
        if op == "*":
            pointer = self.value(node.expr)
            shape = self.types[self.type_of(pointer)]
            if not isinstance(shape, TPtr):
                self.fail(node, f"* on something that is no pointer: {self.spelled(pointer)}")
            to = self.types[shape.to]
            if isinstance(to, TVoid):
                self.fail(node, "* on a pointer to void")
            return pointer if isinstance(to, TFunc) else self.deref(pointer, shape.to)
        if op == "!":
            e = self.scalar(node.expr)
            known = truth(e)
            if known is not None:
                return Const(int(not known), self.int_)
            return Un("!", self.condition(e), self.int_)
        e = self.integer(self.expr(node.expr), node)
        type_ = self.type_of(e)
        if op == "+":
            return e
        if op in ("-", "~"):
            if type(e) is Const:
                return self.const(-e.value if op == "-" else ~e.value, type_)
            return Un(op, e, type_)
        raise self.error(node, f"the operator {op} is not known here")

    def _address_of(self, node: Any) -> Expr:
        if type(node.expr).__name__ == "ID":
            e = self.expr(node.expr)
            if isinstance(e, Func):
                return self.decayed(e)
        e = self.place(node.expr, "&")
        if isinstance(e, Field) and e.width:
            self.fail(node, "the address of a bit-field")
        return self.address(e, self.pointer_to(self.type_of(e)))

    def _size(self, node: Any) -> Expr:
        if type(node.expr).__name__ == "Typename":
            number = self.unit.resolve(node.expr)
            type_ = self.table.local(number)
        else:
            e = self.discarded(node.expr)
            type_ = self.type_of(e)
        size = self.world.align if node.op == "_Alignof" else self.world.size
        bytes_ = self.known_size(size, type_, node)
        return Const(bytes_, self.table.local(self.world.ulong))

    def _step(self, node: Any, *, wanted: bool) -> Expr:
        place = self.place(node.expr, node.op.strip("p"))
        type_ = self.type_of(place)
        self.check_step(place, node)
        loc = self.loc(node)
        before: Expr = place
        if wanted and node.op.startswith("p"):
            before = self.temp(type_)
            self.emit(Assign(before, place, loc))
        one = Const(1, self.int_)
        self.emit(Assign(place, self.compute(STEPS[node.op], place, one, type_), loc))
        return before

    # binary

    def _binary(self, node: Any) -> Expr:
        op = node.op
        if op in ("&&", "||"):
            return self.logical(
                self.int_, op == "&&", lambda: self.scalar(node.left),
                lambda: self.scalar(node.right), self.loc(node.left), self.loc(node.right),
            )  # fmt: skip
        return self.binary(op, self.value(node.left), self.value(node.right), node)

    def binary(self, op: str, a: Expr, b: Expr, node: Any) -> Expr:
        pointers = [isinstance(self.types[self.type_of(e)], TPtr) for e in (a, b)]
        if any(pointers):
            if op in _COMPARE:
                a, b = self.comparable(a, b, op, node)
                return Bin(op, a, b, self.int_)
            return self._pointer_arithmetic(op, a, b, pointers, node)
        a, b = self.integer(a, node), self.integer(b, node)
        type_ = self.type_of(a)
        if op not in ("<<", ">>"):
            type_ = self.common(type_, self.type_of(b))
            a, b = self.convert(a, type_), self.convert(b, type_)
        result = self.int_ if op in _COMPARE else type_
        return binary(op, a, b, result, self.types) or Bin(op, a, b, result)

    def _pointer_arithmetic(
        self, op: str, a: Expr, b: Expr, pointers: list[bool], node: Any
    ) -> Expr:
        if op == "-" and all(pointers):
            x, y = (self.arithmetic_pointee(e, node) for e in (a, b))
            if not self.same(x, y):
                self.fail(node, "the difference of pointers to different types")
            return Bin("-", a, b, self.table.local(self.world.long_))
        if op not in ("+", "-") or all(pointers) or (op == "-" and pointers[1]):
            self.fail(node, f"{op} on a pointer")
        if pointers[1]:
            a, b = b, a
        self.arithmetic_pointee(a, node)
        return Bin(op, a, self.integer(b, node), self.type_of(a))

    def _assignment(self, node: Any) -> Expr:
        if node.op == "=":
            src = self.value(node.rvalue)
            dst = self.place(node.lvalue, "=")
            src = self.assignable(src, self.type_of(dst), node, "=")
            self.assign(dst, src, self.loc(node))
            return dst
        op = node.op[:-1]
        value = self.integer(self.expr(node.rvalue), node)
        place = self.place(node.lvalue, node.op)
        type_ = self.type_of(place)
        if isinstance(self.types[type_], TPtr):
            if op not in ("+", "-"):
                self.fail(node, f"{node.op} on a pointer")
            self.arithmetic_pointee(place, node)
        elif not isinstance(self.types[type_], TInt):
            self.fail(node, f"{node.op} on {self.spelled(place)}")
        self.emit(Assign(place, self.compute(op, place, value, type_), self.loc(node)))
        return place

    def _comma(self, node: Any) -> Expr:
        for item in node.exprs[:-1]:
            self.effect(item)
        return self.decayed(self.expr(node.exprs[-1]))

    # choices

    def _conditional(self, node: Any) -> Expr:
        return self._ternary(node, wanted=True)

    def _ternary(self, node: Any, *, wanted: bool) -> Expr:
        if not wanted:
            cond = self.scalar(node.cond)
            known = truth(cond)
            if known is not None:
                return self._nothing(node.iftrue if known else node.iffalse)
            return self.choose(
                self.void, cond, self.loc(node), lambda: self._nothing(node.iftrue),
                lambda: self._nothing(node.iffalse), wanted=False,
            )  # fmt: skip
        type_ = self._chosen.get(id(node))
        if type_ is None:
            type_ = self._chosen[id(node)] = self._choice_type(node)
        if self._probing:
            return self.temp(type_)
        del self._chosen[id(node)]  # a macro's node may come again, in another scope
        if isinstance(self.types[type_], TVoid):
            self._ternary(node, wanted=False)
            return Const(0, self.void)
        cond = self.scalar(node.cond)

        def one(part: Any) -> Expr:
            return self.assignable(self.value(part), type_, part, "?:")

        known = truth(cond)
        if known is not None:
            return one(node.iftrue if known else node.iffalse)
        return self.choose(
            type_, self.condition(cond), self.loc(node), lambda: one(node.iftrue),
            lambda: one(node.iffalse),
        )  # fmt: skip

    def _nothing(self, node: Any) -> Expr:
        self.effect(node)
        return Const(0, self.void)

    def _choice_type(self, node: Any) -> TypeId:
        outer, self._probing = self._probing, True
        found = []
        for part in (node.iftrue, node.iffalse):
            e = self.discarded(part)
            found.append(e if isinstance(e, Const) else self.decayed(e))
        self._probing = outer
        return self.chosen_type(found[0], found[1], node)


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
