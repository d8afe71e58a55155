# SPDX-License-Identifier: GPL-2.0-or-later
"""What a function knows of its objects goes along with its calls.

``if (chan->pooled) free_one(chan);`` tells ``free_one()`` that its argument's ``pooled`` is
set. The call says what is known there of the members that the callee, or what that calls,
asks for, of structures that the file defines; the callee's calls say under which of their
values they are reached; propagation compares the two. Both are of the same object: the
callee's parameters are replaced by the arguments. Likewise for a callback that is registered
while something holds of its object, where no other function, and nothing after the
registration, stores into the member.

What a function has tested of an object that it passes on, and that a structure of a header has
as a truth, callees in other files know too: ``if (kvm->ready) inject(kvm);``.

A structure that a function has made for a call, on its stack, is known to callees in other
files as well: ``struct request req = { .flags = ASYNC }; submit(&req);`` tells them the bits
of ``flags``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ctxlint.facts.clobbers import Changes, Name, closure, names_in
from ctxlint.facts.escape import bare
from ctxlint.facts.shape import successors
from ctxlint.facts.state import State
from ctxlint.facts.summary import Guard
from ctxlint.ir import ops
from ctxlint.ir.types import TInt, TPtr, TRecord
from ctxlint.ir.unit import Function
from ctxlint.ir.walk import children, type_of
from ctxlint.rulebook.schema import Memory
from ctxlint.semantics.terms import (
    Addr,
    Bin,
    Const,
    Deref,
    Field,
    Local,
    Param,
    Term,
    Value,
    place_of,
)

_NOTHING: frozenset[Name] = frozenset()

_NUMBERS: frozenset[type] = frozenset({Const, Param})

_MADE_MAX = 8
"""Members of one structure on the stack that a call tells of."""


class Carried:
    """Of one unit."""

    def __init__(
        self,
        functions: Iterable[Function],
        local: Mapping[str, str],
        changes: Changes,
        closed: Collection[Name],
        memory: Mapping[str, Memory],
    ) -> None:
        """``closed``: members that this file alone stores into; ``memory``: what functions
        do with memory, by name."""
        self._changes = changes
        self._closed = frozenset(closed)
        self._local = local
        self._own_records = frozenset(local.values())
        self._later: dict[tuple[str, int, int], frozenset[Name]] = {}
        bodies = {fn.symbol: fn for fn in functions}
        # Other files store into structures of headers, of which only truths are followed: how
        # an object works. No store names the members of what is copied over, and those of a
        # union have each other's bytes.
        whole = {r for fn in bodies.values() for r in _overwritten(fn, memory)}
        own = {
            name
            for record, name in local.items()
            if record not in whole and not record.startswith("union ")
        }
        files = frozenset(local.values())
        conditions = {symbol: set(_tested(fn, local)) for symbol, fn in bodies.items()}
        self._truths = {
            symbol: frozenset(
                name
                for name, is_truth in members
                if is_truth
                and name[0] not in files
                and name[0] not in whole
                and not name[0].startswith("union ")
            )
            for symbol, members in conditions.items()
        }
        tested = {
            symbol: self._truths[symbol] | {name for name, _ in members if name[0] in own}
            for symbol, members in conditions.items()
        }
        touched = {symbol: tested[symbol] | changes.own[symbol] for symbol in bodies}
        callees = {
            symbol: {s for s in _mentioned(fn) if s in bodies and s != symbol}
            for symbol, fn in bodies.items()
        }
        callers: dict[str, set[str]] = {symbol: set() for symbol in bodies}
        for symbol, called in callees.items():
            for callee in called:
                callers[callee].add(symbol)
        self._asked = closure(tested, callees)
        above = closure(touched, callers)
        # What some caller knows, and nothing changes from the entry on.
        self._guarding = {
            symbol: (tested[symbol] & _union(above, callers[symbol])) - changes.below[symbol]
            for symbol in bodies
        }

    def guards(self, symbol: str, value: Term) -> bool:
        """Whether a value is a member that callers of a function may know, or compares
        one with a number, or tests bits of what a parameter points to."""
        place = place_of(value)
        if place is None:
            return False
        if place.member in self._guarding.get(symbol, _NOTHING):
            return True
        if (
            type(value) is Field
            and place.member in self._truths.get(symbol, _NOTHING)
            and is_in_argument(place)
        ):
            return True
        return (
            type(value) is Bin
            and value.op == "&"
            and is_of_argument(place)
            and place.member not in self._changes.below.get(symbol, _NOTHING)
        )

    def known(
        self,
        st: State,
        fn: Function,
        site: tuple[int, int],
        op: ops.Call,
        args: tuple[Value, ...],
    ) -> tuple[Guard, ...]:
        """What is known in a state, at a call, of members that the callee asks for, or a
        function that is passed to it, and of structures that were made for the call; as
        conditions on places of this function."""
        symbol = op.fn.symbol if isinstance(op.fn, ops.Func) else ""
        names = self._asked.get(symbol, _NOTHING)
        for callback in _functions(op.args):
            names |= self._lasting(fn, site, callback)
        below = self._changes.below.get(symbol, _NOTHING)
        found = list(self._made(st, args)) if symbol else []
        if names := names - below:
            found += _facts(st, names)
        if symbol and (truths := self._truths.get(fn.symbol, _NOTHING) - below):
            found += _truths_of(st, truths, args)
        return tuple(dict.fromkeys(found))

    def stored(
        self, st: State, fn: Function, site: tuple[int, int], callback: str
    ) -> tuple[Guard, ...]:
        """What is known, where a function is put into a member of an object, of members that
        it asks for, and that stay so."""
        names = self._lasting(fn, site, callback)
        return tuple(_facts(st, names)) if names else ()

    def _lasting(self, fn: Function, site: tuple[int, int], callback: str) -> frozenset[Name]:
        """Members that a callback asks for, and that nothing else stores into any more."""
        asked = self._asked.get(callback, _NOTHING) & self._closed
        if not asked:
            return _NOTHING
        return asked - self._changes.stored_by_others(fn.symbol) - self._stored_after(fn, site)

    def _made(self, st: State, args: tuple[Value, ...]) -> Iterator[Guard]:
        """The numbers in structures of headers that lie on the stack of the function, some
        of them what it was given."""
        own = {a.place for a in args if type(a) is Addr and type(a.place) is Local}
        found: dict[Value, list[Guard]] = {place: [] for place in own}
        for place, value in st.mem.items() if own else ():
            if (
                type(place) is Field
                and place.base in own
                and type(value) in _NUMBERS
                and place.record not in self._own_records
            ):
                found[place.base].append(Guard(Bin("==", place, value), True))
        for guards in found.values():
            yield from guards[:_MADE_MAX]

    def _stored_after(self, fn: Function, site: tuple[int, int]) -> frozenset[Name]:
        """Members that a function, or what it calls, stores into once it has made a call."""
        key = (fn.symbol, *site)
        if key not in self._later:
            block, index = site
            later: set[int] = set()
            work = successors(fn, block)
            while work:
                at = work.pop()
                if at not in later:
                    later.add(at)
                    work += successors(fn, at)
            after = [op for number in later for op in fn.blocks[number].ops]
            found: set[Name] = set()
            for op in (*fn.blocks[block].ops[index + 1 :], *after):
                if isinstance(op, ops.Assign | ops.Call) and op.dst is not None:
                    found.update(names_in(op.dst, self._local))
                if isinstance(op, ops.Call) and isinstance(op.fn, ops.Func):
                    found |= self._changes.below.get(op.fn.symbol, _NOTHING)
            self._later[key] = frozenset(found)
        return self._later[key]


def _facts(st: State, names: Collection[Name]) -> Iterator[Guard]:
    """What is known in a state of these members, of whichever object."""
    for place in dict.fromkeys((*st.mem, *st.facts)):
        if type(place) is Field and place.member in names:
            value = st.mem.get(place, place)
            number = st.number(value)
            if number:
                yield Guard(Bin("==", place, Const(number)), True)
            elif number == 0 or st.truth(value) or st.is_positive(value):
                yield Guard(place, number is None)


def _truths_of(st: State, names: Collection[Name], args: tuple[Value, ...]) -> Iterator[Guard]:
    """What is known of these members, of objects that a call passes on."""
    pointers = {arg for arg in args if arg is not None}
    for place, fact in st.facts.items():
        if type(place) is Field and place.member in names and place not in st.mem:
            base = _outermost(place)
            if type(base) is Deref and base.pointer in pointers:
                yield Guard(place, bool(fact))


def _outermost(place: Field) -> Value:
    """What a member is in, through the structures in it."""
    base: Value = place.base
    while type(base) is Field:
        base = base.base
    return base


def is_of_argument(place: Field) -> bool:
    """Whether a place is a member of what a parameter points to."""
    return type(place.base) is Deref and type(place.base.pointer) is Param


def is_in_argument(place: Field) -> bool:
    """The same, also of a structure in it."""
    base = _outermost(place)
    return type(base) is Deref and type(base.pointer) is Param


def _union(names: Mapping[str, frozenset[Name]], symbols: set[str]) -> frozenset[Name]:
    return _NOTHING.union(*(names[symbol] for symbol in symbols))


def _tested(fn: Function, local: Mapping[str, str]) -> Iterator[tuple[Name, bool]]:
    """Members that conditions are made of, directly, through a variable, or in a callee that
    is given the number; and whether they are truths (``bool``)."""
    stack: list[ops.Expr] = []
    for block in fn.blocks:
        if isinstance(block.term, ops.Branch):
            stack.append(block.term.cond)
        elif isinstance(block.term, ops.Switch):
            stack.append(block.term.e)
        for op in block.ops:
            if isinstance(op, ops.Assign) and isinstance(op.dst, ops.Var):
                stack.append(op.src)
            elif isinstance(op, ops.Call):
                stack += [e for e in op.args if isinstance(type_of(fn, e), TInt)]
    while stack:
        e = stack.pop()
        if isinstance(e, ops.Field):
            kind = type_of(fn, e)
            is_truth = isinstance(kind, TInt) and kind.name in ("bool", "_Bool")
            yield (local.get(e.record, e.record), e.name), is_truth
        stack += children(e)


def _overwritten(fn: Function, memory: Mapping[str, Memory]) -> Iterator[str]:
    """Records of which an object behind a pointer is stored as a whole."""
    for block in fn.blocks:
        for op in block.ops:
            if isinstance(op, ops.Assign | ops.Call) and op.dst is not None:
                kind = type_of(fn, op.dst)
                if isinstance(kind, TRecord) and not isinstance(op.dst, ops.Var):
                    yield kind.key
            if isinstance(op, ops.Call) and isinstance(op.fn, ops.Func):
                rule = memory.get(op.fn.symbol.rpartition("::")[2])
                into = (rule.copies or rule.fills) if rule is not None else None
                if into is not None and into[0] < len(op.args):
                    kind = type_of(fn, bare(op.args[into[0]]))
                    behind = fn.types[kind.to] if isinstance(kind, TPtr) else kind
                    if isinstance(behind, TRecord):
                        yield behind.key


def _mentioned(fn: Function) -> Iterator[str]:
    """Functions that a body calls, and those that it passes to others or puts into members."""
    for block in fn.blocks:
        for op in block.ops:
            if isinstance(op, ops.Call):
                if isinstance(op.fn, ops.Func):
                    yield op.fn.symbol
                yield from _functions(op.args)
            elif isinstance(op, ops.Assign) and isinstance(op.dst, ops.Field):
                yield from _functions((op.src,))


def _functions(args: Iterable[ops.Expr]) -> Iterator[str]:
    for arg in args:
        e = bare(arg)
        if isinstance(e, ops.Addr):
            e = e.lvalue
        if isinstance(e, ops.Func):
            yield e.symbol
