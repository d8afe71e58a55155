# SPDX-License-Identifier: GPL-2.0-or-later
"""Leaving a place: jumps, the scopes they leave, and inline assembly (which may
jump)."""

from __future__ import annotations

from typing import Any, NamedTuple

from ctxlint.frontend import asm
from ctxlint.frontend.cfg import Node, jump
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.initialise import Initialisers
from ctxlint.frontend.kinds import CursorKind, is_expression
from ctxlint.frontend.state import Cleanup
from ctxlint.ir.ops import Addr, Asm, Call, Const, Expr, LocId, Var
from ctxlint.ir.types import TVoid

_ADDRESSES = frozenset((CursorKind.ADDR_LABEL_EXPR,))

_LOADS = frozenset(
    {CursorKind.UNEXPOSED_EXPR, CursorKind.INTEGER_LITERAL, CursorKind.CHARACTER_LITERAL,
     CursorKind.CXX_UNARY_EXPR}
)  # fmt: skip


class Target(NamedTuple):
    """Where ``break`` or ``continue`` goes, and the scope it goes back to."""

    node: Node
    scope: Cleanup | None


class Jumps(Initialisers):
    def __init__(self, unit: Any) -> None:
        super().__init__(unit)
        self._break: Target | None = None
        self._continue: Target | None = None
        self._label_targets: dict[int | None, tuple[Node, list[Cleanup | None]]] = {}
        self._gotos: list[tuple[Node, Cleanup | None, int | None, LocId]] = []
        self._indirect: list[tuple[Node, Expr]] = []
        self._asm_labels: list[tuple[str, Node, Cleanup | None, LocId]] = []
        self._label_names: dict[str, int | None] = {}

    def run_cleanups(self, outer: Cleanup | None, loc: LocId) -> None:
        """Destructor calls from the innermost variable to ``outer``."""
        entry = self.scope
        while entry is not None and entry is not outer:
            type_ = self.vars[entry.slot].type
            fn = self.func(entry.function)
            args = (Addr(Var(entry.slot), self.pointer_to(type_)),)
            self.emit(Call(None, fn, args, loc, "cleanup"))
            entry = entry.outer

    def _jump_out(self, target: Target | None, cursor: Cursor) -> None:
        if target is None:
            return
        self.run_cleanups(target.scope, self.loc(cursor) if self.scope else 0)
        self.end(jump(target.node))

    def _break_stmt(self, cursor: Cursor) -> None:
        self._jump_out(self._break, cursor)

    def _continue_stmt(self, cursor: Cursor) -> None:
        self._jump_out(self._continue, cursor)

    def _return(self, cursor: Cursor) -> None:
        kids = self.lib.children(cursor)
        loc = self.loc(cursor)
        value: Expr | None = None
        if kids:
            value = self.decayed(self.expr(kids[0]))
            if isinstance(self.types[self.type_of(value)], TVoid):
                value = None
        if value is not None and self.scope is not None and type(value) is not Const:
            holder = self.temp(self.type_of(value))
            self.assign(holder, value, loc)
            value = holder
        self.run_cleanups(None, loc)
        self.end(("ret", value, loc))

    def _label_target(self, label: Cursor) -> tuple[Node, list[Cleanup | None]]:
        target = self._label_targets.get(label.d1 or label.d0)
        if target is None:
            target = self._label_targets[label.d1 or label.d0] = (Node(), [])
            self._label_names.setdefault(self.names.spelling(label), label.d1 or label.d0)
        return target

    def label_number(self, label: Cursor) -> int:
        node, _ = self._label_target(label)
        for number, known in enumerate(self.label_nodes):
            if known is node:
                return number
        self.label_nodes.append(node)
        return len(self.label_nodes) - 1

    def _label_here(self, cursor: Cursor) -> None:
        node, scope = self._label_target(cursor)
        scope.append(self.scope)
        node.used = True
        self.join(node)

    def _goto(self, cursor: Cursor) -> None:
        label = self.lib.getCursorReferenced(self.lib.children(cursor)[0])
        self._label_target(label)
        edge = Node()
        loc = self.loc(cursor)
        self._gotos.append((edge, self.scope, label.d1 or label.d0, loc))
        self.end(jump(edge))

    def _indirect_goto(self, cursor: Cursor) -> None:
        value = self.expr(self.lib.children(cursor)[0])
        if not self.dead:
            self._indirect.append((self.cur, value))
        self.end(("indirect", value, ()))

    def label_blocks(self) -> dict[int | None, int]:
        """Numbers of the labels whose address is taken, once finished."""
        taken = {id(node) for node in self.label_nodes}
        return {
            key: max(node.number, 0)
            for key, (node, _) in self._label_targets.items()
            if id(node) in taken
        }

    def _resolve_jumps(self) -> None:
        """Give every goto its edge: destructors of the scopes it leaves, then
        the label."""
        for name, edge, scope, loc in self._asm_labels:
            if name in self._label_names:
                self._gotos.append((edge, scope, self._label_names[name], loc))
            else:  # the label came through a macro parameter: any of them
                targets = [node for node, _ in self._label_targets.values()]
                edge.term = ("indirect", self.opaque_label(), tuple(targets))
        for edge, scope, key, loc in self._gotos:
            target = self._label_targets.get(key)
            if target is None:
                edge.term = ("unreachable",)
                continue
            node, scopes = target
            self.start(edge)
            self.scope = scope
            self.run_cleanups(scopes[0] if scopes else scope, loc)
            self.end(jump(node))
        for node, value in self._indirect:
            node.term = ("indirect", value, tuple(self.label_nodes))

    def opaque_label(self) -> Expr:
        return Const(0, self.int_)

    def _label_addresses(self, cursor: Cursor) -> list[Cursor]:
        """Labels whose address is in the initialiser of a static variable."""
        if not self.lib.any_descendant(cursor, _ADDRESSES):
            return []
        found = []
        stack = [cursor]
        while stack:
            kids = self.lib.children(stack.pop())
            found += [
                self.lib.getCursorReferenced(k) for k in kids if k.kind == CursorKind.LABEL_REF
            ]
            stack += reversed(kids)
        return found

    def _asm(self, cursor: Cursor) -> None:
        kids = [k for k in self.lib.children(cursor) if is_expression(k.kind)]
        text = asm.split(self.parsed.source(cursor).decode("utf-8", "replace"))
        operands = [self.expr(k) for k in kids]
        loc = self.loc(cursor)
        if text is None or len(operands) != len(text.outs) + len(text.ins):
            template = text.template if text else self.unit.macro_text(cursor)
            outs = self._outputs(kids, operands)
            ins = [e for e in operands if not any(e is o for o in outs)]
            op = Asm(
                template,
                tuple(("=?", e) for e in outs),
                tuple(("?", e) for e in ins),
                loc,
                memory=True,
            )
        else:
            cut = len(text.outs)
            outs_ = tuple(zip(text.outs, operands[:cut], strict=True))
            ins_ = tuple(zip(text.ins, operands[cut:], strict=True))
            op = Asm(text.template, outs_, ins_, loc, text.memory)
        if text is not None and text.goto:
            self._asm_goto(op, text.labels, loc)
        else:
            self.emit(op)

    def _outputs(self, kids: list[Cursor], operands: list[Expr]) -> list[Expr]:
        """Without readable text: operands that are lvalues come first and are
        not loaded (a load shows as an implicit cast)."""
        found = []
        for kid, e in zip(kids, operands, strict=True):
            if kid.kind in _LOADS:
                break
            found.append(e)
        return found

    def _asm_goto(self, op: Asm, labels: tuple[str, ...], loc: LocId) -> None:
        targets = []
        for name in labels or ("",):  # a macro hides them: any label, then
            edge = Node()
            edge.used = True
            self._asm_labels.append((name, edge, self.scope, loc))
            targets.append(edge)
        after = Node()
        after.used = True
        was_dead = self.dead
        self.end(("asmgoto", op, after, tuple(targets)))
        self.start(after, live=not was_dead)
