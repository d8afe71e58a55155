# SPDX-License-Identifier: GPL-2.0-or-later
"""Stores that rules ask for: values put into members that decide the context of a
callback, and where the result of a function goes.

They are facts like the stores of functions, with another kind of value: a number (None:
not known), or the result of a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ctxlint.facts.state import State
from ctxlint.facts.summary import CallResult, Store
from ctxlint.facts.symbolic import Reader, expr_text
from ctxlint.ir import ops
from ctxlint.ir.unit import Function
from ctxlint.rulebook.book import Rulebook, plain_tag
from ctxlint.semantics.terms import Param, Result, Value

Place = Callable[[ops.Expr, Mapping[str, str]], tuple[str, tuple[tuple[str, str], ...]]]


def stores(
    fn: Function, rules: Rulebook, local: Mapping[str, str], place: Place
) -> Iterable[Store]:
    """What a function puts into watched members, and where results of watched
    functions go. ``place`` gives the variable and the members of an lvalue."""
    members, makers = rules.watched_members, rules.makers
    reader = Reader(fn, local)

    def store(dst: ops.Expr, value: Value, loc: int, result: CallResult | None = None) -> Store:
        base, path = place(dst, local)
        at = fn.locs[loc]
        text = expr_text(fn, dst)
        return Store(
            base, path, value, at.file, at.line, at.col, fn.symbol, text, (), -1, result
        )

    state = State()
    for slot in range(fn.nparams):
        state.vals[slot] = Param(slot)
    made: dict[int, CallResult] = {}
    for number, block in enumerate(fn.blocks):
        for index, op in enumerate(block.ops):
            if isinstance(op, ops.Call):
                made_here = isinstance(op.fn, ops.Func) and op.fn.symbol in makers
                if op.dst is not None and made_here:
                    assert isinstance(op.fn, ops.Func)
                    arguments = tuple(reader.value(a, state) for a in op.args)
                    # The interpretation names the result of this operation so.
                    name = Result(f"{number}.{index}")
                    result = CallResult(op.fn.symbol, arguments, name)
                    if isinstance(op.dst, ops.Var):
                        made[op.dst.slot] = result
                    yield store(op.dst, None, op.loc, result)
            elif isinstance(op, ops.Assign):
                src = op.src
                while isinstance(src, ops.Cast):
                    src = src.e
                known = made.get(src.slot) if isinstance(src, ops.Var) else None
                if known is not None:
                    if isinstance(op.dst, ops.Var):
                        made[op.dst.slot] = known
                    yield store(op.dst, None, op.loc, known)
                elif isinstance(op.dst, ops.Field) and _member(op.dst, local) in members:
                    yield store(op.dst, reader.value(src, state), op.loc)


def _member(e: ops.Field, local: Mapping[str, str]) -> tuple[str, str]:
    return plain_tag(local.get(e.record, e.record)), e.name
