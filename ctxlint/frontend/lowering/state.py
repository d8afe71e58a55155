# SPDX-License-Identifier: GPL-2.0-or-later
"""What lowering keeps while it works on one function or initialiser, and how it finds the
function for a cursor.

Lowering is functions of a :class:`State` and a cursor, in modules by subject. They are
entered in a table under the kinds of cursors that they are for, and have what is inside
lowered with :func:`expr` and :func:`effect`.
"""

from __future__ import annotations

from typing import NamedTuple

from ctxlint.frontend.builder import Builder, Handlers, Node
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.decls import FunctionInfo
from ctxlint.frontend.lowering.unit import UnitContext
from ctxlint.frontend.types import TypeTable
from ctxlint.ir.ops import Const, Expr, Func, LocId, Opaque
from ctxlint.ir.types import TypeId


class Cleanup(NamedTuple):
    """A variable in scope whose destructor must run; ``outer`` came first."""

    outer: Cleanup | None
    slot: int
    function: FunctionInfo


class Target(NamedTuple):
    """Where ``break`` or ``continue`` goes, and the scope it goes back to."""

    node: Node
    scope: Cleanup | None


class Switch(NamedTuple):
    cases: list[tuple[int, int, Node]]
    default: list[Node]
    type: TypeId
    known: int | None  # the value of a constant condition
    hit: bool  # whether a case has that value


class Label:
    """A label, perhaps one that only jumps to it have shown so far."""

    __slots__ = ("name", "node", "number", "placed", "scope")

    def __init__(self, name: str) -> None:
        self.name = name
        self.node = Node()
        self.number = -1  # in State.label_nodes
        self.placed = False
        self.scope: Cleanup | None = None  # where it is placed


class Goto(NamedTuple):
    edge: Node  # for the destructors of the scopes that are left
    scope: Cleanup | None
    label: Label
    loc: LocId


class State:
    """``build`` is the function so far; the rest is where control and names lead to."""

    def __init__(self, unit: UnitContext) -> None:
        self.build = Builder(TypeTable(unit.world))
        self.unit = unit
        self.lib = unit.lib
        self.names = unit.names
        self.parsed = unit.parsed
        self.slots: dict[int | None, Expr] = {}  # variables, by their declaration
        self.scope: Cleanup | None = None
        self.switch: Switch | None = None
        self.break_: Target | None = None
        self.continue_: Target | None = None
        self.labels: dict[int | None, Label] = {}
        self.label_nodes: list[Node] = []  # of labels whose address is taken
        self.gotos: list[Goto] = []
        self.asm_gotos: list[tuple[str, Node, Cleanup | None, LocId]] = []  # by name
        self.indirect: list[tuple[Node, Expr]] = []
        self._loc_ids: dict[int, LocId] = {}

    def loc(self, cursor: Cursor) -> LocId:
        place = self.lib.getCursorLocation(cursor)
        number = self._loc_ids.get(place.raw)
        if number is None:
            number = self._loc_ids[place.raw] = self.build.loc_id(self.parsed.loc(place))
        return number

    def end_loc(self, cursor: Cursor) -> LocId:
        """The end of a compound statement."""
        extent = self.lib.getCursorExtent(cursor)
        return self.build.loc_id(self.parsed.loc(self.lib.getRangeEnd(extent)))

    def type(self, cursor: Cursor) -> TypeId:
        return self.build.table.of(self.lib.getCursorType(cursor))

    def operand(self, cursor: Cursor) -> Cursor:
        """The last child, which is what a cast, parenthesis or label holds."""
        return self.lib.children(cursor)[-1]

    def opaque(self, text: str, type_: TypeId) -> Opaque:
        return Opaque(text, type_)

    def func(self, info: FunctionInfo) -> Func:
        self.build.cur.refs.append(info)
        return Func(info.symbol, self.build.table.local(info.type))


HANDLERS = Handlers[int]()  # by CursorKind
expression, statement = HANDLERS.expression, HANDLERS.statement


def expr(s: State, cursor: Cursor) -> Expr:
    """The value of an expression; what it does is emitted."""
    function = HANDLERS.values.get(cursor.kind)
    if function is None:
        return s.opaque(f"expression kind {cursor.kind}", s.type(cursor))
    return function(s, cursor)


def effect(s: State, cursor: Cursor) -> Expr:
    """What an expression does, without its value."""
    function = HANDLERS.effects.get(cursor.kind)
    if function is None:
        expr(s, cursor)
    else:
        function(s, cursor, wanted=False)
    return Const(0, s.build.void)
