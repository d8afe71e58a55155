# SPDX-License-Identifier: GPL-2.0-or-later
"""What lowering keeps while it works on one file, and on one of its functions or
initialisers, and how it finds the function for a node.

Lowering is functions of a :class:`State` and a node, in modules by subject. They are entered
in a table under the names of the nodes that they are for, and have what is inside lowered
with :func:`expr` and :func:`effect`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ctxlint.base.errors import RuleError
from ctxlint.frontend.builder import Builder, Handlers, Node, Table
from ctxlint.frontend.model_functions.declare import Declarations
from ctxlint.frontend.model_functions.scope import Function, MacroName, Variable
from ctxlint.frontend.model_functions.types import World
from ctxlint.ir.ops import Const, Deref, Expr, Func, Global, LocId, Str
from ctxlint.ir.types import TInt, TypeId
from ctxlint.ir.unit import Function as IRFunction
from ctxlint.ir.unit import GlobalVar, Loc


class FileUnit(Declarations):
    """One file. ``functions`` and ``globals`` are what it defines, ``linked`` what it
    declares with a symbol, ``mentioned`` what it uses."""

    def __init__(self, world: World, file: str, macros: dict[str, MacroName]) -> None:
        super().__init__(
            world, file, macros, lambda node, what: constant(self.builder, node, what)
        )
        self.functions: list[IRFunction] = []
        self.globals: list[GlobalVar] = []
        self.linked: dict[str, Function | Variable] = {}
        self.by_symbol: dict[str, Function] = {}
        self.mentioned: dict[str, Function] = {}
        self.function = ""  # the name of the one being lowered
        self.symbols: set[str] = set()  # of static local variables
        self.literals = 0  # compound literals with a symbol
        self.builder = State(self)

    @contextmanager
    def building(self) -> Iterator[State]:
        """A new function or initialiser, which constants belong to meanwhile."""
        outer, self.builder = self.builder, State(self)
        try:
            yield self.builder
        finally:
            self.builder = outer

    def mention(self, refs: list[Any]) -> None:
        for entity in refs:
            self.mentioned.setdefault(entity.symbol, entity)


@dataclass
class Switch:
    type: TypeId
    cases: list[tuple[int, int, Node]] = field(default_factory=list)
    default: Node | None = None


@dataclass
class Label:
    node: Node
    use: Any  # the first goto
    defined: bool = False


class State:
    """``build`` is the function so far; the rest is where control and names lead to."""

    def __init__(self, unit: FileUnit) -> None:
        self.build = Builder(Table(unit.world), short=True)
        self.unit = unit
        self.world = unit.world
        self.in_function = False  # else it is a value that exists from the start
        self.ret: TypeId = self.build.void
        self.breaks: list[Node] = []
        self.continues: list[Node] = []
        self.switches: list[Switch] = []
        self.labels: dict[str, Label] = {}
        self.macro: Loc | None = None  # the use that is being lowered
        self.probing = False  # for types alone
        self.chosen: dict[int, TypeId] = {}  # types of ?: by node

    def loc(self, node: Any) -> LocId:
        if self.macro is not None:
            return self.build.loc_id(self.macro)
        coord = node.coord or self.unit.place
        return self.build.loc_id(Loc(coord.file, coord.line, coord.column or 0))

    def error(self, node: Any, text: str, hint: str = "") -> RuleError:
        return self.unit.error(node, text, hint)

    def fail(self, node: Any, text: str, hint: str = "") -> NoReturn:
        raise self.error(node, text, hint)


HANDLERS = Handlers[str]()  # by the name of the node's class
expression, statement = HANDLERS.expression, HANDLERS.statement


def expr(s: State, node: Any) -> Expr:
    """A pure expression; what the side effects need is emitted. Arrays and functions come
    back as they are."""
    kind = type(node).__name__
    function = HANDLERS.values.get(kind)
    if function is None:
        s.fail(node, f"{kind} is not an expression that model files can have")
    return function(s, node)


def effect(s: State, node: Any) -> Expr:
    """What an expression does, without its value."""
    function = HANDLERS.effects.get(type(node).__name__)
    if function is None:
        expr(s, node)
    else:
        function(s, node, wanted=False)
    return Const(0, s.build.void)


def discarded(s: State, node: Any) -> Expr:
    """What an expression would be, without its side effects."""
    build = s.build
    outer, dead, count = build.cur, build.dead, len(build.vars)
    build.start(Node())
    e = expr(s, node)
    type_ = build.type_of(e)
    build.start(outer, live=not dead)
    del build.vars[count:]
    if isinstance(e, Const | Str | Func | Global):
        return e
    return Deref(Const(0, build.pointer_to(type_)), type_)  # the type is what counts


def constant(s: State, node: Any, what: str) -> int:
    """The value of an integer constant expression."""
    build = s.build
    outer, count = build.cur, len(build.vars)
    build.cur = block = Node()
    e = expr(s, node)
    pure = build.cur is block and not block.ops
    build.cur = outer
    del build.vars[count:]
    if not pure or type(e) is not Const or not isinstance(build.types[e.type], TInt):
        s.fail(node, f"{what} must be an integer constant")
    return e.value
