# SPDX-License-Identifier: GPL-2.0-or-later
"""Static keys that nobody of the file that owns them ever switches.

``rules/memory.yaml`` names the functions that branch on a key (``switch``). A static
variable that is given to these alone keeps the state that its initialiser says.
"""

from __future__ import annotations

from ctxlint.ir import ops
from ctxlint.ir.types import RecordDef, TRecord, Type
from ctxlint.ir.unit import Unit
from ctxlint.ir.walk import children, operands
from ctxlint.rulebook.book import Rulebook
from ctxlint.semantics.terms import Addr, Const, Field, Global, Index, Value


class Switches:
    """Of one unit: keys by symbol, with whether they are on."""

    def __init__(self, unit: Unit, rules: Rulebook) -> None:
        self.rules = rules
        self.on: dict[str, bool] = {}
        asked: set[str] = set()
        other: set[str] = set()
        for fn in (*unit.functions, *unit.new_inlines):
            for block in fn.blocks:
                for op in (*block.ops, block.term):
                    todo = list(operands(op))
                    if isinstance(op, ops.Call) and (key := self._key(op)):
                        asked.add(key[0])
                        todo.remove(op.args[key[1]])
                    self._named(todo, other)
        for var in unit.globals:
            if var.init is not None:
                self._named([var.init], other)
        if not asked - other:
            return
        records = {r.key: r for r in unit.records}
        for var in unit.globals:
            if var.symbol in asked - other and "static" in var.attrs:
                number = _first(var.init, var.types[var.type], records)
                if number is not None:
                    self.on[var.symbol] = number > 0

    def result(self, symbol: str, args: tuple[Value, ...]) -> Value:
        """What a call that branches on a key returns; None when that is not known."""
        ways = self.rules.switches.get(symbol.rpartition("::")[2])
        if ways is None or max(ways) >= len(args):
            return None
        key, turned = args[ways[0]], args[ways[1]]
        while isinstance(key, Addr | Field | Index):
            key = key.place if isinstance(key, Addr) else key.base
        if not isinstance(key, Global) or key.symbol not in self.on:
            return None
        if not isinstance(turned, Const):
            return None
        return Const(int(self.on[key.symbol] != bool(turned.number)))

    def _key(self, call: ops.Call) -> tuple[str, int] | None:
        """The variable that a call branches on, and which argument it is."""
        name = call.fn.symbol.rpartition("::")[2] if isinstance(call.fn, ops.Func) else ""
        ways = self.rules.switches.get(name)
        if ways is None or ways[0] >= len(call.args):
            return None
        e: ops.Expr = call.args[ways[0]]
        while isinstance(e, ops.Cast | ops.Addr | ops.Field):
            (e,) = children(e)
        return (e.symbol, ways[0]) if isinstance(e, ops.Global) else None

    @staticmethod
    def _named(stack: list[ops.Expr], found: set[str]) -> None:
        while stack:
            e = stack.pop()
            if isinstance(e, ops.Global):
                found.add(e.symbol)
            stack += children(e)


def _first(e: ops.Expr | None, kind: Type, records: dict[str, RecordDef]) -> int | None:
    """The number that a variable begins with; None when that is not known."""
    while isinstance(e, ops.Cast):
        e = e.e
    if e is None:
        return 0
    if isinstance(e, ops.Const):
        return e.value
    record = records.get(kind.key) if isinstance(kind, TRecord) else None
    if not isinstance(e, ops.Agg) or record is None or not record.fields:
        return None
    item = dict(e.items).get(record.fields[0].name)
    if item is None:
        return 0
    return _first(item, record.types[record.fields[0].type], records)


__all__ = ["Switches"]
