# SPDX-License-Identifier: GPL-2.0-or-later
"""Walking expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ctxlint.ir import ops
from ctxlint.ir.types import RecordDef, TArray, TPtr, TRecord, Type
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
    if isinstance(op, ops.Stated):
        return op.args
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


def record_refs(fn: Function) -> set[str]:
    """Keys of the records whose layout it takes to run a body: those of variables, of
    accesses, and of pointers that are computed with."""
    found: set[str] = set()

    def note(type_: Type) -> None:
        while isinstance(type_, TArray):
            type_ = fn.types[type_.of]
        if isinstance(type_, TRecord):
            found.add(type_.key)

    for var in fn.vars:
        note(fn.types[var.type])
    for e in expressions(fn):
        if isinstance(e, ops.Var):
            continue
        type_ = fn.types[e.type]
        note(type_)
        if isinstance(e, ops.Field):
            found.add(e.record)
        elif isinstance(e, ops.Bin):
            for part in (e, e.a, e.b):
                kind = fn.vars[part.slot].type if isinstance(part, ops.Var) else part.type
                shape = fn.types[kind]
                if isinstance(shape, TPtr):
                    note(fn.types[shape.to])
    return found


def layouts(fn: Function, records: Mapping[str, RecordDef]) -> tuple[RecordDef, ...]:
    """The layouts that running ``fn`` takes, those of embedded records included."""
    found: dict[str, RecordDef] = {}
    stack = sorted(record_refs(fn))
    while stack:
        record = records.get(stack.pop())
        if record is None or record.key in found:
            continue
        found[record.key] = record
        for member in record.fields:
            type_ = record.types[member.type]
            while isinstance(type_, TArray):
                type_ = record.types[type_.of]
            if isinstance(type_, TRecord):
                stack.append(type_.key)
    return tuple(found[key] for key in sorted(found))


def type_of(fn: Function, e: ops.Expr) -> Type:
    """The type of an expression of a function."""
    if isinstance(e, ops.Var):
        return fn.types[fn.vars[e.slot].type]
    return fn.types[e.type]
