# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a call through a pointer goes, in a function that was reached in a certain way."""

from __future__ import annotations

from ctxlint.analysis.environment import Env, bind, member_called
from ctxlint.analysis.heap import Modes, Objects
from ctxlint.analysis.nodes import Node
from ctxlint.analysis.program import Program
from ctxlint.rulebook.book import Rulebook
from ctxlint.semantics.terms import (
    Addr,
    Bin,
    Deref,
    Field,
    Global,
    Index,
    Param,
    Result,
    Term,
    Value,
    evaluate,
    nothing,
    params,
)

Found = tuple[tuple[str, ...], bool]
"""Functions that an indirect call may call, and whether its object is known."""


class Targets:
    """Of one linked program; what was asked once is kept."""

    def __init__(self, program: Program, rules: Rulebook, objects: Objects) -> None:
        self.program = program
        self.rules = rules
        self.objects = objects
        self._targets: dict[Term, tuple[str, ...]] = {}
        self._narrowed: dict[tuple[Value, str, Env, Modes], Found] = {}
        self._bound: dict[tuple[Value, str, Env], Value] = {}
        self._depends: dict[tuple[Value, str], set[int]] = {}

    def of_call(self, target: Value, symbol: str, env: Env, modes: Modes) -> Found:
        """What a call through a value may reach in a function of which ``env`` is known."""
        if target is None:
            return (), False
        env = env.only(self.parameters(target, symbol) | params(_index_of(target)))
        key = (target, symbol, env, modes)
        found = self._narrowed.get(key)
        if found is None:
            found = self._narrowed[key] = self._find(target, symbol, env, modes)
        return found

    def _find(self, target: Value, symbol: str, env: Env, modes: Modes) -> Found:
        target = member_called(target)
        if isinstance(target, Field):
            place = self.objects.bound_place(target.base, symbol, dict(env.args))
            term = Field(place, target.record, target.name)
            functions, known = self.objects.targets(term, modes)
            table = _table_of(target)
            if table is not None and len(functions) > 1:
                number = evaluate(bind(_index_of(target), env), nothing)
                chosen = self._entries(table, target, number)
                functions = functions & chosen if chosen else functions
            return tuple(sorted(functions)), known
        targets = self.of_value(bind(target, env))
        if targets or not isinstance(target, Param):
            return targets, True
        return self.program.arguments(symbol, target.index), False

    def _entries(self, table: Global, target: Field, number: int | None) -> set[str]:
        """The functions that initialisers put into one entry of a table; none where its
        number is not known."""
        return {
            function
            for store in self.program.stores
            if number is not None
            and store.base == table.symbol
            and store.path[-1:] == (target.member,)
            and store.index == number
            for function in self.program.targets(store.value)
        }

    def of_value(self, target: Value) -> tuple[str, ...]:
        """Functions that a value may be."""
        if target is None:
            return ()
        known = self._targets.get(target)
        if known is None:
            known = self._targets[target] = self.program.targets(target)
        return known

    def is_entry(self, target: Value) -> bool:
        """A call through a member whose contexts the rules tell: what is stored
        there is an entry point of its own, with its own registration."""
        return (
            isinstance(target, Field)
            and self.rules.field_callbacks(target.record, target.name) is not None
        )

    def is_alone(self, targets: tuple[str, ...], node: Node) -> bool:
        """Whether the one function that was seen in a member is a function of a file that
        the way led through. One of another file is held by objects that this need not be."""
        fn = self.program.functions.get(targets[0])
        if len(targets) > 1 or fn is None:
            return len(targets) == 1
        return any(at.fn.file == fn.file for at in node.way())

    def own(self, targets: tuple[str, ...], node: Node) -> list[str]:
        """Those of several functions that are in a file which the way came through before
        it came to the caller's: a driver's callback, the core that it calls, and the
        operations of its object."""
        files = {at.fn.file for at in node.way() if at.fn.file.endswith(".c")}
        files.discard(node.fn.file)
        functions = self.program.functions
        return [s for s in targets if s in functions and functions[s].file in files]

    def is_foreign(self, symbol: str, node: Node) -> bool:
        """Whether a function is in a directory apart from that of the .c file that the way
        was in last: neither is in the other. That is the core and its drivers; these are two
        drivers, of which an object that is not known hardly belongs to both."""
        fn = self.program.functions.get(symbol)
        at = next((at for at in node.way() if at.fn.file.endswith(".c")), None)
        if fn is None or at is None:
            return False
        here, there = (f"{file.rpartition('/')[0]}/" for file in (at.fn.file, fn.file))
        return not here.startswith(there) and not there.startswith(here)

    def object_of(self, value: Value, node: Node) -> Value:
        """A pointer that is passed on, when it says which object it leads to."""
        if type(value) not in _POINTERS:
            return None
        env = node.env.only(self.parameters(value, node.fn.symbol))
        key = (value, node.fn.symbol, env)
        if key not in self._bound:
            bound = self.objects.bound(value, node.fn.symbol, dict(env.args))
            self._bound[key] = bound if self.objects.tells(bound) else None
        return self._bound[key]

    def parameters(self, value: Value, symbol: str) -> set[int]:
        """Parameters that a value depends on, through results of calls too."""
        key = (value, symbol)
        if key not in self._depends:
            self._depends[key] = self.objects.parameters(value, symbol)
        return self._depends[key]


_POINTERS: frozenset[type] = frozenset({Addr, Param, Result, Field, Deref, Bin})


def _table_of(target: Value) -> Global | None:
    """The table in whose entry a function is called from, if it is a global variable."""
    at = target.base if isinstance(target, Field) else None
    if not isinstance(at, Index):
        return None
    while isinstance(at, Index):
        at = at.base
    return at if isinstance(at, Global) else None


def _index_of(target: Value) -> Value:
    """The number of that entry, in its row if the table has several."""
    at = target.base if isinstance(target, Field) else None
    return at.index if isinstance(at, Index) else None
