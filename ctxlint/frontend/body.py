# SPDX-License-Identifier: GPL-2.0-or-later
"""Statements: control flow, scopes with cleanups, inline assembly."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ctxlint.frontend.cfg import Node, jump
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.fold import wrap
from ctxlint.frontend.jumps import Jumps, Target
from ctxlint.frontend.kinds import CursorKind, StorageClass, is_attribute, is_expression
from ctxlint.frontend.state import Cleanup
from ctxlint.ir.ops import Assign, Const, Expr, Stated, Var
from ctxlint.ir.types import TArray, TFunc, TPtr, TVoid, TypeId
from ctxlint.ir.unit import VarDecl

_ENTRIES = frozenset((CursorKind.LABEL_STMT, CursorKind.CASE_STMT, CursorKind.DEFAULT_STMT))
_LABELS = frozenset((CursorKind.LABEL_STMT,))
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


class SwitchContext(NamedTuple):
    cases: list[tuple[int, int, Node]]
    default: list[Node]
    type: TypeId
    known: int | None  # the value of a constant condition
    hit: list[bool]


class Body(Jumps):
    """Lowers one function body."""

    def __init__(self, unit: Any) -> None:
        super().__init__(unit)
        self._switch: SwitchContext | None = None

    # statements

    def stmt(self, cursor: Cursor) -> None:
        kind = cursor.kind
        if self.dead and kind not in _ENTRIES and not self._enterable(cursor):
            return
        handler = _STMT.get(kind)
        if handler is not None:
            handler(self, cursor)
        elif is_expression(kind):
            self.effect(cursor)
        elif kind == CursorKind.UNEXPOSED_STMT:
            for kid in self.lib.children(cursor):
                self.stmt(kid)
        elif not is_attribute(kind):
            self.expr(cursor)

    def _enterable(self, cursor: Cursor) -> bool:
        """Whether control can get into a statement that nothing falls into."""
        if cursor.kind in _JUMPS:
            return False
        kinds = _ENTRIES if self._switch is not None else _LABELS
        return self.lib.any_descendant(cursor, kinds)

    def _compound(self, cursor: Cursor) -> None:
        outer = self.scope
        for kid in self.lib.children(cursor):
            self.stmt(kid)
        self._leave(outer, cursor)

    def _leave(self, outer: Cleanup | None, cursor: Cursor) -> None:
        if self.scope is not outer:
            if not self.dead:
                self.run_cleanups(outer, self.end_loc(cursor))
            self.scope = outer

    def _stmt_expr(self, cursor: Cursor, *, wanted: bool = True) -> Expr:
        body = self.lib.children(cursor)[0]
        kids = self.lib.children(body)
        outer = self.scope
        value: Expr = Const(0, self.void)
        last = kids.pop() if kids else None
        for kid in kids:
            self.stmt(kid)
        while last is not None and last.kind == CursorKind.LABEL_STMT:
            self._label_here(last)
            last = self.lib.children(last)[-1]
        if last is not None and is_expression(last.kind) and wanted:
            value = self.expr(last)
            if self.scope is not outer and type(value) is not Const:
                holder = self.temp(self.type_of(value))
                self.assign(holder, value, self.loc(last))
                value = holder
        elif last is not None:
            self.stmt(last)
        self._leave(outer, body)
        return value

    def _if(self, cursor: Cursor) -> None:
        kids = self.lib.children(cursor)
        then, after = Node(), Node()
        els = kids[2] if len(kids) > 2 else None
        other = after if els is None else Node()
        self.test(kids[0], then, other)
        self.start(then, live=then.used)
        self.stmt(kids[1])
        self.end(jump(after))
        if els is not None:
            self.start(other, live=other.used)
            self.stmt(els)
            self.end(jump(after))
        self.start(after, live=after.used)

    def _loop(
        self,
        cursor: Cursor,
        test: Cursor | None,
        step: Cursor | None,
        body: Cursor,
        *,
        test_first: bool,
    ) -> None:
        head, check, again, after = Node(), Node(), Node(), Node()
        self.dead = False  # a loop that a label in its body leads into is live
        saved = self._break, self._continue
        self._break = Target(after, self.scope)
        self._continue = Target(again, self.scope)
        self.end(jump(check if test_first else head))
        if test_first:
            self.start(check, live=check.used)
            self._test(test, head, after)
        self.start(head, live=head.used)
        self.stmt(body)
        self.join(again)
        if step is not None and not self.dead:
            self.effect(step)
        self.end(jump(check))
        if not test_first:
            self.start(check, live=check.used)
            self._test(test, head, after)
        self._break, self._continue = saved
        self.start(after, live=after.used)

    def _test(self, test: Cursor | None, head: Node, after: Node) -> None:
        if test is None:
            self.end(jump(head))
        elif not self.dead:
            self.test(test, head, after)

    def _while(self, cursor: Cursor) -> None:
        kids = self.lib.children(cursor)
        self._loop(cursor, kids[0], None, kids[-1], test_first=True)

    def _do(self, cursor: Cursor) -> None:
        body, test = self.lib.children(cursor)[:2]
        if self._states(cursor, body, test):
            return
        self._loop(cursor, test, None, body, test_first=False)

    def _states(self, cursor: Cursor, body: Cursor, test: Cursor) -> bool:
        """Lower ``do { } while (0)`` and ``do { (void)(x); } while (0)`` of a macro: what an
        assertion is made of where it is not compiled in."""
        kids = self.lib.children(body) if body.kind == CursorKind.COMPOUND_STMT else [body]
        if (
            any(kid.kind != CursorKind.CSTYLE_CAST_EXPR for kid in kids)
            or self.lib.evaluate(test) != 0
        ):
            return False
        names = self.parsed.macros(cursor)
        if not names[0] or any(
            not isinstance(self.types[self.type(kid)], TVoid) for kid in kids
        ):
            return False
        args = tuple(self.expr(self.lib.children(kid)[-1]) for kid in kids)
        if not self.dead:
            self.emit(Stated(names, args, self.loc(cursor)))
        return True

    def _for(self, cursor: Cursor) -> None:
        kids = self.lib.children(cursor)
        body = kids.pop()
        outer = self.scope
        clauses = self._for_clauses(cursor, kids)
        if clauses[0] is not None:
            self.stmt(clauses[0])
        self._loop(cursor, clauses[1], clauses[2], body, test_first=True)
        self._leave(outer, cursor)

    def _for_clauses(self, cursor: Cursor, kids: list[Cursor]) -> list[Cursor | None]:
        """Initialisation, condition and step; libclang leaves out the missing
        ones, so the source text says which are written."""
        if len(kids) == 3:
            return list(kids)
        if not kids:
            return [None, None, None]
        text = self.parsed.source(cursor)
        written = _clauses(text)
        if sum(written) == len(kids):
            rest = iter(kids)
            return [next(rest) if w else None for w in written]
        if kids[0].kind == CursorKind.DECL_STMT:
            return [kids[0], kids[1] if len(kids) > 1 else None, None]
        return [None, kids[0], kids[1] if len(kids) > 1 else None]

    def _switch_stmt(self, cursor: Cursor) -> None:
        kids = self.lib.children(cursor)
        value = self.expr(kids[0])
        type_ = self.type_of(value)
        known = value.value if type(value) is Const else None
        outer = self._switch, self._break
        after = Node()
        context = SwitchContext([], [], type_, known, [False])
        if known is not None:
            context.hit[0] = self._has_case(kids[-1], known, type_)
        head, loc, was_dead = self.cur, self.loc(kids[0]), self.dead
        self._switch, self._break = context, Target(after, self.scope)
        self.start(Node(), live=False)
        self.stmt(kids[-1])
        self.end(jump(after))
        self._switch, self._break = outer
        default = context.default[0] if context.default else after
        self.start(head, live=not was_dead)
        if known is not None:
            chosen = [n for low, high, n in context.cases if low <= known <= high]
            self.end(jump(chosen[0] if chosen else default))
        else:
            default.used = True
            self.end(("switch", value, tuple(context.cases), default, loc))
        self.start(after, live=after.used)

    def _has_case(self, body: Cursor, known: int, type_: TypeId) -> bool:
        """Whether a case of this switch (not of one inside) is ``known``."""
        found = False
        stack = [body]
        while stack and not found:
            cursor = stack.pop()
            kids = self.lib.children(cursor)
            if cursor.kind == CursorKind.CASE_STMT:
                low, high = self._case_range(kids, type_)
                found = low <= known <= high
            stack.extend(k for k in kids if k.kind in _HOLDERS)
        return found

    def _case_range(self, kids: list[Cursor], type_: TypeId) -> tuple[int, int]:
        values = []
        for kid in kids[:-1][:2]:
            value = self.lib.evaluate(kid)
            e = self.expr(kid) if value is None else None
            values.append(e.value if isinstance(e, Const) else (value or 0))
        low, high = values[0], values[-1]
        shape = self.types[type_]
        return wrap(low, shape), wrap(high, shape)

    def _case(self, cursor: Cursor) -> None:
        kids = self.lib.children(cursor)
        context = self._switch
        if context is not None:
            low, high = self._case_range(kids, context.type)
            live = context.known is None or low <= context.known <= high
            if live:
                node = Node()
                node.used = True
                context.cases.append((low, high, node))
                self.join(node)
        self.stmt(kids[-1])

    def _default(self, cursor: Cursor) -> None:
        context = self._switch
        if context is not None and not context.hit[0]:
            node = Node()
            node.used = True
            context.default.append(node)
            self.join(node)
        self.stmt(self.lib.children(cursor)[-1])

    def _label(self, cursor: Cursor) -> None:
        self._label_here(cursor)
        self.stmt(self.lib.children(cursor)[-1])

    # declarations

    def _decl_stmt(self, cursor: Cursor) -> None:
        for kid in self.lib.children(cursor):
            if kid.kind == CursorKind.VAR_DECL:
                self._variable(kid)

    def _variable(self, cursor: Cursor) -> None:
        lib = self.lib
        if lib.Cursor_getStorageClass(cursor) in (StorageClass.EXTERN, StorageClass.STATIC):
            info = self.names.global_(cursor)
            self.cur.refs.append(info)
            for label in self._label_addresses(cursor):
                self.label_number(label)
            return
        type_ = self.type(cursor)
        slot = len(self.vars)
        self.vars.append(VarDecl(self.names.spelling(cursor), type_))
        variable = self.slots[cursor.d0] = Var(slot)
        init = lib.Cursor_getVarDeclInitializer(cursor)
        if is_expression(init.kind):
            if init.kind == CursorKind.INIT_LIST_EXPR or init.kind == CursorKind.STRING_LITERAL:
                value = self.initialiser(init, type_)
                array = self.types[type_]
                if isinstance(array, TArray) and array.count < 0:
                    self.vars[slot] = VarDecl(self.vars[slot].name, self.type_of(value))
                self.emit(Assign(variable, value, self.loc(cursor)))
            else:
                value = self.convert(self.expr(init), type_)
                self.assign(variable, value, self.loc(cursor))
        for kid in lib.children(cursor):
            if kid.kind == CursorKind.UNEXPOSED_ATTR:
                name = self.names.cleanup(cursor)
                function = self.unit.function_named(name) if name else None
                if function is not None:
                    self.scope = Cleanup(self.scope, slot, self.names.function(function))
                break

    # the whole

    def lower(self, function: Cursor, body: Cursor) -> TypeId:
        """Fill in parameters and blocks; returns the result type."""
        lib = self.lib
        for number in range(max(lib.Cursor_getNumArguments(function), 0)):
            parameter = lib.Cursor_getArgument(function, number)
            type_ = self.type(parameter)
            shape = self.types[type_]
            if isinstance(shape, TArray):
                type_ = self.pointer_to(shape.of)
            elif isinstance(shape, TFunc):
                type_ = self.table.intern(TPtr(type_))
            self.slots[parameter.d0] = Var(len(self.vars))
            self.vars.append(VarDecl(self.names.spelling(parameter), type_))
        ret = self.table.of(lib.getResultType(lib.getCursorType(function)))
        self._compound(body)
        loc = self.end_loc(body)
        if not self.dead:
            self.end(("ret", None, loc))
        self._resolve_jumps()
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


_STMT: dict[int, Callable[[Any, Cursor], None]] = {
    CursorKind.LABEL_STMT: Body._label,
    CursorKind.COMPOUND_STMT: Body._compound,
    CursorKind.CASE_STMT: Body._case,
    CursorKind.DEFAULT_STMT: Body._default,
    CursorKind.IF_STMT: Body._if,
    CursorKind.SWITCH_STMT: Body._switch_stmt,
    CursorKind.WHILE_STMT: Body._while,
    CursorKind.DO_STMT: Body._do,
    CursorKind.FOR_STMT: Body._for,
    CursorKind.GOTO_STMT: Body._goto,
    CursorKind.INDIRECT_GOTO_STMT: Body._indirect_goto,
    CursorKind.CONTINUE_STMT: Body._continue_stmt,
    CursorKind.BREAK_STMT: Body._break_stmt,
    CursorKind.RETURN_STMT: Body._return,
    CursorKind.ASM_STMT: Body._asm,
    CursorKind.NULL_STMT: lambda self, cursor: None,
    CursorKind.DECL_STMT: Body._decl_stmt,
}
