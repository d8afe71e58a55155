# SPDX-License-Identifier: GPL-2.0-or-later
"""What members of structures can hold, where every store into them is known.

For the structures that a file has for itself (:mod:`ctxlint.contexts.private`), each
store is noted while the functions are interpreted: the value, and what was known of
other values then. A member holds what some store puts there, and what it begins with:
zero, an initialiser, or, for an object that the function which makes it fills in before
anybody else sees it, what it is filled in with.

The table is the smallest one that agrees with itself: a store that only happens under a
condition on members counts when the members can fulfil it. So it says what a read gives
at any time, whoever stored last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ctxlint.callgraph.bits import ALTERNATIVES_MAX
from ctxlint.callgraph.spans import (
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
from ctxlint.callgraph.values import Value, evaluate, leaves, wrapped
from ctxlint.contexts.exprs import Reader
from ctxlint.contexts.private import Member, Private, scalar_members
from ctxlint.contexts.shape import successors
from ctxlint.contexts.state import State
from ctxlint.ir import ops
from ctxlint.ir.types import TArray, TInt, TPtr, TRecord, Type
from ctxlint.ir.unit import Function, GlobalVar
from ctxlint.ir.walk import expressions, type_of

Site = tuple[int, int]
Facts = dict[Value, "int | bool"]

_MEMORY = frozenset((".", "*", "[]", "g", "l"))
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
        """By the names that terms have (see :class:`ctxlint.contexts.exprs.Reader`)."""
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
            if m not in missed and counts.get(m, 0) <= _STORES_MAX and self._is_told(m, counts)
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

    def _is_told(self, member: Member, counts: Mapping[Member, int]) -> bool:
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

        def known(term: Value) -> Span | None:
            at = _member_of(term)
            if at is None or at not in table or _is_new(term):
                return None
            return table[at]  # facts are of another time

        for term in facts:
            for part in (term, *(term[2:4] if term[0] == "b" else ())):
                at = _member_of(part)
                if at is None or at not in closed or _is_new(part):
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
                if plain and value is not None and value[0] in ("v", "p"):
                    found = limited(value, found, facts)
        joined = join(table[member], domain.fits(found))
        table[member] = domain.all if joined is None else joined

    @staticmethod
    def _changed(
        value: Value, member: Member, table: Mapping[Member, Span], domain: Domain
    ) -> Span | None:
        """What a member becomes that is changed by a number: counted, or bit by bit."""
        if value is None or value[0] != "b" or _member_of(value[2]) != member:
            return None
        number = evaluate(value[3], lambda _: None)
        if number is None:
            return None
        here, op = table[member], value[1]
        if not here:
            return EMPTY
        if op[0] == "+" and number > 0 and domain.signed and domain.bits >= 32:
            # A counter of this width does not come round in the life of a kernel.
            return ((here[0][0], domain.high),)
        if op == "&" and number >= 0:
            few = points(here)
            return ((0, number),) if few is None else None
        return None


class Recorder:
    """Notes the stores of one function while it is interpreted."""

    def __init__(self, fields: Fields, fn: Function, reader: Reader) -> None:
        self.fields = fields
        self.fn = fn
        self.reader = reader
        self.sites: dict[Site, tuple[ops.Expr, ops.Expr | None]] = {}
        self.found: dict[Site, dict[object, tuple[Noted, ...]]] = {}
        self.given: dict[Site, dict[object, tuple[Noted, ...]]] = {}
        made: dict[str, list[str]] = {}
        for key, calls in fields.private.made.items():
            for symbol, op_id in calls:
                if symbol == fn.symbol:
                    made.setdefault(op_id, []).append(fields.local.get(key, key))
        self.made = made
        for b, block in enumerate(fn.blocks):
            for i, op in enumerate(block.ops):
                if isinstance(op, ops.Assign) and self._counts(op):
                    self.sites[(b, i)] = (op.dst, op.src)
                elif (
                    isinstance(op, ops.Call) and op.dst is not None and self._is_member(op.dst)
                ):
                    self.sites[(b, i)] = (op.dst, None)
        self.leaks = self._leaks() if made else {}
        self.late = self._after(self.leaks) if made else set()

    def _counts(self, op: ops.Assign) -> bool:
        if isinstance(_bare(op.src), ops.Agg):
            kind = self.fn.types[_bare(op.src).type]  # type: ignore[union-attr]
            return isinstance(kind, TRecord | TArray)
        return self._is_member(op.dst)

    def _is_member(self, e: ops.Expr) -> bool:
        e = _direct(e)
        return isinstance(e, ops.Field) and self._member(e) in self.fields.domains

    def _member(self, e: ops.Field) -> Member:
        return self.reader.local.get(e.record, e.record), e.name

    # -- objects that are made here --------------------------------------------

    def _leaks(self) -> dict[Site, set[str]]:
        """Where objects are given to others: calls, stores, returns."""
        slots: dict[int, set[str]] = {}
        changed = True
        while changed:
            changed = False
            for b, block in enumerate(self.fn.blocks):
                for i, op in enumerate(block.ops):
                    if not isinstance(op, ops.Assign | ops.Call) or not isinstance(
                        op.dst, ops.Var
                    ):
                        continue
                    name = f"{b}.{i}"
                    given = {name} if name in self.made else set()
                    if isinstance(op, ops.Assign):
                        given |= _leaked(op.src, slots)
                    before = slots.setdefault(op.dst.slot, set())
                    if not given <= before:
                        before |= given
                        changed = True
        memory = self.fields.private.rules.memory
        found: dict[Site, set[str]] = {}
        for b, block in enumerate(self.fn.blocks):
            everything: tuple[ops.Op | ops.Term, ...] = (*block.ops, block.term)
            for i, at in enumerate(everything):
                out: set[str] = set()
                if isinstance(at, ops.Call):
                    symbol = at.fn.symbol if isinstance(at.fn, ops.Func) else ""
                    rule = memory.get(symbol.rpartition("::")[2])
                    if rule is None or not rule.keeps_nothing:
                        for arg in at.args:
                            out |= _leaked(arg, slots)
                elif isinstance(at, ops.Assign):
                    if not isinstance(at.dst, ops.Var):
                        out |= _leaked(at.src, slots)
                elif isinstance(at, ops.Ret):
                    out |= set() if at.value is None else _leaked(at.value, slots)
                elif isinstance(at, ops.Asm | ops.AsmGoto):
                    asm = at if isinstance(at, ops.Asm) else at.asm
                    for _, e in (*asm.ins, *asm.outs):
                        out |= _leaked(e, slots)
                if out:
                    found[(b, i)] = out
        return found

    def _after(self, leaks: Iterable[Site]) -> set[Site]:
        """Stores that may come when others have an object."""
        found: set[Site] = set()
        for b, i in leaks:
            later: set[int] = set()
            todo = [b]
            while todo:
                for to in successors(self.fn, todo.pop()):
                    if to not in later:
                        later.add(to)
                        todo.append(to)
            found |= {s for s in self.sites if s[0] in later or (s[0] == b and s[1] > i)}
        return found

    # -- while the function is interpreted ---------------------------------------

    def note(self, site: Site, where: object, st: State) -> None:
        """A state in which an operation is reached (before it)."""
        if site in self.sites:
            dst, src = self.sites[site]
            self.found.setdefault(site, {})[where] = tuple(self._stored(site, dst, src, st))
        if site in self.leaks:
            given = tuple(self._handed(self.leaks[site], st))
            self.given.setdefault(site, {})[where] = given

    def _stored(
        self, site: Site, dst: ops.Expr, src: ops.Expr | None, st: State
    ) -> Iterator[Noted]:
        bare = None if src is None else _bare(src)
        if isinstance(bare, ops.Agg):
            yield from self._aggregate(bare, st)
            return
        at = _direct(dst)
        assert isinstance(at, ops.Field)
        value = None if src is None else self.reader.value(src, st)
        made = ""
        if site not in self.late:
            base = self.reader.place(at.base, st)
            pointer = base[1] if base is not None and base[0] == "*" else None
            if pointer is not None and pointer[0] == "v" and pointer[1] in self.made:
                made = pointer[1]
        member = self._member(at)
        yield Noted(member, value, dict(st.facts), made, self._plain(value, member))

    def _plain(self, value: Value, member: Member) -> bool:
        """Whether a value is compared as the member would be: a pointer as an address, a
        number with the sign that its own type has."""
        domain = self.fields.domains[member]
        if domain.pointer:
            return True
        if value is None or value[0] not in ("p", "v"):
            return False
        kind: Type | None = None
        if value[0] == "p":
            kind = self.fn.types[self.fn.vars[value[1]].type]
        elif (name := value[1].split("."))[0].isdigit() and len(name) == 2:
            block, index = int(name[0]), int(name[1]) if name[1].isdigit() else -1
            at = self.fn.blocks[block].ops if block < len(self.fn.blocks) else ()
            if 0 <= index < len(at):
                op = at[index]
                dst = op.dst if isinstance(op, ops.Call | ops.Assign) else None
                kind = None if dst is None else type_of(self.fn, dst)
        return isinstance(kind, TInt) and not kind.signed and not domain.signed

    def _aggregate(self, e: ops.Agg, st: State) -> Iterator[Noted]:
        """A structure that is put together: what is not named is zero."""
        kind = self.fn.types[e.type]
        if isinstance(kind, TRecord):
            name = self.reader.local.get(kind.key, kind.key)
            items = dict(e.items)
            for member in self.fields.of(name):
                item = items.get(member[1])
                value = ("k", 0) if item is None else self.reader.value(item, st)
                yield Noted(member, value, dict(st.facts))
        for _, item in e.items:
            inner = _bare(item)
            if isinstance(inner, ops.Agg):
                yield from self._aggregate(inner, st)

    def _handed(self, made: Iterable[str], st: State) -> Iterator[Noted]:
        for op_id in sorted(made):
            for name in self.made.get(op_id, ()):
                pointer = ("v", op_id)
                if st.truth(pointer) is False:
                    continue
                facts = dict(st.facts)
                for member in self.fields.of(name):
                    value = st.mem.get((".", ("*", pointer), *member))
                    if value is not None:
                        plain = self._plain(value, member)
                        yield Noted(member, value, facts, op_id, plain)
                    else:
                        yield Noted(member, ("k", 0), {}, op_id, stored=False)

    def notes(self, *, complete: bool) -> Notes:
        """What was found; ``complete``: every way through the function was looked at."""
        out = Notes()
        for site, (dst, src) in self.sites.items():
            states = self.found.get(site)
            if states is None or not complete:
                out.missed |= self._members_of(dst, src)
            for stores in (states or {}).values():
                out.stores += stores
        absent: set[tuple[Member, str]] = set()
        for given in self.given.values():
            for items in given.values():
                out.given += items
                absent |= {(i.member, i.made) for i in items if not i.stored}
        reached = {op_id for out_ids in self.leaks.values() for op_id in out_ids}
        for store in out.stores:
            # It is not known with which of several values the object is given away.
            if store.made and (
                (store.member, store.made) in absent or (store.made not in reached)
            ):
                store.made = ""
        if not complete:
            for names in self.made.values():
                for name in names:
                    out.missed.update(self.fields.of(name))
        return out

    def _members_of(self, dst: ops.Expr, src: ops.Expr | None) -> set[Member]:
        at = _direct(dst)
        found: set[Member] = set()
        if isinstance(at, ops.Field) and self._member(at) in self.fields.domains:
            found.add(self._member(at))
        stack: list[ops.Expr] = [] if src is None else [_bare(src)]
        while stack:
            e = stack.pop()
            if isinstance(e, ops.Agg):
                kind = self.fn.types[e.type]
                if isinstance(kind, TRecord):
                    found.update(self.fields.of(self.reader.local.get(kind.key, kind.key)))
                stack += [_bare(item) for _, item in e.items]
        return found


def _leaked(e: ops.Expr, slots: Mapping[int, set[str]]) -> set[str]:
    """Objects to which the value of an expression leads, by more than what is read
    from them."""
    if isinstance(e, ops.Var):
        return slots.get(e.slot, set())
    if isinstance(e, ops.Field):
        return _leaked_place(e.base, slots) if isinstance(e.base, ops.Index) else set()
    if isinstance(e, ops.Deref | ops.Index | ops.Const):
        return set()
    if isinstance(e, ops.Addr):
        return _leaked_place(e.lvalue, slots)
    if isinstance(e, ops.Bin):
        if e.op in ("==", "!=", "&&", "||", "<", ">", "<=", ">="):
            return set()
        return _leaked(e.a, slots) | _leaked(e.b, slots)
    if isinstance(e, ops.Un):
        return set() if e.op == "!" else _leaked(e.e, slots)
    if isinstance(e, ops.Cast):
        return _leaked(e.e, slots)
    if isinstance(e, ops.Select):
        return _leaked(e.a, slots) | _leaked(e.b, slots)
    if isinstance(e, ops.Agg):
        found: set[str] = set()
        for _, item in e.items:
            found |= _leaked(item, slots)
        return found
    return set()


def _leaked_place(e: ops.Expr, slots: Mapping[int, set[str]]) -> set[str]:
    while isinstance(e, ops.Field | ops.Index):
        e = e.base
    return _leaked(e.ptr, slots) if isinstance(e, ops.Deref) else set()


def _member_of(term: Value) -> Member | None:
    if type(term) is tuple and term and term[0] == ".":
        return term[2], term[3]
    return None


def _is_new(term: Value) -> bool:
    """Whether the object is one that a call in this function returned: it may be as it
    was made."""
    while term is not None and term[0] in (".", "*", "[]", "&", "b"):
        term = term[2] if term[0] == "b" else term[1]
    return term is not None and term[0] == "v" and term[1] != "?"


def _number(facts: Facts, term: Value) -> int | None:
    """A fact about a value; those about memory may be out of date."""
    fact = facts.get(term)
    return fact if type(fact) is int and not leaves(term) & _MEMORY else None


def _constant(e: ops.Expr, domain: Domain) -> Span:
    e = _bare(e)
    if isinstance(e, ops.Const):
        return point(e.value)
    if isinstance(e, ops.Addr | ops.Func | ops.Str):
        return POINTER
    return domain.all


def _direct(e: ops.Expr) -> ops.Expr:
    """``x`` of ``*(volatile T *)&x``."""
    while isinstance(e, ops.Deref):
        inner = _bare(e.ptr)
        if not isinstance(inner, ops.Addr):
            return e
        e = inner.lvalue
    return e


def _bare(e: ops.Expr) -> ops.Expr:
    while isinstance(e, ops.Cast):
        e = e.e
    return e


class Knowledge:
    """What a table says to the interpretation of one function."""

    def __init__(self, fields: Fields, fn: Function) -> None:
        self.table = fields.table
        self.new = frozenset(
            fields.local.get(key, key)
            for key, calls in fields.private.made.items()
            if any(symbol == fn.symbol for symbol, _ in calls)
        )

    def __call__(self, term: Value) -> Span | None:
        at = _member_of(term)
        if at is None or at not in self.table:
            return None
        if at[0] in self.new and _is_new(term):
            return None
        return self.table[at]

    def chosen(self, value: Value) -> Value:
        """A member as one of the few numbers that it can be."""
        found = self(value)
        few = None if found is None else points(found)
        if few is None or len(few) > ALTERNATIVES_MAX:
            return value
        first, *others = few
        out: Value = ("k", first)
        for number, other in enumerate(others):
            condition = ("b", "==", value, ("k", other)) if number else value
            out = ("?", condition, ("k", other), out)
        return out


__all__ = ["Domain", "Fields", "Knowledge", "Notes", "Recorder", "domain_of"]
