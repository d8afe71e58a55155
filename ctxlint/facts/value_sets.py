# SPDX-License-Identifier: GPL-2.0-or-later
"""Which numbers a local variable can hold, whatever way was taken.

Where ways meet, an interpretation that keeps one value for a variable knows nothing of
it any more. For the flags of a registration that is too little: of ``flags = shared ?
IRQF_SHARED : 0; if (x) flags |= IRQF_TRIGGER_LOW;`` it matters that no other bit is in
it. So all assignments of the variable are looked at together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ctxlint.ir import ops
from ctxlint.ir.unit import Function
from ctxlint.ir.walk import expressions
from ctxlint.semantics.terms import Bin, Const, Field, Result, Select, Term, Value, rebuilt

VALUES_MAX = 16

_JOINED = re.compile(r"(?:b\d+|\d+\.\d+m)\.(\d+)")
"""What a value is named that a variable has where ways meet; its slot."""


def spread(fn: Function, value: Value) -> Value:
    """A value with a selection of numbers, and of members that they are read from, in place
    of variables of which only the assignments tell anything."""
    if isinstance(value, Result):
        match = _JOINED.fullmatch(value.op)
        slots = _Slots(fn)
        found = slots.of(int(match[1])) if match is not None else None
        if found is None:
            return value
        terms: list[Term] = [Const(number) for number in found]
        terms += [Field(value, member.record, member.name) for member in slots.members]
        return _one_of(value, terms)
    if isinstance(value, Bin | Select):
        return rebuilt(value, lambda part: spread(fn, part))
    return value


def _one_of(name: Result, found: list[Term]) -> Term:
    term = found[-1]
    for other in found[-2::-1]:
        term = Select(name, other, term)
    return term


class _Slots:
    """What the assignments to variables say: ``members`` that they are read from, too."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.open: set[int] = set()
        self.members: list[ops.Field] = []

    def of(self, slot: int) -> tuple[int, ...] | None:
        if slot < self.fn.nparams or slot in self.open or _escapes(self.fn, slot):
            return None
        self.open.add(slot)
        base: set[int] = set()
        bits: set[int] = set()
        for op in _operations(self.fn):
            if isinstance(op, ops.Asm):
                if any(out == ops.Var(slot) for _, out in op.outs):
                    return None
            elif isinstance(op, ops.Assign | ops.Call) and op.dst == ops.Var(slot):
                src = op.src if isinstance(op, ops.Assign) else None
                more = _added(src, slot)
                before = len(self.members)
                found = None if src is None else self._expr(src if more is None else more)
                if found is None or (more is not None and len(self.members) > before):
                    return None
                (base if more is None else bits).update(found)
        self.open.discard(slot)
        for bit in sorted(bits):
            base |= {number | bit for number in base}
            if len(base) > VALUES_MAX:
                return None
        return tuple(sorted(base)) if base or self.members else None

    def _expr(self, e: ops.Expr) -> set[int] | None:
        while isinstance(e, ops.Cast):
            e = e.e
        if isinstance(e, ops.Field) and isinstance(e.base, ops.Deref | ops.Field):
            self.members.append(e)
            return set()
        if isinstance(e, ops.Const):
            return {e.value}
        if isinstance(e, ops.Var):
            found = self.of(e.slot)
            return None if found is None else set(found)
        if isinstance(e, ops.Select):
            a, b = self._expr(e.a), self._expr(e.b)
            return None if a is None or b is None else a | b
        if isinstance(e, ops.Bin) and e.op == "|":
            before = len(self.members)
            a, b = self._expr(e.a), self._expr(e.b)
            if a is None or b is None or len(a) * len(b) > VALUES_MAX:
                return None
            return None if len(self.members) > before else {x | y for x in a for y in b}
        return None


def _added(src: ops.Expr | None, slot: int) -> ops.Expr | None:
    """The operand x of ``variable | x``."""
    while isinstance(src, ops.Cast):
        src = src.e
    if isinstance(src, ops.Bin) and src.op == "|":
        for mine, other in ((src.a, src.b), (src.b, src.a)):
            while isinstance(mine, ops.Cast):
                mine = mine.e
            if mine == ops.Var(slot):
                return other
    return None


def _operations(fn: Function) -> Iterable[ops.Op]:
    for block in fn.blocks:
        yield from block.ops


def _escapes(fn: Function, slot: int) -> bool:
    """Whether the variable's address is taken."""
    for e in expressions(fn):
        if isinstance(e, ops.Addr):
            inner = e.lvalue
            while isinstance(inner, ops.Field | ops.Index):
                inner = inner.base
            if inner == ops.Var(slot):
                return True
    return False
