# SPDX-License-Identifier: GPL-2.0-or-later
"""Where pointers lead: sets of objects, or None where it may be any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from ctxlint.analysis.objects import (
    CHAIN_MAX,
    Member,
    Obj,
    Objs,
    any_of,
    around,
    framed,
    is_private,
    may_be,
    member,
    put_in,
)
from ctxlint.analysis.stores import Stores
from ctxlint.semantics.terms import Value

if TYPE_CHECKING:
    from ctxlint.analysis.program import Program

_BUSY_MAX = 40
_STEPS_MAX = 2_000
_STORES_MAX = 200
"""A member that is stored into more often than this holds anything."""

_NOTHING: frozenset[Obj] = frozenset()


class Pointers(Stores):
    """``allocators`` are functions that return new memory."""

    def __init__(
        self,
        program: Program,
        allocators: frozenset[str],
        copiers: Mapping[str, tuple[int, int]],
    ) -> None:
        super().__init__(program, copiers)
        self.allocators = allocators
        self._pointees: dict[Value, Objs] = {}
        self._filled: dict[str, set[Obj]] = {}
        self._busy: list[Value] = []
        self._steps = 0

    def _place(self, t: Value, want: str) -> Objs:
        if t is None:
            return None
        kind = t[0]
        if kind == "o":
            return frozenset((t[1],))
        if kind == "g":
            return frozenset((((("g", t[1])), ()),))
        if kind == "l":
            return frozenset(((("l", t[2], str(t[1])), ()),))
        if kind == ".":
            base = self._place(t[1], t[2])
            if base is None:
                base = frozenset((any_of(t[2]),))
            if any(len(o[1]) >= CHAIN_MAX for o in base):
                return None
            return frozenset(member(o, t[2], t[3]) for o in base)
        if kind == "[]":
            return self._place(t[1], want)
        if kind == "*":
            return self._pointed(t[1], want)
        return None

    def _pointed(self, t: Value, want: str) -> Objs:
        """Objects that a pointer can point to; ``want``: as which record it is used."""
        if t is None:
            return None
        kind = t[0]
        if kind == "&":
            return self._place(t[1], want)
        if kind in ("k", "f"):
            return _NOTHING
        if kind == "b" and t[1][0] == "+":
            return self._pointed(t[2], want)
        if kind == "b" and t[1][0] == "-":
            inner = self._pointed(t[2], "")
            if inner is None or not want:
                return None
            return frozenset(around(o, want) for o in inner)
        if kind == "?":
            a, b = self._pointed(t[2], want), self._pointed(t[3], want)
            return None if a is None or b is None else a | b
        if kind == "p":
            return self._cached(t, lambda: self._parameter(t))
        if kind == "v":
            return self._cached(t, lambda: self._result(t, want))
        if kind in (".", "g", "*", "[]", "o"):
            return self._cached(("c", t), lambda: self._contents(t, want))
        return None

    def _cached(self, key: Value, work: Callable[[], Objs]) -> Objs:
        """A result, worked out once. A cycle through other results is open."""
        if key in self._pointees:
            return self._pointees[key]
        if key in self._busy:
            return _NOTHING if self._busy[-1] == key else None
        self._steps += 1
        if len(self._busy) > _BUSY_MAX or self._steps > _STEPS_MAX:
            return None
        self._busy.append(key)
        found = self._pointees[key] = work()
        self._busy.pop()
        return found

    def _parameter(self, t: Value) -> Objs:
        """What callers pass, when all of them are known."""
        _, index, symbol = t
        callers = self.program.callers.get(symbol, ())
        if not callers or symbol in self._taken or not is_private(symbol):
            return None
        found: frozenset[Obj] = _NOTHING
        for caller, edge in callers:
            for point in edge.points:
                value = point.args[index] if index < len(point.args) else None
                objs = self._pointed(framed(value, caller.symbol), "")
                if objs is None:
                    return None
                found |= objs
        return found

    def _result(self, t: Value, want: str) -> Objs:
        _, op, symbol = t
        edge = self._calls.get(symbol, {}).get(op)
        if edge is None or not edge.symbol:
            return None
        if edge.symbol.rpartition("::")[2] in self.allocators:
            return frozenset(((("a", symbol, op), ()),))
        callee = self.program.functions.get(edge.symbol)
        if callee is None or not callee.returns:
            return None
        found: frozenset[Obj] = _NOTHING
        for point in edge.points:
            args = tuple(framed(a, symbol) for a in point.args)
            for value in callee.returns:
                objs = self._pointed(
                    put_in(framed(value, callee.symbol), callee.symbol, args), want
                )
                if objs is None:
                    return None
                found |= objs
        if callee.file.endswith(".h"):
            # An inline allocator: each of its calls makes an object of its own.
            found = frozenset(
                (("a", symbol, op), chain) if root[0] == "a" else (root, chain)
                for root, chain in found
            )
        return found

    def _contents(self, t: Value, want: str) -> Objs:
        """What the pointer in a place can point to."""
        places = self._place(t, "")
        if places is None:
            return None
        found: frozenset[Obj] = _NOTHING
        for root, chain in places:
            if chain:
                key, holder = chain[-1], (root, chain[:-1])
            elif root[0] == "g":
                key, holder = ("", root[1]), (root, ())
            else:
                return None
            known = False
            stores = self._stores_in(key)
            if len(stores) > _STORES_MAX:
                return None
            for base, value in stores:
                objs = self._place(base, key[0])
                if objs is not None and not any(may_be(o, holder) for o in objs):
                    continue
                pointed = self._pointed(value, want)
                if pointed is None:
                    return None
                known = True
                found |= pointed
            if not known or self._copied_into(holder, key[0]):
                return None
        return found

    # -- whole structures ----------------------------------------------------

    def _copied_into(self, obj: Obj, record: str) -> bool:
        """Whether a whole structure may be copied over an object of a record, or over
        one that it is a member of."""
        root, chain = obj
        for length in range(len(chain) + 1):
            kind = chain[length][0] if length < len(chain) else record
            outer = (root, chain[:length])
            if any(may_be(o, outer) for o in self._filled_objects(kind)):
                return True
            at = chain[length - 1] if length else ("", "")
            if any(may_be(o, outer) for o in self._filled_members.get(at, ())):
                return True
        return False

    def _filled_objects(self, record: str) -> set[Obj]:
        """Objects of a record that others are copied into."""
        if record not in self._filled:
            found = self._filled[record] = set(self._filled_somewhere.get(record, ()))
            for symbol, place, _ in self._copies.get(record, ()):
                objs = self._place(framed(place, symbol), record)
                found.update((any_of(record),) if objs is None else objs)
        return self._filled[record]

    @cached_property
    def _filled_somewhere(self) -> dict[str, set[Obj]]:
        """Where it is not known to where a variable is copied: any object of what it holds."""
        found: dict[str, set[Obj]] = {}
        for target, source in self._byte_copies:
            if source is not None and self._pointed(target, "") is None:
                for root, chain in self._pointed(source, "") or ():
                    if root[0] == "g" and not chain:
                        for record in self._records_of.get(root[1], ()):
                            found.setdefault(record, set()).add(any_of(record))
        return found

    @cached_property
    def _filled_members(self) -> dict[Member, set[Obj]]:
        """Objects that bytes are copied into, by the member that they are."""
        found: dict[Member, set[Obj]] = {}
        for target, _ in self._byte_copies:
            for obj in self._pointed(target, "") or ():
                if obj[1] or obj[0][0] in ("g", "a"):
                    found.setdefault(obj[1][-1] if obj[1] else ("", ""), set()).add(obj)
        return found

    @cached_property
    def _records_of(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for variable, record, _ in self.program.object_members:
            found.setdefault(variable, set()).add(record)
        return found
