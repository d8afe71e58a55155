# SPDX-License-Identifier: GPL-2.0-or-later
"""Values in memory that change between a store, or a test, and the next test.

What is in memory is taken to keep its value while nothing is known that changes it, so
that what is locked under a condition is unlocked under the same one. What does change it:
a callee of the same file that stores into the member; somebody who was given its address;
and, of a constant that was stored, whoever runs while a lock is dropped or while a function
that was not read takes its time, where another function of the file stores into it too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ctxlint.facts.state import State
from ctxlint.ir import ops
from ctxlint.ir.unit import Function
from ctxlint.semantics.terms import (
    SOMETHING,
    Const,
    Deref,
    Field,
    Global,
    Index,
    Local,
    Term,
    Value,
    walk,
)

Name = tuple[str, str]
"""A member of a record, or ``("", symbol)`` for a variable."""

_PASSES_MAX = 20


class Changes:
    """Who stores what in one unit.

    ``flags`` are members by which a function tells its callees how to work: it sets one to
    a number, calls, and sets it back.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        local: Mapping[str, str],
        known: Collection[Name] = (),
    ) -> None:
        """``known``: members that this file alone stores into, of records of which a path
        meets one object."""
        set_to: set[Name] = set()
        self.own: dict[str, frozenset[Name]] = {}
        calls: dict[str, set[str]] = {}
        for fn in functions:
            stored: set[Name] = set()
            called = calls.setdefault(fn.symbol, set())
            for block in fn.blocks:
                for op in block.ops:
                    if isinstance(op, ops.Assign | ops.Call) and op.dst is not None:
                        stored.update(names_in(op.dst, local))
                        if isinstance(op, ops.Assign) and _is_number(op.src):
                            set_to.update(names_in(op.dst, local))
                    if isinstance(op, ops.Call) and isinstance(op.fn, ops.Func):
                        called.add(op.fn.symbol)
                    elif isinstance(op, ops.Asm):
                        for _, e in op.outs:
                            stored.update(names_in(e, local))
            self.own[fn.symbol] = frozenset(stored)
        self.below = closure(self.own, calls)
        writers: dict[Name, int] = {}
        for names in self.own.values():
            for name in names:
                writers[name] = writers.get(name, 0) + 1
        self.flags = frozenset(set_to.intersection(known))
        self._several = frozenset(n for n, count in writers.items() if count > 1)
        self._writers = frozenset(writers)
        self._written = writers

    def stored_by_others(self, symbol: str) -> frozenset[Name]:
        """What functions other than this one store into."""
        own = self.own.get(symbol, frozenset())
        return frozenset(n for n, count in self._written.items() if count > (n in own))

    def flags_below(self, st: State, symbol: str) -> tuple[tuple[str, str, int], ...]:
        """Flags that are set when ``symbol`` is called, and that nothing below it sets."""
        names = self.below.get(symbol)
        if names is None or not (flags := self.flags - names):
            return ()
        found: dict[Name, set[Term]] = {}
        for place, value in st.mem.items():
            if type(place) is Field and place.member in flags:
                found.setdefault(place.member, set()).add(value)
        return tuple(
            (*name, value.number)
            for name, values in sorted(found.items())
            if len(values) == 1 and isinstance(value := next(iter(values)), Const)
        )

    def called(self, st: State, symbol: str) -> None:
        """A function of the file was called: what it stores is not what it was."""
        names = self.below.get(symbol)
        if names:
            for table in (st.mem, st.facts):
                for key in [k for k in table if _mentions(k, names)]:
                    del table[key]

    def meanwhile(self, st: State, symbol: str) -> None:
        """Time passes in the function ``symbol``: others may have stored."""
        mine = self.own.get(symbol, frozenset())
        for place, value in list(st.mem.items()):
            if type(value) is not Const:
                continue
            name = _name(place)
            if name in self._several or (name in self._writers and name not in mine):
                del st.mem[place]
            elif isinstance(place, Deref) and isinstance(place.pointer, Field | Global):
                del st.mem[place]  # it may be a device's
            elif isinstance(place, Index) and isinstance(place.base, Deref):
                del st.mem[place]

    @staticmethod
    def dropped(st: State) -> None:
        """A lock was dropped: others may have stored into what is no variable of this
        call."""
        for place, value in list(st.mem.items()):
            if type(value) is Const and not isinstance(_root(place), Local):
                del st.mem[place]


def closure(
    own: Mapping[str, frozenset[Name]], others: Mapping[str, Collection[str]]
) -> dict[str, frozenset[Name]]:
    """Of each function its own names, and those of all functions that it leads to."""
    found = dict(own)
    for _ in range(_PASSES_MAX):
        changed = False
        for symbol, further in others.items():
            names = found[symbol].union(*(found[s] for s in further if s in found))
            if len(names) > len(found[symbol]):
                found[symbol], changed = names, True
        if not changed:
            break
    return found


def _is_number(e: ops.Expr) -> bool:
    while isinstance(e, ops.Cast):
        e = e.e
    return isinstance(e, ops.Const)


def names_in(e: ops.Expr, local: Mapping[str, str]) -> Iterable[Name]:
    """The member or variable that an lvalue is, also behind casts of its address."""
    while isinstance(e, ops.Index):
        e = e.base
    if isinstance(e, ops.Deref):
        inner: ops.Expr = e.ptr
        while isinstance(inner, ops.Cast):
            inner = inner.e
        if isinstance(inner, ops.Addr):
            yield from names_in(inner.lvalue, local)
    elif isinstance(e, ops.Field):
        yield local.get(e.record, e.record), e.name
    elif isinstance(e, ops.Global):
        yield "", e.symbol


def _name(place: Term) -> Name | None:
    if type(place) is Field:
        return place.member
    return ("", place.symbol) if type(place) is Global else None


def _mentions(value: Term, names: frozenset[Name]) -> bool:
    return any(_name(term) in names for term in walk(value))


def _root(place: Value) -> Term:
    while type(place) is Field or type(place) is Index:
        place = place.base
    return place if place is not None else SOMETHING


__all__ = ["Changes"]
