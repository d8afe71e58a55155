# SPDX-License-Identifier: GPL-2.0-or-later
"""Walking expressions."""

from __future__ import annotations

from collections.abc import Iterator

from ctxlint.ir import ops
from ctxlint.ir.unit import Function


def children(e: ops.Expr) -> tuple[ops.Expr, ...]:
    """Direct operands."""
    if isinstance(e, ops.Field):
        return (e.base,)
    if isinstance(e, ops.Deref):
        return (e.ptr,)
    if isinstance(e, ops.Index):
        return (e.base, e.index)
    if isinstance(e, ops.Addr):
        return (e.lvalue,)
    if isinstance(e, ops.Un | ops.Cast):
        return (e.e,)
    if isinstance(e, ops.Bin):
        return (e.a, e.b)
    if isinstance(e, ops.Select):
        return (e.cond, e.a, e.b)
    if isinstance(e, ops.Agg):
        return tuple(item for _, item in e.items)
    return ()


def operands(op: ops.Op | ops.Term) -> tuple[ops.Expr, ...]:
    """Expressions of an operation or terminator, destinations included."""
    if isinstance(op, ops.Assign):
        return (op.dst, op.src)
    if isinstance(op, ops.Call):
        return (op.fn, *op.args) if op.dst is None else (op.dst, op.fn, *op.args)
    if isinstance(op, ops.Asm):
        return tuple(e for _, e in (*op.outs, *op.ins))
    if isinstance(op, ops.AsmGoto):
        return operands(op.asm)
    if isinstance(op, ops.Branch):
        return (op.cond,)
    if isinstance(op, ops.Switch | ops.IndirectJump):
        return (op.e,)
    if isinstance(op, ops.Ret):
        return () if op.value is None else (op.value,)
    return ()


def expressions(fn: Function) -> Iterator[ops.Expr]:
    """Every expression of a function, subexpressions included."""
    stack: list[ops.Expr] = []
    for block in fn.blocks:
        for op in (*block.ops, block.term):
            stack += operands(op)
    while stack:
        e = stack.pop()
        yield e
        stack += children(e)


def function_refs(fn: Function) -> set[str]:
    """Symbols of the functions that a body refers to."""
    return {e.symbol for e in expressions(fn) if isinstance(e, ops.Func)}
