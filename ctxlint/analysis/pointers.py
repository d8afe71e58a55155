# SPDX-License-Identifier: GPL-2.0-or-later
"""Where pointers lead: sets of objects, or None where it may be any.

Pointers are followed through calls, parameters, returned values and members, on
demand. Where anything on the way is not known the answer is None ("open"): any
object of the record. So an answer may hold too much, and never too little of what
the units that were read can store. What is not followed: a store that casts the
pointer to a structure to its first member's type, pointers to pointers, and code
that was not read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from ctxlint.analysis.linked_terms import framed, is_private
from ctxlint.analysis.stores import Stores
from ctxlint.semantics.objects import (
    CHAIN_MAX,
    Made,
    Member,
    Obj,
    Objs,
    OnStack,
    Variable,
    any_of,
    around,
    may_be,
    member,
)
from ctxlint.semantics.terms import (
    Addr,
    At,
    Bin,
    Const,
    Deref,
    Field,
    Func,
    Global,
    Index,
    Local,
    Node,
    Param,
    Result,
    Select,
    Term,
    Value,
    substitute,
)

if TYPE_CHECKING:
    from ctxlint.analysis.program import Program

_BUSY_MAX = 40
_STEPS_MAX = 2_000
_STORES_MAX = 200
"""A member that is stored into more often than this holds anything."""

_NOTHING: frozenset[Obj] = frozenset()
_READ: frozenset[type[Node]] = frozenset({Field, Global, Deref, Index, At})
"""Places that a pointer is read from."""


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
        self._pointees: dict[Term, Objs] = {}
        self._filled: dict[str, set[Obj]] = {}
        self._busy: list[Term] = []
        self._steps = 0

    def _place(self, t: Value, want: str) -> Objs:
        if type(t) is At:
            return frozenset((t.obj,))
        if type(t) is Global:
            return frozenset((Obj(Variable(t.symbol)),))
        if type(t) is Local:
            return frozenset((Obj(OnStack(t.of, t.slot)),))
        if type(t) is Field:
            base = self._place(t.base, t.record)
            if base is None:
                base = frozenset((any_of(t.record),))
            if any(len(o.chain) >= CHAIN_MAX for o in base):
                return None
            return frozenset(member(o, t.record, t.name) for o in base)
        if type(t) is Index:
            return self._place(t.base, want)
        if type(t) is Deref:
            return self._pointed(t.pointer, want)
        return None

    def _pointed(self, t: Value, want: str) -> Objs:
        """Objects that a pointer can point to; ``want``: as which record it is used."""
        if type(t) is Addr:
            return self._place(t.place, want)
        if type(t) is Const or type(t) is Func:
            return _NOTHING
        if type(t) is Bin:
            if t.op == "+":
                return self._pointed(t.a, want)
            inner = self._pointed(t.a, "") if t.op == "-" and want else None
            return None if inner is None else frozenset(around(o, want) for o in inner)
        if type(t) is Select:
            a, b = self._pointed(t.a, want), self._pointed(t.b, want)
            return None if a is None or b is None else a | b
        if type(t) is Param:
            return self._cached(t, lambda: self._parameter(t))
        if type(t) is Result:
            return self._cached(t, lambda: self._result(t, want))
        if t is not None and type(t) in _READ:
            return self._cached(t, lambda: self._contents(t, want))
        return None

    def _cached(self, key: Term, work: Callable[[], Objs]) -> Objs:
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

    def _parameter(self, t: Param) -> Objs:
        """What callers pass, when all of them are known."""
        index, symbol = t.index, t.of
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

    def _result(self, t: Result, want: str) -> Objs:
        op, symbol = t.op, t.of
        edge = self._calls.get(symbol, {}).get(op)
        if edge is None or not edge.symbol:
            return None
        if edge.symbol.rpartition("::")[2] in self.allocators:
            return frozenset((Obj(Made(symbol, op)),))
        callee = self.program.functions.get(edge.symbol)
        if callee is None or not callee.returns:
            return None
        found: frozenset[Obj] = _NOTHING
        for point in edge.points:
            args = tuple(framed(a, symbol) for a in point.args)
            for value in callee.returns:
                mine = framed(value, callee.symbol)
                objs = self._pointed(substitute(mine, args, callee.symbol, partial=True), want)
                if objs is None:
                    return None
                found |= objs
        if callee.file.endswith(".h"):
            # An inline allocator: each of its calls makes an object of its own.
            found = frozenset(
                Obj(Made(symbol, op), o.chain) if isinstance(o.root, Made) else o for o in found
            )
        return found

    def _contents(self, t: Term, want: str) -> Objs:
        """What the pointer in a place can point to."""
        places = self._place(t, "")
        if places is None:
            return None
        found: frozenset[Obj] = _NOTHING
        for at in places:
            if at.chain:
                key, holder = at.chain[-1], Obj(at.root, at.chain[:-1])
            elif isinstance(at.root, Variable):
                key, holder = ("", at.root.symbol), at
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
        chain = obj.chain
        for length in range(len(chain) + 1):
            kind = chain[length][0] if length < len(chain) else record
            outer = Obj(obj.root, chain[:length])
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
                for obj in self._pointed(source, "") or ():
                    if isinstance(obj.root, Variable) and not obj.chain:
                        for record in self._records_of.get(obj.root.symbol, ()):
                            found.setdefault(record, set()).add(any_of(record))
        return found

    @cached_property
    def _filled_members(self) -> dict[Member, set[Obj]]:
        """Objects that bytes are copied into, by the member that they are."""
        found: dict[Member, set[Obj]] = {}
        for target, _ in self._byte_copies:
            for obj in self._pointed(target, "") or ():
                if obj.chain or isinstance(obj.root, Variable | Made):
                    at = obj.chain[-1] if obj.chain else ("", "")
                    found.setdefault(at, set()).add(obj)
        return found

    @cached_property
    def _records_of(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for variable, record, _ in self.program.object_members:
            found.setdefault(variable, set()).add(record)
        return found
