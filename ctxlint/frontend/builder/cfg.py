# SPDX-License-Identifier: GPL-2.0-or-later
"""Building a control-flow graph, and tidying it.

While a body is lowered, blocks refer to each other as objects. ``finish``
drops what cannot be reached, joins straight lines and numbers the rest.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ctxlint.ir.ops import (
    Asm,
    AsmGoto,
    BlockId,
    Branch,
    Expr,
    IndirectJump,
    Jump,
    LabelAddr,
    LocId,
    Op,
    Ret,
    Switch,
    Term,
    Unreachable,
)
from ctxlint.ir.unit import Block


class Node:
    """A block under construction. ``term`` is a tuple whose first item says
    which; ``refs`` are the symbols that its operations mention."""

    __slots__ = ("number", "ops", "refs", "term", "used")

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.term: tuple[Any, ...] | None = None
        self.refs: list[Any] = []
        self.number = -1
        self.used = False  # something jumps here


def jump(to: Node) -> tuple[Any, ...]:
    return ("jump", to)


def branch(cond: Expr, then: Node, els: Node, loc: LocId) -> tuple[Any, ...]:
    return ("branch", then, els, cond, loc)


def successors(node: Node) -> list[Node]:
    term = node.term
    assert term is not None
    match term[0]:
        case "jump":
            return [term[1]]
        case "branch":
            return [term[1], term[2]]
        case "switch":
            return [*(c[2] for c in term[2]), term[3]]
        case "asmgoto":
            return [term[2], *term[3]]
        case "indirect":
            return list(term[2])
    return []


def _skip_empty(node: Node, kept: set[int]) -> Node:
    """Where a jump to ``node`` really goes."""
    seen = set()
    while (
        not node.ops
        and node.term is not None
        and node.term[0] == "jump"
        and id(node) not in seen
        and id(node) not in kept
    ):
        seen.add(id(node))
        # What it mentions is still used: an argument may have split the block.
        node.term[1].refs = [*node.refs, *node.term[1].refs]
        node.refs = []
        node = node.term[1]
    return node


def _retarget(node: Node, kept: set[int]) -> None:
    term = node.term
    assert term is not None

    def to(target: Node) -> Node:
        return _skip_empty(target, kept)

    match term[0]:
        case "jump":
            node.term = ("jump", to(term[1]))
        case "branch":
            then, els = to(term[1]), to(term[2])
            same = then is els
            node.term = ("jump", then) if same else ("branch", then, els, *term[3:])
        case "switch":
            cases = tuple((low, high, to(block)) for low, high, block in term[2])
            node.term = ("switch", term[1], cases, to(term[3]), term[4])
        case "asmgoto":
            node.term = ("asmgoto", term[1], to(term[2]), tuple(map(to, term[3])))
        case "indirect":
            node.term = ("indirect", term[1], tuple(map(to, term[2])))


def finish(entry: Node, labels: list[Node]) -> tuple[tuple[Block, ...], list[Any]]:
    """Blocks in order of first reach (depth first), and the references of
    those that are reachable. ``labels`` are blocks whose address is taken, in
    the order that :class:`LabelAddr` numbers them meanwhile."""
    kept = {id(label) for label in labels}
    predecessors: dict[int, int] = {id(entry): 1}
    order: list[Node] = []
    stack = [entry]
    seen = {id(entry)}
    while stack:
        node = stack.pop()
        order.append(node)
        _retarget(node, kept)
        for next_ in reversed(successors(node)):
            predecessors[id(next_)] = predecessors.get(id(next_), 0) + 1
            if id(next_) not in seen:
                seen.add(id(next_))
                stack.append(next_)
    final: list[Node] = []
    joined: set[int] = set()
    for node in order:
        if id(node) in joined:
            continue
        while node.term is not None and node.term[0] == "jump":
            next_ = node.term[1]
            if predecessors[id(next_)] != 1 or next_ is node or id(next_) in kept:
                break
            node.ops = node.ops + next_.ops
            node.refs = node.refs + next_.refs
            node.term = next_.term
            joined.add(id(next_))
        final.append(node)
    final = [n for n in final if id(n) not in joined]
    for number, node in enumerate(final):
        node.number = number
    addresses = [label.number for label in labels]
    blocks = []
    refs: list[Any] = []
    for node in final:
        refs.extend(node.refs)
        ops, term = tuple(node.ops), _term(node)
        if labels:
            ops = tuple(_renumber(op, addresses) for op in ops)
            term = _renumber(term, addresses)
        blocks.append(Block(ops, term))
    return tuple(blocks), refs


def _term(node: Node) -> Term:
    term = node.term
    assert term is not None
    match term[0]:
        case "jump":
            return Jump(term[1].number)
        case "branch":
            return Branch(term[3], term[1].number, term[2].number, term[4])
        case "switch":
            cases = tuple((low, high, block.number) for low, high, block in term[2])
            return Switch(term[1], cases, term[3].number, term[4])
        case "ret":
            return Ret(term[1], term[2])
        case "asmgoto":
            asm: Asm = term[1]
            return AsmGoto(asm, term[2].number, tuple(b.number for b in term[3]))
        case "indirect":
            return IndirectJump(term[1], tuple(b.number for b in term[2]))
    return Unreachable()


def _renumber(item: Any, addresses: list[BlockId]) -> Any:
    """``item`` with the numbers of its LabelAddr expressions made final."""
    if isinstance(item, LabelAddr):
        number = addresses[item.block]
        return LabelAddr(max(number, 0), item.type)
    if isinstance(item, tuple):
        return tuple(_renumber(i, addresses) for i in item)
    if isinstance(item, msgspec.Struct):
        changed = {}
        for field in item.__struct_fields__:
            value = getattr(item, field)
            if isinstance(value, tuple | msgspec.Struct):
                new = _renumber(value, addresses)
                if new is not value:
                    changed[field] = new
        return msgspec.structs.replace(item, **changed) if changed else item
    return item
