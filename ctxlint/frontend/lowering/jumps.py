# SPDX-License-Identifier: GPL-2.0-or-later
"""Leaving a place: jumps and the scopes they leave."""

from __future__ import annotations

from ctxlint.frontend.builder import Node, jump
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.kinds import CursorKind
from ctxlint.frontend.lowering.state import (
    Cleanup,
    Goto,
    Label,
    State,
    Target,
    expr,
    expression,
    statement,
)
from ctxlint.ir.ops import Addr, Call, Const, Expr, LabelAddr, LocId, Var
from ctxlint.ir.types import TVoid

_ADDRESSES = frozenset({CursorKind.ADDR_LABEL_EXPR})


def run_cleanups(s: State, outer: Cleanup | None, loc: LocId) -> None:
    """Destructor calls from the innermost variable to ``outer``."""
    entry = s.scope
    while entry is not None and entry is not outer:
        type_ = s.build.vars[entry.slot].type
        fn = s.func(entry.function)
        args = (Addr(Var(entry.slot), s.build.pointer_to(type_)),)
        s.build.emit(Call(None, fn, args, loc, "cleanup"))
        entry = entry.outer


def leave(s: State, outer: Cleanup | None, cursor: Cursor) -> None:
    """The end of a scope, which ``cursor`` is: back to ``outer``."""
    if s.scope is not outer:
        if not s.build.dead:
            run_cleanups(s, outer, s.end_loc(cursor))
        s.scope = outer


def kept(s: State, value: Expr, outer: Cleanup | None, cursor: Cursor) -> Expr:
    """``value``, in a variable where destructors run before it is used."""
    if s.scope is outer or type(value) is Const:
        return value
    holder = s.build.temp(s.build.type_of(value))
    s.build.assign(holder, value, s.loc(cursor))
    return holder


def _jump_out(s: State, target: Target | None, cursor: Cursor) -> None:
    if target is None:
        return
    run_cleanups(s, target.scope, s.loc(cursor) if s.scope else 0)
    s.build.end(jump(target.node))


@statement(CursorKind.BREAK_STMT)
def _break(s: State, cursor: Cursor) -> None:
    _jump_out(s, s.break_, cursor)


@statement(CursorKind.CONTINUE_STMT)
def _continue(s: State, cursor: Cursor) -> None:
    _jump_out(s, s.continue_, cursor)


@statement(CursorKind.RETURN_STMT)
def _return(s: State, cursor: Cursor) -> None:
    kids = s.lib.children(cursor)
    loc = s.loc(cursor)
    value: Expr | None = None
    if kids:
        value = s.build.decayed(expr(s, kids[0]))
        nothing = isinstance(s.build.shape(value), TVoid)
        value = None if nothing else kept(s, value, None, cursor)
    run_cleanups(s, None, loc)
    s.build.end(("ret", value, loc))


# labels


def _label(s: State, declaration: Cursor) -> Label:
    key = declaration.d1 or declaration.d0
    label = s.labels.get(key)
    if label is None:
        label = s.labels[key] = Label(s.names.spelling(declaration))
    return label


def place_label(s: State, cursor: Cursor) -> Cursor:
    """A label statement; gives what it labels."""
    label = _label(s, cursor)
    if not label.placed:
        label.placed, label.scope = True, s.scope
    label.node.used = True
    s.build.join(label.node)
    return s.operand(cursor)


def label_number(s: State, declaration: Cursor) -> int:
    """The number of a label whose address is taken, as :func:`finish` has them."""
    label = _label(s, declaration)
    if label.number < 0:
        label.number = len(s.label_nodes)
        s.label_nodes.append(label.node)
    return label.number


def label_blocks(s: State) -> dict[int | None, int]:
    """Numbers of the labels whose address is taken, once finished."""
    labels = s.labels.items()
    return {key: max(label.node.number, 0) for key, label in labels if label.number >= 0}


def label_addresses(s: State, cursor: Cursor) -> list[Cursor]:
    """Labels whose address is in the initialiser of a static variable."""
    if not s.lib.any_descendant(cursor, _ADDRESSES):
        return []
    found: list[Cursor] = []
    stack = [cursor]
    while stack:
        kids = s.lib.children(stack.pop())
        named = [k for k in kids if k.kind == CursorKind.LABEL_REF]
        found += map(s.lib.getCursorReferenced, named)
        stack += reversed(kids)
    return found


@expression(CursorKind.ADDR_LABEL_EXPR)
def _label_address(s: State, cursor: Cursor) -> Expr:
    label = s.lib.getCursorReferenced(s.lib.children(cursor)[0])
    if s.unit.initialising:  # a static table, after its function
        return LabelAddr(s.unit.label_blocks.get(label.d1, 0), s.type(cursor))
    return LabelAddr(label_number(s, label), s.type(cursor))


@statement(CursorKind.GOTO_STMT)
def _goto(s: State, cursor: Cursor) -> None:
    label = _label(s, s.lib.getCursorReferenced(s.lib.children(cursor)[0]))
    edge = Node()
    s.gotos.append(Goto(edge, s.scope, label, s.loc(cursor)))
    s.build.end(jump(edge))


@statement(CursorKind.INDIRECT_GOTO_STMT)
def _indirect_goto(s: State, cursor: Cursor) -> None:
    value = expr(s, s.lib.children(cursor)[0])
    if not s.build.dead:
        s.indirect.append((s.build.cur, value))
    s.build.end(("indirect", value, ()))


def resolve_jumps(s: State) -> None:
    """Give every goto its edge: destructors of the scopes it leaves, then
    the label."""
    named: dict[str, Label] = {}
    for label in s.labels.values():
        named.setdefault(label.name, label)
    for name, edge, scope, loc in s.asm_gotos:
        if name in named:
            s.gotos.append(Goto(edge, scope, named[name], loc))
        else:  # the label came through a macro parameter: any of them
            nodes = tuple([label.node for label in s.labels.values()])
            edge.term = ("indirect", Const(0, s.build.int_), nodes)
    for goto in s.gotos:
        s.build.start(goto.edge)
        s.scope = goto.scope
        run_cleanups(s, goto.label.scope if goto.label.placed else goto.scope, goto.loc)
        s.build.end(jump(goto.label.node))
    for node, value in s.indirect:
        node.term = ("indirect", value, tuple(s.label_nodes))
