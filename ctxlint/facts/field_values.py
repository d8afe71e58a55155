# SPDX-License-Identifier: GPL-2.0-or-later
"""What members of structures can hold, where every store into them is known.

For the structures that a file has for itself (:mod:`ctxlint.facts.private_members`), each
store is noted while the functions are interpreted: the value, and what was known of
other values then. A member holds what some store puts there, and what it begins with:
zero, an initialiser, or, for an object that the function which makes it fills in before
anybody else sees it, what it is filled in with.

The table is the smallest one that agrees with itself: a store that only happens under a
condition on members counts when the members can fulfil it. So it says what a read gives
at any time, whoever stored last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ctxlint.facts.escape import bare
from ctxlint.facts.private_members import Member, Private, scalar_members
from ctxlint.ir import ops
from ctxlint.ir.types import TArray, TInt, TPtr, TRecord
from ctxlint.ir.unit import Function, GlobalVar
from ctxlint.ir.walk import expressions
from ctxlint.semantics.intervals import (
    EMPTY,
    POINTER,
    Span,
    join,
    limited,
    point,
    points,
    span,
    within,
)
from ctxlint.semantics.known_bits import ALTERNATIVES_MAX
from ctxlint.semantics.terms import (
    Addr,
    Bin,
    Const,
    Deref,
    Field,
    Global,
    Index,
    Local,
    Node,
    Param,
    Result,
    Select,
    Term,
    Value,
    evaluate,
    leaves,
    nothing,
    wrapped,
)

Site = tuple[int, int]
Facts = dict[Term, "int | bool"]

_MEMORY: frozenset[type[Node]] = frozenset((Field, Deref, Index, Global, Local))
_LEADING: frozenset[type[Node]] = frozenset((Field, Deref, Index, Addr, Bin))
_ROUNDS_MAX = 6
_STORES_MAX = 400
"""A member with more of them holds anything."""


@dataclass(frozen=True)
class Domain:
    """The numbers of a member's type."""

    low: int
    high: int
    bits: int
    signed: bool
    pointer: bool

    @property
    def all(self) -> Span:
        """Every number of the type, as one interval."""
        return ((self.low, self.high),)

    def fits(self, found: Span | None) -> Span:
        """A set as the member holds it; all numbers when it does not fit."""
        if found is None:
            return self.all
        if within(found, self.low, self.high):
            return found
        few = points(found)
        if few is None or self.pointer:
            return self.all
        out: Span | None = EMPTY
        for number in few:
            cut = wrapped(number, self.bits, self.signed)
            out = None if cut is None else join(out, point(cut))
        return self.all if out is None else out


def domain_of(kind: TInt | TPtr, width: int) -> Domain:
    """The numbers that a member holds; ``width`` is that of a bit-field in bits, 0 for another
    member."""
    if isinstance(kind, TPtr):
        return Domain(0, (1 << 64) - 1, 64, False, True)
    if kind.name == "_Bool" or kind.bits == 1:
        return Domain(0, 1, 1, False, False)
    bits = width or kind.bits
    if kind.signed:
        return Domain(-(1 << (bits - 1)), (1 << (bits - 1)) - 1, bits, True, False)
    return Domain(0, (1 << bits) - 1, bits, False, False)


@dataclass
class Noted:
    """One store in one state: the value, and what was known."""

    member: Member
    value: Value
    facts: Facts
    made: str = ""
    """The call that made the object, while nobody else has it."""
    plain: bool = False
    """Whether comparisons of the value mean what they mean of the member."""
    stored: bool = True


@dataclass
class Notes:
    """What one function does: ``stores`` by place, ``missed`` members with a store that
    the interpretation did not come to; of objects that it makes, the values with which
    they are given away (None: nothing is known that was stored)."""

    stores: list[Noted] = field(default_factory=list)
    missed: set[Member] = field(default_factory=set)
    given: list[Noted] = field(default_factory=list)


class Fields:
    """Of one unit: which members are followed, and the table once it is made."""

    def __init__(self, private: Private, local: Mapping[str, str]) -> None:
        self.private = private
        self.local = local
        self.domains: dict[Member, Domain] = {}
        """By the names that terms have (see :class:`ctxlint.facts.symbolic.Reader`)."""
        self.kinds: dict[str, str] = {}
        self._of: dict[str, tuple[Member, ...]] = {}
        for key in sorted(private.own):
            name = local.get(key, key)
            self.kinds[name] = key
            for member, width, kind in scalar_members(private.records[key]):
                if private.is_closed(key, member):
                    self.domains[(name, member)] = domain_of(kind, width)
            self._of[name] = tuple(m for m in self.domains if m[0] == name)
        self.notes: dict[str, Notes] = {}
        self.table: dict[Member, Span] = {}
        self.solved = False

    def of(self, record: str) -> tuple[Member, ...]:
        """The members of a record that are followed."""
        return self._of.get(record, ())

    def alone(self) -> frozenset[Member]:
        """Members that are followed of records of which a path meets one object."""
        alone = {self.local.get(key, key) for key in self.private.alone()}
        return frozenset(member for member in self.domains if member[0] in alone)

    def is_read(self, fn: Function) -> bool:
        """Whether a function reads a member of which the table says something."""
        return bool(self.table) and any(
            isinstance(e, ops.Field)
            and (self.local.get(e.record, e.record), e.name) in self.table
            for e in expressions(fn)
        )

    # -- the table -----------------------------------------------------------

    def solve(self, variables: Iterable[GlobalVar]) -> None:
        """Make the table from what was noted of all functions."""
        self.solved = True
        missed = {m for notes in self.notes.values() for m in notes.missed}
        counts: dict[Member, int] = {}
        for notes in self.notes.values():
            for store in notes.stores:
                counts[store.member] = counts.get(store.member, 0) + 1
        closed = {
            m: d
            for m, d in self.domains.items()
            if m not in missed and counts.get(m, 0) <= _STORES_MAX and self._is_known(m, counts)
        }
        table: dict[Member, Span] = dict.fromkeys(closed, EMPTY)
        for member, found in self._initial(variables).items():
            if member in closed:
                table[member] = closed[member].fits(found)
        for number in range(2 * _ROUNDS_MAX):
            before = dict(table)
            self._round(table, closed)
            if table == before:
                break
            if number >= _ROUNDS_MAX:
                # Counted, or pushed round in circles.
                table |= {m: closed[m].all for m, s in table.items() if s != before[m]}
        else:
            return
        self.table = {m: s for m, s in table.items() if s and s != closed[m].all}

    def _is_known(self, member: Member, counts: Mapping[Member, int]) -> bool:
        """Whether this file tells what a member holds. Of objects that it does not make
        it does so by storing something, and not where it reads as one does what others
        change."""
        key = self.kinds[member[0]]
        private = self.private
        if key in private.made or key in private.variables:
            return True
        return member in counts and (key, member[1]) not in private.shared

    def _initial(self, variables: Iterable[GlobalVar]) -> dict[Member, Span]:
        """What objects begin with."""
        found: dict[Member, Span] = {}
        wide: set[str] = set()
        for name, key in self.kinds.items():
            made = self.private.made.get(key)
            if key in self.private.elsewhere or not (made or key in self.private.variables):
                wide.add(name)
        for member in self.domains:
            found[member] = point(0) if member[0] in wide else EMPTY
        for var in variables:
            kind = var.types[var.type]
            if isinstance(kind, TRecord):
                self._variable(var, kind, var.init, found)
            elif isinstance(kind, TArray) and isinstance(var.types[kind.of], TRecord):
                of = var.types[kind.of]
                assert isinstance(of, TRecord)
                items = var.init.items if isinstance(var.init, ops.Agg) else ()
                for _, item in items:
                    self._variable(var, of, item, found)
                if len(items) != kind.count:
                    self._variable(var, of, None, found)
            elif var.init is not None:
                self._compound(var, var.init, found)
        return found

    def _variable(
        self,
        var: GlobalVar,
        kind: TRecord,
        init: ops.Expr | None,
        found: dict[Member, Span],
    ) -> None:
        name = self.local.get(kind.key, kind.key)
        while isinstance(init, ops.Cast):
            init = init.e
        items = dict(init.items) if isinstance(init, ops.Agg) else {}
        for member in self.of(name):
            domain = self.domains[member]
            item = items.get(member[1])
            if init is not None and not isinstance(init, ops.Agg):
                value: Span = domain.all
            else:
                value = point(0) if item is None else _constant(item, domain)
            joined = join(found[member], domain.fits(value))
            found[member] = domain.all if joined is None else joined
        for item in items.values():
            self._compound(var, item, found)

    def _compound(self, var: GlobalVar, e: ops.Expr, found: dict[Member, Span]) -> None:
        """Initialisers of records inside of others."""
        if isinstance(e, ops.Agg):
            kind = var.types[e.type]
            if isinstance(kind, TRecord):
                self._variable(var, kind, e, found)
            else:
                for _, item in e.items:
                    self._compound(var, item, found)
        elif isinstance(e, ops.Addr | ops.Cast):
            self._compound(var, e.lvalue if isinstance(e, ops.Addr) else e.e, found)

    def _round(self, table: dict[Member, Span], closed: Mapping[Member, Domain]) -> None:
        for notes in self.notes.values():
            for store in notes.stores:
                if store.member in closed and not store.made:
                    self._add(
                        table, closed, store.member, store.value, store.facts, store.plain
                    )
            for given in notes.given:
                if given.member in closed:
                    self._add(
                        table, closed, given.member, given.value, given.facts, given.plain
                    )

    def _add(
        self,
        table: dict[Member, Span],
        closed: Mapping[Member, Domain],
        member: Member,
        value: Value,
        facts: Facts,
        plain: bool,
    ) -> None:
        domain = closed[member]

        def known(term: Term) -> Span | None:
            at = _member_of(term)
            if at is None or at not in table or _is_new(term):
                return None
            return table[at]  # facts are of another time

        for term in facts:
            for part in (term, *(term.parts() if type(term) is Bin else ())):
                at = _member_of(part)
                if part is None or at is None or at not in closed or _is_new(part):
                    continue
                if limited(part, table[at], facts) == EMPTY:
                    return  # not (yet) possible
        if value is not None and _member_of(value) == member:
            return  # from one object to another
        found = self._changed(value, member, table, domain)
        if found is None:
            found = span(value, lambda t: _number(facts, t), known)
            if found is None:
                found = domain.all
                if plain and (type(value) is Result or type(value) is Param):
                    found = limited(value, found, facts)
        joined = join(table[member], domain.fits(found))
        table[member] = domain.all if joined is None else joined

    @staticmethod
    def _changed(
        value: Value, member: Member, table: Mapping[Member, Span], domain: Domain
    ) -> Span | None:
        """What a member becomes that is changed by a number: counted, or bit by bit."""
        if type(value) is not Bin or _member_of(value.a) != member:
            return None
        number = evaluate(value.b, nothing)
        if number is None:
            return None
        here, op = table[member], value.op
        if not here:
            return EMPTY
        if op == "+" and number > 0 and domain.signed and domain.bits >= 32:
            # A counter of this width does not come round in the life of a kernel.
            return ((here[0][0], domain.high),)
        if op == "&" and number >= 0:
            few = points(here)
            return ((0, number),) if few is None else None
        return None


def _member_of(term: Value) -> Member | None:
    return term.member if type(term) is Field else None


def _is_new(term: Value) -> bool:
    """Whether the object is one that a call in this function returned: it may be as it
    was made."""
    while term is not None and type(term) in _LEADING:
        term = term.parts()[0]
    return type(term) is Result and term.op != "?"


def _number(facts: Facts, term: Term) -> int | None:
    """A fact about a value; those about memory may be out of date."""
    fact = facts.get(term)
    return fact if type(fact) is int and not leaves(term) & _MEMORY else None


def _constant(e: ops.Expr, domain: Domain) -> Span:
    e = bare(e)
    if isinstance(e, ops.Const):
        return point(e.value)
    if isinstance(e, ops.Addr | ops.Func | ops.Str):
        return POINTER
    return domain.all


class Knowledge:
    """What a table says to the interpretation of one function."""

    def __init__(self, fields: Fields, fn: Function) -> None:
        self.table = fields.table
        self.new = frozenset(
            fields.local.get(key, key)
            for key, calls in fields.private.made.items()
            if any(symbol == fn.symbol for symbol, _ in calls)
        )

    def __call__(self, term: Term) -> Span | None:
        """The numbers that a term can be when it is a member of the table; None: nothing is
        known."""
        at = _member_of(term)
        if at is None or at not in self.table:
            return None
        if at[0] in self.new and _is_new(term):
            return None
        return self.table[at]

    def chosen(self, value: Value) -> Value:
        """A member as one of the few numbers that it can be."""
        found = None if value is None else self(value)
        few = None if found is None else points(found)
        if few is None or len(few) > ALTERNATIVES_MAX:
            return value
        first, *others = few
        out: Term = Const(first)
        for number, other in enumerate(others):
            condition = Bin("==", value, Const(other)) if number else value
            out = Select(condition, Const(other), out)
        return out


__all__ = ["Domain", "Fields", "Knowledge", "Noted", "Notes", "domain_of"]
