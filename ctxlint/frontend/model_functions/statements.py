# SPDX-License-Identifier: GPL-2.0-or-later
"""Statements of model files.

Everything is lowered as it stands; what control cannot reach falls away when
the graph is finished.
"""

from __future__ import annotations

from typing import Any

from ctxlint.frontend.builder import Node, jump
from ctxlint.frontend.builder.fold import wrap
from ctxlint.frontend.model_functions.convert import assignable, integer, rvalue
from ctxlint.frontend.model_functions.initialisers import initialiser
from ctxlint.frontend.model_functions.operators import test
from ctxlint.frontend.model_functions.scope import Local
from ctxlint.frontend.model_functions.state import (
    HANDLERS,
    Label,
    State,
    Switch,
    constant,
    effect,
    expr,
    statement,
)
from ctxlint.frontend.model_functions.symbols import declare
from ctxlint.ir.ops import Assign, Var
from ctxlint.ir.types import TArray, TFunc, TVoid
from ctxlint.ir.unit import VarDecl


def body(s: State, compound: Any) -> None:
    """The outermost block, in the scope of the parameters."""
    for item in compound.block_items or ():
        stmt(s, item)
    for name, label in s.labels.items():
        if not label.defined:
            s.fail(label.use, f"the label {name} is not there")


def parameter(s: State, name: str, number: int, node: Any) -> None:
    s.unit.sized(node, number, f"parameter {name}")
    s.unit.name(name, Local(number, len(s.build.vars), s), node)
    s.build.vars.append(VarDecl(name, s.build.table.local(number)))


def stmt(s: State, node: Any) -> None:
    kind = type(node).__name__
    handler = HANDLERS.statements.get(kind)
    if handler is not None:
        handler(s, node)
    elif kind in HANDLERS.values:
        effect(s, node)
    else:
        s.fail(node, f"{kind} is not a statement that model files can have")


@statement("Compound")
def _compound(s: State, node: Any) -> None:
    s.unit.enter()
    for item in node.block_items or ():
        stmt(s, item)
    s.unit.leave()


@statement("EmptyStatement")
def _empty_statement(s: State, node: Any) -> None:
    pass


@statement("StaticAssert")
def _static_assert(s: State, node: Any) -> None:
    s.unit.static_assert(node)


# declarations


@statement("Typedef")
def _typedef(s: State, node: Any) -> None:
    s.unit.typedef(node)


@statement("DeclList")
def _decl_list(s: State, node: Any) -> None:
    for item in node.decls:
        stmt(s, item)


@statement("Decl")
def _decl(s: State, node: Any) -> None:
    if node.name is None:
        s.unit.resolve(node.type)
        return
    number = s.unit.resolve(node.type)
    if node.storage or isinstance(s.world.types[number], TFunc):
        declare(s.unit, node, number)
        return
    s.unit.plain(node)
    slot = len(s.build.vars)
    local = Local(number, slot, s)
    s.unit.name(node.name, local, node)
    type_ = s.build.table.local(number)
    s.build.vars.append(VarDecl(node.name, type_))
    if node.init is not None:
        value = initialiser(s, node.init, type_)
        shape = s.build.types[type_]
        if isinstance(shape, TArray):
            done = s.build.shape(value)
            assert isinstance(done, TArray)
            local.type = s.unit.completed(number, done.count)
            s.build.vars[slot] = VarDecl(node.name, s.build.table.local(local.type))
            s.build.emit(Assign(Var(slot), value, s.loc(node)))
        else:
            s.build.assign(Var(slot), value, s.loc(node))
    s.unit.sized(node, local.type, node.name)


# jumps


@statement("Break")
def _break(s: State, node: Any) -> None:
    if not s.breaks:
        s.fail(node, "break outside of a loop or switch")
    s.build.end(jump(s.breaks[-1]))


@statement("Continue")
def _continue(s: State, node: Any) -> None:
    if not s.continues:
        s.fail(node, "continue outside of a loop")
    s.build.end(jump(s.continues[-1]))


@statement("Return")
def _return(s: State, node: Any) -> None:
    nothing = isinstance(s.build.types[s.ret], TVoid)
    loc = s.loc(node)
    if node.expr is None:
        if not nothing:
            s.fail(node, "return without a value")
        s.build.end(("ret", None, loc))
        return
    if nothing:
        s.fail(node, "return with a value from a void function")
    value = assignable(s, rvalue(s, node.expr), s.ret, node, "return")
    s.build.end(("ret", value, loc))


def _label(s: State, name: str, use: Any) -> Label:
    label = s.labels.get(name)
    if label is None:
        label = s.labels[name] = Label(Node(), use)
        label.node.used = True
    return label


@statement("Goto")
def _goto(s: State, node: Any) -> None:
    s.build.end(jump(_label(s, node.name, node).node))


@statement("Label")
def _label_here(s: State, node: Any) -> None:
    label = _label(s, node.name, node)
    if label.defined:
        s.fail(node, f"the label {node.name} is there twice")
    label.defined = True
    s.build.join(label.node)
    stmt(s, node.stmt)


# choices and loops


@statement("If")
def _if(s: State, node: Any) -> None:
    then, other, after = Node(), Node(), Node()
    test(s, node.cond, then, other if node.iffalse is not None else after)
    s.build.start(then)
    _inner(s, node.iftrue)
    s.build.end(jump(after))
    if node.iffalse is not None:
        s.build.start(other)
        _inner(s, node.iffalse)
        s.build.end(jump(after))
    s.build.start(after)


def _inner(s: State, node: Any) -> None:
    """The statement of an if or loop, which is a block of its own."""
    s.unit.enter()
    stmt(s, node)
    s.unit.leave()


def _loop(s: State, cond: Any, step: Any, inner: Any, *, test_first: bool) -> None:
    head, check, again, after = Node(), Node(), Node(), Node()
    s.breaks.append(after)
    s.continues.append(again)
    s.build.end(jump(check if test_first else head))
    s.build.start(head)
    _inner(s, inner)
    s.build.end(jump(again))
    s.build.start(again)
    if step is not None:
        effect(s, step)
    s.build.end(jump(check))
    s.build.start(check)
    if cond is None:
        s.build.end(jump(head))
    else:
        test(s, cond, head, after)
    s.breaks.pop()
    s.continues.pop()
    s.build.start(after)


@statement("While")
def _while(s: State, node: Any) -> None:
    _loop(s, node.cond, None, node.stmt, test_first=True)


@statement("DoWhile")
def _do_while(s: State, node: Any) -> None:
    _loop(s, node.cond, None, node.stmt, test_first=False)


@statement("For")
def _for(s: State, node: Any) -> None:
    s.unit.enter()
    if node.init is not None:
        stmt(s, node.init)
    _loop(s, node.cond, node.next, node.stmt, test_first=True)
    s.unit.leave()


@statement("Switch")
def _switch(s: State, node: Any) -> None:
    value = integer(s, expr(s, node.cond), node.cond)
    switch, after = Switch(s.build.type_of(value)), Node()
    head, loc = s.build.cur, s.loc(node)
    s.switches.append(switch)
    s.breaks.append(after)
    s.build.start(Node())
    _inner(s, node.stmt)
    s.build.end(jump(after))
    s.switches.pop()
    s.breaks.pop()
    s.build.start(head)
    s.build.end(("switch", value, tuple(switch.cases), switch.default or after, loc))
    s.build.start(after)


@statement("Case")
def _case(s: State, node: Any) -> None:
    if not s.switches:
        s.fail(node, "case outside of a switch")
    switch = s.switches[-1]
    value = wrap(constant(s, node.expr, "a case"), s.build.types[switch.type])
    if any(low == value for low, _, _ in switch.cases):
        s.fail(node, f"case {value} is there twice")
    here = Node()
    switch.cases.append((value, value, here))
    _enter_case(s, here, node)


@statement("Default")
def _default(s: State, node: Any) -> None:
    if not s.switches:
        s.fail(node, "default outside of a switch")
    if s.switches[-1].default is not None:
        s.fail(node, "default is there twice")
    here = s.switches[-1].default = Node()
    _enter_case(s, here, node)


def _enter_case(s: State, here: Node, node: Any) -> None:
    here.used = True
    s.build.join(here)
    for item in node.stmts or ():
        stmt(s, item)
