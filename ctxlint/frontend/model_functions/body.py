# SPDX-License-Identifier: GPL-2.0-or-later
"""Statements of model files.

Everything is lowered as it stands; what control cannot reach falls away when
the graph is finished.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ctxlint.frontend.builder import Node, jump
from ctxlint.frontend.builder.fold import wrap
from ctxlint.frontend.model_functions.expr import EXPRESSIONS
from ctxlint.frontend.model_functions.init import Initialisers
from ctxlint.frontend.model_functions.scope import Local
from ctxlint.ir.ops import Assign, Var
from ctxlint.ir.types import TArray, TFunc, TVoid, TypeId
from ctxlint.ir.unit import VarDecl

if TYPE_CHECKING:
    from ctxlint.frontend.model_functions.unit import FileLowering


@dataclass
class _Switch:
    type: TypeId
    cases: list[tuple[int, int, Node]] = field(default_factory=list)
    default: Node | None = None


@dataclass
class _Label:
    node: Node
    use: Any  # the first goto
    defined: bool = False


class Body(Initialisers):
    """Lowers one function body, or one initialiser."""

    def __init__(self, unit: FileLowering) -> None:
        super().__init__(unit)
        self.ret: TypeId = self.void
        self._breaks: list[Node] = []
        self._continues: list[Node] = []
        self._switches: list[_Switch] = []
        self._labels: dict[str, _Label] = {}

    def body(self, compound: Any) -> None:
        """The outermost block, in the scope of the parameters."""
        for item in compound.block_items or ():
            self.stmt(item)
        for name, label in self._labels.items():
            if not label.defined:
                self.fail(label.use, f"the label {name} is not there")

    def parameter(self, name: str, number: int, node: Any) -> None:
        self.unit.sized(node, number, f"parameter {name}")
        self.unit.name(name, Local(number, len(self.vars), self), node)
        self.vars.append(VarDecl(name, self.table.local(number)))

    def stmt(self, node: Any) -> None:
        kind = type(node).__name__
        handler = _STATEMENTS.get(kind)
        if handler is not None:
            handler(self, node)
        elif kind in EXPRESSIONS:
            self.effect(node)
        else:
            self.fail(node, f"{kind} is not a statement that model files can have")

    def _compound(self, node: Any) -> None:
        self.unit.enter()
        for item in node.block_items or ():
            self.stmt(item)
        self.unit.leave()

    def _empty_statement(self, node: Any) -> None:
        pass

    def _static_assert(self, node: Any) -> None:
        self.unit.static_assert(node)

    # declarations

    def _typedef(self, node: Any) -> None:
        self.unit.typedef(node)

    def _decl_list(self, node: Any) -> None:
        for item in node.decls:
            self.stmt(item)

    def _decl(self, node: Any) -> None:
        if node.name is None:
            self.unit.resolve(node.type)
            return
        number = self.unit.resolve(node.type)
        if node.storage or isinstance(self.world.types[number], TFunc):
            self.unit.declare(node, number)
            return
        self.unit.plain(node)
        slot = len(self.vars)
        local = Local(number, slot, self)
        self.unit.name(node.name, local, node)
        type_ = self.table.local(number)
        self.vars.append(VarDecl(node.name, type_))
        if node.init is not None:
            value = self.initialiser(node.init, type_)
            shape = self.types[type_]
            if isinstance(shape, TArray):
                done = self.types[self.type_of(value)]
                assert isinstance(done, TArray)
                local.type = self.unit.completed(number, done.count)
                self.vars[slot] = VarDecl(node.name, self.table.local(local.type))
                self.emit(Assign(Var(slot), value, self.loc(node)))
            else:
                self.assign(Var(slot), value, self.loc(node))
        self.unit.sized(node, local.type, node.name)

    # jumps

    def _break(self, node: Any) -> None:
        if not self._breaks:
            self.fail(node, "break outside of a loop or switch")
        self.end(jump(self._breaks[-1]))

    def _continue(self, node: Any) -> None:
        if not self._continues:
            self.fail(node, "continue outside of a loop")
        self.end(jump(self._continues[-1]))

    def _return(self, node: Any) -> None:
        nothing = isinstance(self.types[self.ret], TVoid)
        loc = self.loc(node)
        if node.expr is None:
            if not nothing:
                self.fail(node, "return without a value")
            self.end(("ret", None, loc))
            return
        if nothing:
            self.fail(node, "return with a value from a void function")
        value = self.assignable(self.value(node.expr), self.ret, node, "return")
        self.end(("ret", value, loc))

    def _label(self, name: str, use: Any) -> _Label:
        label = self._labels.get(name)
        if label is None:
            label = self._labels[name] = _Label(Node(), use)
            label.node.used = True
        return label

    def _goto(self, node: Any) -> None:
        self.end(jump(self._label(node.name, node).node))

    def _label_here(self, node: Any) -> None:
        label = self._label(node.name, node)
        if label.defined:
            self.fail(node, f"the label {node.name} is there twice")
        label.defined = True
        self.join(label.node)
        self.stmt(node.stmt)

    # choices and loops

    def _if(self, node: Any) -> None:
        then, other, after = Node(), Node(), Node()
        self.test(node.cond, then, other if node.iffalse is not None else after)
        self.start(then)
        self._inner(node.iftrue)
        self.end(jump(after))
        if node.iffalse is not None:
            self.start(other)
            self._inner(node.iffalse)
            self.end(jump(after))
        self.start(after)

    def _inner(self, node: Any) -> None:
        """The statement of an if or loop, which is a block of its own."""
        self.unit.enter()
        self.stmt(node)
        self.unit.leave()

    def _loop(self, test: Any, step: Any, body: Any, *, test_first: bool) -> None:
        head, check, again, after = Node(), Node(), Node(), Node()
        self._breaks.append(after)
        self._continues.append(again)
        self.end(jump(check if test_first else head))
        self.start(head)
        self._inner(body)
        self.end(jump(again))
        self.start(again)
        if step is not None:
            self.effect(step)
        self.end(jump(check))
        self.start(check)
        if test is None:
            self.end(jump(head))
        else:
            self.test(test, head, after)
        self._breaks.pop()
        self._continues.pop()
        self.start(after)

    def _while(self, node: Any) -> None:
        self._loop(node.cond, None, node.stmt, test_first=True)

    def _do_while(self, node: Any) -> None:
        self._loop(node.cond, None, node.stmt, test_first=False)

    def _for(self, node: Any) -> None:
        self.unit.enter()
        if node.init is not None:
            self.stmt(node.init)
        self._loop(node.cond, node.next, node.stmt, test_first=True)
        self.unit.leave()

    def _switch(self, node: Any) -> None:
        value = self.integer(self.expr(node.cond), node.cond)
        switch, after = _Switch(self.type_of(value)), Node()
        head, loc = self.cur, self.loc(node)
        self._switches.append(switch)
        self._breaks.append(after)
        self.start(Node())
        self._inner(node.stmt)
        self.end(jump(after))
        self._switches.pop()
        self._breaks.pop()
        self.start(head)
        self.end(("switch", value, tuple(switch.cases), switch.default or after, loc))
        self.start(after)

    def _case(self, node: Any) -> None:
        if not self._switches:
            self.fail(node, "case outside of a switch")
        switch = self._switches[-1]
        value = wrap(self.constant(node.expr, "a case"), self.types[switch.type])
        if any(low == value for low, _, _ in switch.cases):
            self.fail(node, f"case {value} is there twice")
        here = Node()
        switch.cases.append((value, value, here))
        self._enter_case(here, node)

    def _default(self, node: Any) -> None:
        if not self._switches:
            self.fail(node, "default outside of a switch")
        if self._switches[-1].default is not None:
            self.fail(node, "default is there twice")
        here = self._switches[-1].default = Node()
        self._enter_case(here, node)

    def _enter_case(self, here: Node, node: Any) -> None:
        here.used = True
        self.join(here)
        for item in node.stmts or ():
            self.stmt(item)


_STATEMENTS: dict[str, Callable[[Body, Any], None]] = {
    "Compound": Body._compound,
    "EmptyStatement": Body._empty_statement,
    "StaticAssert": Body._static_assert,
    "Typedef": Body._typedef,
    "DeclList": Body._decl_list,
    "Decl": Body._decl,
    "Break": Body._break,
    "Continue": Body._continue,
    "Return": Body._return,
    "Goto": Body._goto,
    "Label": Body._label_here,
    "If": Body._if,
    "While": Body._while,
    "DoWhile": Body._do_while,
    "For": Body._for,
    "Switch": Body._switch,
    "Case": Body._case,
    "Default": Body._default,
}
