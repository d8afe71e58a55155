# SPDX-License-Identifier: GPL-2.0-or-later
"""The shape of a function: order of its blocks, slots whose values matter."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator

from ctxlint.ir import ops
from ctxlint.ir.types import TArray, TFunc, TInt, TPtr, TRecord, Type
from ctxlint.ir.unit import Function
from ctxlint.ir.walk import children, expressions, operands

_SMALL = 8
"""Blocks of a function that is small: a test or two."""


def reverse_postorder(fn: Function) -> dict[int, int]:
    """Position of each reachable block in reverse postorder."""
    order: list[int] = []
    seen = {0}
    stack: list[tuple[int, list[int]]] = [(0, successors(fn, 0))]
    while stack:
        block, todo = stack[-1]
        if todo:
            nxt = todo.pop()
            if nxt not in seen:
                seen.add(nxt)
                stack.append((nxt, successors(fn, nxt)))
        else:
            order.append(block)
            stack.pop()
    return {block: i for i, block in enumerate(reversed(order))}


def successors(fn: Function, block: int) -> list[int]:
    """Blocks that control can go to from the end of a block."""
    term = fn.blocks[block].term
    if isinstance(term, ops.Jump):
        return [term.to]
    if isinstance(term, ops.Branch):
        return [term.els, term.then]
    if isinstance(term, ops.Switch):
        return [term.default, *(to for _, _, to in term.cases)]
    if isinstance(term, ops.AsmGoto):
        return [term.fall, *term.targets]
    if isinstance(term, ops.IndirectJump):
        return list(term.targets)
    return []


def dead_slots(fn: Function) -> list[tuple[int, ...]]:
    """By block the variables whose value at its start is never read: nothing need be known
    of them. Those that are structures or arrays, or whose address is taken, are none."""
    always = {
        slot
        for slot, var in enumerate(fn.vars)
        if isinstance(fn.types[var.type], TRecord | TArray)
    }
    for e in expressions(fn):
        if isinstance(e, ops.Addr) and isinstance(e.lvalue, ops.Var):
            always.add(e.lvalue.slot)
    read: list[set[int]] = []
    written: list[set[int]] = []
    for block in fn.blocks:
        mine: set[int] = set()
        # Backwards: what an operation writes is not read before it, unless it reads it too.
        new: set[int] = set()
        for op in (block.term, *reversed(block.ops)):
            dst = op.dst if isinstance(op, ops.Assign | ops.Call) else None
            if isinstance(dst, ops.Var):
                mine.discard(dst.slot)
                new.add(dst.slot)
            for e in operands(op):
                if e is not dst or not isinstance(e, ops.Var):
                    mine.update(i.slot for i in _parts(e) if isinstance(i, ops.Var))
        read.append(mine)
        written.append(new)
    live = list(read)
    changed = True
    while changed:
        changed = False
        for number in range(len(fn.blocks) - 1, -1, -1):
            after = set().union(*(live[to] for to in successors(fn, number)))
            before = read[number] | (after - written[number])
            if before != live[number]:
                live[number], changed = before, True
    slots = set(range(len(fn.vars))) - always
    return [tuple(sorted(slots - mine)) for mine in live]


def _parts(e: ops.Expr) -> Iterator[ops.Expr]:
    stack = [e]
    while stack:
        e = stack.pop()
        yield e
        stack += children(e)


def is_wide(fn: Function, slot: int) -> bool:
    """Whether a variable is an integer of more than 32 bits: a size or an address, which
    no flag word is."""
    kind = fn.types[fn.vars[slot].type]
    return isinstance(kind, TInt) and kind.bits > 32


def deciding_slots(fn: Function, slots: Iterable[int], types: Container[str]) -> frozenset[int]:
    """Of these slots the flag words of the named types and the function pointers: when one
    of their constants is forgotten, what a callee may do is not known any more."""
    found = set()
    for slot in slots:
        kind = fn.types[fn.vars[slot].type]
        if isinstance(kind, TPtr) or (isinstance(kind, TInt) and kind.name in types):
            found.add(slot)
    return frozenset(found)


def decides(fn: Function, kind: Type | None, types: Container[str]) -> bool:
    """Whether a value of a type says what a callee may do: a flag word of the named
    types, or a function."""
    if isinstance(kind, TPtr):
        kind = fn.types[kind.to]
    return isinstance(kind, TFunc) or (isinstance(kind, TInt) and kind.name in types)


def constant_slots(fn: Function) -> tuple[int, ...]:
    """Slots whose constants matter: booleans, flag words (a typedef'd integer such
    as gfp_t) and function pointers given to calls. Wide integers come last."""
    found: set[int] = set()
    for block in fn.blocks:
        for op in block.ops:
            if isinstance(op, ops.Call):
                for arg in (*op.args, op.fn):
                    for slot in _slots(arg):
                        kind = fn.types[fn.vars[slot].type]
                        if isinstance(kind, TInt):
                            if kind.bits in (1, 8) or kind.name.endswith("_t"):
                                found.add(slot)
                        elif isinstance(kind, TPtr) and isinstance(fn.types[kind.to], TFunc):
                            found.add(slot)
    return tuple(sorted(found, key=lambda slot: (is_wide(fn, slot), slot)))


def tested_results(fn: Function, concerns: Callable[[ops.Call], bool]) -> list[int]:
    """Variables that branches test, and that hold the result of one of the calls that are
    of concern."""
    tested: set[int] = set()
    sources: dict[int, list[ops.Expr]] = {}
    found: set[int] = set()
    for block in fn.blocks:
        if isinstance(block.term, ops.Branch):
            tested.update(i.slot for i in _parts(block.term.cond) if isinstance(i, ops.Var))
        for op in block.ops:
            if isinstance(op, ops.Assign) and isinstance(op.dst, ops.Var):
                sources.setdefault(op.dst.slot, []).append(op.src)
            elif isinstance(op, ops.Call) and isinstance(op.dst, ops.Var) and concerns(op):
                found.add(op.dst.slot)
    for slot, values in sources.items():
        if any(inner in found for e in values for inner in _slots(e)):
            found.add(slot)
    return sorted(found & tested)


def chosen_results(fn: Function) -> list[int]:
    """Variables that a small function returns: what it chose, its callers go on with."""
    if len(fn.blocks) > _SMALL:
        return []
    ends = (block.term for block in fn.blocks if isinstance(block.term, ops.Ret))
    return sorted(
        {slot for term in ends if term.value is not None for slot in _slots(term.value)}
    )


def _slots(e: ops.Expr) -> list[int]:
    if isinstance(e, ops.Var):
        return [e.slot]
    if isinstance(e, ops.Cast | ops.Un):
        return _slots(e.e)
    if isinstance(e, ops.Bin):
        return _slots(e.a) + _slots(e.b)
    return []


def stable_slots(fn: Function) -> frozenset[int]:
    """Variables that have one value from their first use on: parameters that are never
    written, and others that are written once, outside of every loop. One whose address is
    taken is none of them."""
    writes: dict[int, list[int]] = {slot: [-1] for slot in range(fn.nparams)}
    handed: set[int] = set()
    for number, block in enumerate(fn.blocks):
        for op in (*block.ops, block.term):
            dst = op.dst if isinstance(op, ops.Assign | ops.Call) else None
            if isinstance(dst, ops.Var):
                writes.setdefault(dst.slot, []).append(number)
            asm = op.asm if isinstance(op, ops.AsmGoto) else op
            if isinstance(asm, ops.Asm):
                handed.update(e.slot for _, e in asm.outs if isinstance(e, ops.Var))
            for e in operands(op):
                for inner in _parts(e):
                    if isinstance(inner, ops.Addr) and isinstance(inner.lvalue, ops.Var):
                        handed.add(inner.lvalue.slot)
    once = {slot: blocks[0] for slot, blocks in writes.items() if len(blocks) == 1}
    return frozenset(
        slot
        for slot, block in once.items()
        if slot not in handed and (block < 0 or not _is_in_loop(fn, block))
    )


def _is_in_loop(fn: Function, block: int) -> bool:
    seen: set[int] = set()
    work = list(successors(fn, block))
    while work:
        at = work.pop()
        if at == block:
            return True
        if at not in seen:
            seen.add(at)
            work += successors(fn, at)
    return False
