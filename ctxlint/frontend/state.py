# SPDX-License-Identifier: GPL-2.0-or-later
"""What lowering keeps while it works on one function or initialiser."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ctxlint.frontend.cfg import Node
from ctxlint.frontend.choices import Choices
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.decls import FunctionInfo
from ctxlint.frontend.types import TypeTable
from ctxlint.ir.ops import Expr, Func, LocId, Opaque
from ctxlint.ir.types import TypeId

if TYPE_CHECKING:
    from ctxlint.frontend.lower import UnitLowering


class Cleanup(NamedTuple):
    """A variable in scope whose destructor must run; ``outer`` came first."""

    outer: Cleanup | None
    slot: int
    function: FunctionInfo


class State(Choices[TypeTable]):
    """What both have, and the names and places of libclang."""

    def __init__(self, unit: UnitLowering) -> None:
        super().__init__(TypeTable(unit.world))
        self.unit = unit
        self.lib = unit.lib
        self.names = unit.names
        self.parsed = unit.parsed
        self.slots: dict[int | None, Expr] = {}
        self._loc_ids: dict[int, LocId] = {}
        self.scope: Cleanup | None = None
        self.labels: dict[int | None, int] = {}
        self.label_nodes: list[Node] = []

    # places and blocks

    def loc(self, cursor: Cursor) -> LocId:
        place = self.lib.getCursorLocation(cursor)
        number = self._loc_ids.get(place.raw)
        if number is None:
            number = self._loc_ids[place.raw] = self.loc_id(self.parsed.loc(place))
        return number

    def end_loc(self, cursor: Cursor) -> LocId:
        """The end of a compound statement."""
        extent = self.lib.getCursorExtent(cursor)
        return self.loc_id(self.parsed.loc(self.lib.getRangeEnd(extent)))

    def type(self, cursor: Cursor) -> TypeId:
        return self.table.of(self.lib.getCursorType(cursor))

    def opaque(self, text: str, type_: TypeId | None = None) -> Opaque:
        return Opaque(text, self.void if type_ is None else type_)

    def func(self, info: FunctionInfo, type_: TypeId | None = None) -> Func:
        self.cur.refs.append(info)
        return Func(info.symbol, self.table.local(info.type) if type_ is None else type_)
