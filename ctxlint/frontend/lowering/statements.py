# SPDX-License-Identifier: GPL-2.0-or-later
"""Statements: control flow, scopes with cleanups, inline assembly."""

from __future__ import annotations

import re

from ctxlint.frontend.builder import Node, jump
from ctxlint.frontend.builder.fold import wrap
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.kinds import CursorKind, StorageClass, is_attribute, is_expression
from ctxlint.frontend.lowering.initialisers import initialiser
from ctxlint.frontend.lowering.jumps import (
    kept,
    label_addresses,
    label_number,
    leave,
    place_label,
    resolve_jumps,
)
from ctxlint.frontend.lowering.operators import test
from ctxlint.frontend.lowering.state import (
    HANDLERS,
    Cleanup,
    State,
    Switch,
    Target,
    effect,
    expr,
    expression,
    statement,
)
from ctxlint.ir.ops import Assign, Const, Expr, Stated, Var
from ctxlint.ir.types import TArray, TFunc, TPtr, TVoid, TypeId
from ctxlint.ir.unit import VarDecl

_LABELS = frozenset({CursorKind.LABEL_STMT})
_ENTRIES = _LABELS | {CursorKind.CASE_STMT, CursorKind.DEFAULT_STMT}
_HOLDERS = frozenset(  # where a case of the switch around them can be
    {CursorKind.LABEL_STMT, CursorKind.COMPOUND_STMT, CursorKind.CASE_STMT,
     CursorKind.DEFAULT_STMT, CursorKind.IF_STMT, CursorKind.WHILE_STMT, CursorKind.DO_STMT,
     CursorKind.FOR_STMT}
)  # fmt: skip
_JUMPS = frozenset(  # without a statement inside
    {CursorKind.NULL_STMT, CursorKind.BREAK_STMT, CursorKind.CONTINUE_STMT,
     CursorKind.GOTO_STMT, CursorKind.RETURN_STMT}
)  # fmt: skip
_LITERAL = re.compile(rb"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)+'")
_FOR = re.compile(rb"for(?:\s|\\\n)*\(")


def stmt(s: State, cursor: Cursor) -> None:
    kind = cursor.kind
    if s.build.dead and kind not in _ENTRIES and not _enterable(s, cursor):
        return
    function = HANDLERS.statements.get(kind)
    if function is not None:
        function(s, cursor)
    elif is_expression(kind):
        effect(s, cursor)
    elif not is_attribute(kind):
        expr(s, cursor)


def _enterable(s: State, cursor: Cursor) -> bool:
    """Whether control can get into a statement that nothing falls into."""
    if cursor.kind in _JUMPS:
        return False
    kinds = _ENTRIES if s.switch is not None else _LABELS
    return s.lib.any_descendant(cursor, kinds)


@statement(CursorKind.NULL_STMT)
def _nothing(s: State, cursor: Cursor) -> None:
    pass


@statement(CursorKind.UNEXPOSED_STMT)
def _attributed(s: State, cursor: Cursor) -> None:
    for kid in s.lib.children(cursor):
        stmt(s, kid)


@statement(CursorKind.COMPOUND_STMT)
def _compound(s: State, cursor: Cursor) -> None:
    outer = s.scope
    for kid in s.lib.children(cursor):
        stmt(s, kid)
    leave(s, outer, cursor)


@expression(CursorKind.STMT_EXPR, effect=True)
def _stmt_expr(s: State, cursor: Cursor, *, wanted: bool = True) -> Expr:
    body = s.lib.children(cursor)[0]
    kids = s.lib.children(body)
    outer = s.scope
    value: Expr = Const(0, s.build.void)
    last = kids.pop() if kids else None
    for kid in kids:
        stmt(s, kid)
    while last is not None and last.kind == CursorKind.LABEL_STMT:
        last = place_label(s, last)
    if last is not None and is_expression(last.kind) and wanted:
        value = kept(s, expr(s, last), outer, last)
    elif last is not None:
        stmt(s, last)
    leave(s, outer, body)
    return value


# choices and loops


@statement(CursorKind.IF_STMT)
def _if(s: State, cursor: Cursor) -> None:
    kids = s.lib.children(cursor)
    then, after = Node(), Node()
    els = kids[2] if len(kids) > 2 else None
    other = after if els is None else Node()
    test(s, kids[0], then, other)
    s.build.start(then, live=then.used)
    stmt(s, kids[1])
    s.build.end(jump(after))
    if els is not None:
        s.build.start(other, live=other.used)
        stmt(s, els)
        s.build.end(jump(after))
    s.build.start(after, live=after.used)


def _loop(
    s: State, cond: Cursor | None, step: Cursor | None, body: Cursor, *, test_first: bool
) -> None:
    head, check, again, after = Node(), Node(), Node(), Node()

    def check_here() -> None:
        s.build.start(check, live=check.used)
        if cond is None:
            s.build.end(jump(head))
        elif not s.build.dead:
            test(s, cond, head, after)

    s.build.dead = False  # a loop that a label in its body leads into is live
    saved = s.break_, s.continue_
    s.break_, s.continue_ = Target(after, s.scope), Target(again, s.scope)
    s.build.end(jump(check if test_first else head))
    if test_first:
        check_here()
    s.build.start(head, live=head.used)
    stmt(s, body)
    s.build.join(again)
    if step is not None and not s.build.dead:
        effect(s, step)
    s.build.end(jump(check))
    if not test_first:
        check_here()
    s.break_, s.continue_ = saved
    s.build.start(after, live=after.used)


@statement(CursorKind.WHILE_STMT)
def _while(s: State, cursor: Cursor) -> None:
    kids = s.lib.children(cursor)
    _loop(s, kids[0], None, kids[-1], test_first=True)


@statement(CursorKind.DO_STMT)
def _do(s: State, cursor: Cursor) -> None:
    body, cond = s.lib.children(cursor)[:2]
    if not _states(s, cursor, body, cond):
        _loop(s, cond, None, body, test_first=False)


def _states(s: State, cursor: Cursor, body: Cursor, cond: Cursor) -> bool:
    """Lower ``do { } while (0)`` and ``do { (void)(x); } while (0)`` of a macro: what an
    assertion is made of where it is not compiled in."""
    kids = s.lib.children(body) if body.kind == CursorKind.COMPOUND_STMT else [body]
    casts = all(kid.kind == CursorKind.CSTYLE_CAST_EXPR for kid in kids)
    if not casts or s.lib.evaluate(cond) != 0:
        return False
    names = s.parsed.macros(cursor)
    if not names[0] or not all(isinstance(s.build.types[s.type(k)], TVoid) for k in kids):
        return False
    args = tuple([expr(s, s.operand(kid)) for kid in kids])
    if not s.build.dead:
        s.build.emit(Stated(names, args, s.loc(cursor)))
    return True


@statement(CursorKind.FOR_STMT)
def _for(s: State, cursor: Cursor) -> None:
    kids = s.lib.children(cursor)
    body = kids.pop()
    outer = s.scope
    clauses = _for_clauses(s, cursor, kids)
    if clauses[0] is not None:
        stmt(s, clauses[0])
    _loop(s, clauses[1], clauses[2], body, test_first=True)
    leave(s, outer, cursor)


def _for_clauses(s: State, cursor: Cursor, kids: list[Cursor]) -> list[Cursor | None]:
    """Initialisation, condition and step; libclang leaves out the missing
    ones, so the source text says which are written."""
    if len(kids) == 3:
        return list(kids)
    if not kids:
        return [None, None, None]
    text = s.parsed.source(cursor)
    written = _clauses(text)
    if sum(written) == len(kids):
        rest = iter(kids)
        return [next(rest) if w else None for w in written]
    if kids[0].kind == CursorKind.DECL_STMT:
        return [kids[0], kids[1] if len(kids) > 1 else None, None]
    return [None, kids[0], kids[1] if len(kids) > 1 else None]


@statement(CursorKind.SWITCH_STMT)
def _switch(s: State, cursor: Cursor) -> None:
    kids = s.lib.children(cursor)
    cond, body = kids[0], kids[-1]
    value = expr(s, cond)
    type_ = s.build.type_of(value)
    known = value.value if type(value) is Const else None
    hit = known is not None and _has_case(s, body, known, type_)
    switch, after = Switch([], [], type_, known, hit), Node()
    head, loc, was_dead = s.build.cur, s.loc(cond), s.build.dead
    outer = s.switch, s.break_
    s.switch, s.break_ = switch, Target(after, s.scope)
    s.build.start(Node(), live=False)
    stmt(s, body)
    s.build.end(jump(after))
    s.switch, s.break_ = outer
    default = switch.default[0] if switch.default else after
    s.build.start(head, live=not was_dead)
    if known is not None:
        chosen = [node for low, high, node in switch.cases if low <= known <= high]
        s.build.end(jump(chosen[0] if chosen else default))
    else:
        default.used = True
        s.build.end(("switch", value, tuple(switch.cases), default, loc))
    s.build.start(after, live=after.used)


def _has_case(s: State, body: Cursor, known: int, type_: TypeId) -> bool:
    """Whether a case of this switch (not of one inside) is ``known``."""
    found = False
    stack = [body]
    while stack and not found:
        cursor = stack.pop()
        kids = s.lib.children(cursor)
        if cursor.kind == CursorKind.CASE_STMT:
            low, high = _case_range(s, kids, type_)
            found = low <= known <= high
        stack.extend(k for k in kids if k.kind in _HOLDERS)
    return found


def _case_range(s: State, kids: list[Cursor], type_: TypeId) -> tuple[int, int]:
    values = []
    for kid in kids[:-1][:2]:
        value = s.lib.evaluate(kid)
        e = expr(s, kid) if value is None else None
        values.append(e.value if isinstance(e, Const) else (value or 0))
    low, high = values[0], values[-1]
    shape = s.build.types[type_]
    return wrap(low, shape), wrap(high, shape)


@statement(CursorKind.CASE_STMT)
def _case(s: State, cursor: Cursor) -> None:
    kids = s.lib.children(cursor)
    if s.switch is not None:
        low, high = _case_range(s, kids, s.switch.type)
        if s.switch.known is None or low <= s.switch.known <= high:
            s.switch.cases.append((low, high, _case_here(s)))
    stmt(s, kids[-1])


@statement(CursorKind.DEFAULT_STMT)
def _default(s: State, cursor: Cursor) -> None:
    if s.switch is not None and not s.switch.hit:
        s.switch.default.append(_case_here(s))
    stmt(s, s.operand(cursor))


def _case_here(s: State) -> Node:
    node = Node()
    node.used = True
    s.build.join(node)
    return node


@statement(CursorKind.LABEL_STMT)
def _label(s: State, cursor: Cursor) -> None:
    stmt(s, place_label(s, cursor))


# declarations


@statement(CursorKind.DECL_STMT)
def _decl_stmt(s: State, cursor: Cursor) -> None:
    for kid in s.lib.children(cursor):
        if kid.kind == CursorKind.VAR_DECL:
            _variable(s, kid)


def _variable(s: State, cursor: Cursor) -> None:
    lib = s.lib
    if lib.Cursor_getStorageClass(cursor) in (StorageClass.EXTERN, StorageClass.STATIC):
        info = s.names.global_(cursor)
        s.build.cur.refs.append(info)
        for label in label_addresses(s, cursor):
            label_number(s, label)
        return
    type_ = s.type(cursor)
    slot = len(s.build.vars)
    s.build.vars.append(VarDecl(s.names.spelling(cursor), type_))
    variable = s.slots[cursor.d0] = Var(slot)
    init = lib.Cursor_getVarDeclInitializer(cursor)
    if is_expression(init.kind):
        if init.kind == CursorKind.INIT_LIST_EXPR or init.kind == CursorKind.STRING_LITERAL:
            value = initialiser(s, init, type_)
            array = s.build.types[type_]
            if isinstance(array, TArray) and array.count < 0:
                s.build.vars[slot] = VarDecl(s.build.vars[slot].name, s.build.type_of(value))
            s.build.emit(Assign(variable, value, s.loc(cursor)))
        else:
            value = s.build.convert(expr(s, init), type_)
            s.build.assign(variable, value, s.loc(cursor))
    for kid in lib.children(cursor):
        if kid.kind == CursorKind.UNEXPOSED_ATTR:
            name = s.names.cleanup(cursor)
            function = s.unit.function_named(name) if name else None
            if function is not None:
                s.scope = Cleanup(s.scope, slot, s.names.function(function))
            break


# the whole


def lower_body(s: State, function: Cursor, body: Cursor) -> TypeId:
    """Fill in parameters and blocks; returns the result type."""
    lib = s.lib
    for number in range(max(lib.Cursor_getNumArguments(function), 0)):
        parameter = lib.Cursor_getArgument(function, number)
        type_ = s.type(parameter)
        shape = s.build.types[type_]
        if isinstance(shape, TArray):
            type_ = s.build.pointer_to(shape.of)
        elif isinstance(shape, TFunc):
            type_ = s.build.table.intern(TPtr(type_))
        s.slots[parameter.d0] = Var(len(s.build.vars))
        s.build.vars.append(VarDecl(s.names.spelling(parameter), type_))
    ret = s.build.table.of(lib.getResultType(lib.getCursorType(function)))
    _compound(s, body)
    loc = s.end_loc(body)
    if not s.build.dead:
        s.build.end(("ret", None, loc))
    resolve_jumps(s)
    return ret


def _clauses(text: bytes) -> list[bool]:
    """Which of the three clauses after ``for (`` are not empty."""
    head = _FOR.match(text)
    if head is None:
        return []
    written = [False]
    depth, at = 0, head.end()
    while at < len(text):
        char = text[at : at + 1]
        if char == b"/" and text[at : at + 2] == b"/*":
            at = text.find(b"*/", at) + 2
            continue
        literal = _LITERAL.match(text, at)
        if literal:
            written[-1] = True
            at = literal.end()
            continue
        if char in b"([{":
            depth += 1
        elif char in b")]}":
            if depth == 0:
                return written
            depth -= 1
        if depth == 0 and char == b";":
            written.append(False)
        elif not char.isspace() and char != b"\\":
            written[-1] = True
        at += 1
    return written
