# SPDX-License-Identifier: GPL-2.0-or-later
"""What functions store into members, linked: places and values in terms that say of
which function they speak (:func:`ctxlint.analysis.linked_terms.framed`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from ctxlint.analysis.linked_terms import framed, functions_in
from ctxlint.facts.summary import Edge, Move, Summary
from ctxlint.semantics.objects import Member
from ctxlint.semantics.terms import (
    Addr,
    Agg,
    Field,
    Func,
    Global,
    Index,
    Node,
    Select,
    Term,
    Value,
    params,
    substitute,
)

if TYPE_CHECKING:
    from ctxlint.analysis.program import Program

_EXPANDED_MAX = 4_000
HOLD_FUNCTIONS: frozenset[type[Node] | type[None]] = frozenset({Func, Select, Agg, Addr})
"""Arguments that functions are looked for in."""

WRAPPERS = 4
"""A parameter is followed to callers of callers, so many times."""


class Stores:
    """Of one linked program. ``copiers`` are functions that copy bytes: which argument
    says to where, which from where."""

    def __init__(self, program: Program, copiers: Mapping[str, tuple[int, int]]) -> None:
        self.program = program
        self.copiers = copiers
        self._calls: dict[str, dict[str, Edge]] = {}
        self._stored: dict[Member, list[tuple[Value, Value]]] = {}
        self._moves: dict[Member, list[tuple[str, Value, Value]]] = {}
        self._copies: dict[str, list[tuple[str, Value, Value]]] = {}
        self._copying: list[tuple[str, Edge, tuple[int, int]]] = []
        self._index()

    def _index(self) -> None:
        ways: dict[str, tuple[int, int] | None] = {}
        for symbol in sorted(self.program.functions):
            fn = self.program.functions[symbol]
            if fn.edges:
                self._calls[symbol] = {edge.op: edge for edge in fn.edges}
            for edge in fn.edges:
                name = edge.symbol
                if name not in ways:
                    ways[name] = self.copiers.get(name.rpartition("::")[2])
                if (way := ways[name]) is not None:
                    self._copying.append((symbol, edge, way))
            for move in fn.moves:
                self._enter(fn, move)
        for store in self.program.stores:
            if store.function or not store.base:
                continue
            base: Term = Global(store.base)
            for record, name in store.path[:-1]:
                base = Field(base, record, name)
            key = store.path[-1] if store.path else ("", store.base)
            self._moves.setdefault(key, []).append(("", base, store.value))

    def _enter(self, fn: Summary, move: Move) -> None:
        place: Value = move.place
        while isinstance(place, Index):
            place = place.base
        if move.whole:
            self._copies.setdefault(move.whole, []).append((fn.symbol, place, move.value))
        elif isinstance(place, Field):
            stored = (fn.symbol, place.base, move.value)
            self._moves.setdefault(place.member, []).append(stored)
        elif isinstance(place, Global):
            stored = (fn.symbol, place, move.value)
            self._moves.setdefault(("", place.symbol), []).append(stored)

    def _stores_in(self, key: Member) -> list[tuple[Value, Value]]:
        """Stores into a member: (the structure's place, the value), where parameters
        of functions with known callers are replaced by what these pass."""
        if key not in self._stored:
            out: dict[tuple[Value, Value], None] = {}
            for symbol, base, value in self._moves.get(key, ()):
                self._expand(framed(base, symbol), framed(value, symbol), symbol, 0, out)
            self._stored[key] = list(out)
        return self._stored[key]

    def _expand(
        self,
        base: Value,
        value: Value,
        symbol: str,
        depth: int,
        out: dict[tuple[Value, Value], None],
    ) -> None:
        callers = self.program.callers.get(symbol, ())
        open_too = symbol in self._taken
        if (
            not (params(base) or params(value))
            or not callers
            or depth >= WRAPPERS
            or len(out) > _EXPANDED_MAX
        ):
            out[(base, value)] = None
            return
        if open_too:
            out[(base, value)] = None
        seen = set()
        for caller, edge in callers:
            for point in edge.points:
                args = tuple(framed(a, caller.symbol) for a in point.args)
                pair = (
                    substitute(base, args, symbol, partial=True),
                    substitute(value, args, symbol, partial=True),
                )
                if pair not in seen:
                    seen.add(pair)
                    self._expand(*pair, caller.symbol, depth + 1, out)

    @cached_property
    def _byte_copies(self) -> list[tuple[Value, Value]]:
        """Pointers to where bytes are copied, and to where they come from."""
        out: dict[tuple[Value, Value], None] = {}
        for symbol, edge, ways in self._copying:
            for point in edge.points:
                if max(ways) < len(point.args):
                    to, source = (framed(point.args[i], symbol) for i in ways)
                    self._expand(to, source, symbol, 0, out)
        return list(out)

    @cached_property
    def _taken(self) -> frozenset[str]:
        return self._address_taken()

    def _address_taken(self) -> frozenset[str]:
        """Functions that can be called by pointer."""
        found: set[str] = set()
        for store in self.program.stores:
            functions_in(store.value, found)
        for fn in self.program.functions.values():
            for move in fn.moves:
                functions_in(move.value, found)
            for value in fn.returns:
                functions_in(value, found)
            for edge in fn.edges:
                for point in edge.points:
                    for value in point.args:
                        if type(value) in HOLD_FUNCTIONS:
                            functions_in(value, found)
        return frozenset(found)
