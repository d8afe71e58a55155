# SPDX-License-Identifier: GPL-2.0-or-later
"""The abstract state inside one function, relative to its entry.

A state is one *disjunct*: an exact execution-context difference together with
what is known about values on the paths that lead to it. A program point holds a
small set of disjuncts. Two states with the same :meth:`State.key` are merged
(what is known is intersected, an under-approximation of knowledge); states that
differ in context stay apart, so conditional locking on one condition is followed
exactly and a lock is never "maybe held". Where there are too many, states of the
same :meth:`State.strength` are merged too: only names of locks are lost then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeVar

import msgspec

from ctxlint.rulebook.effects import Counter
from ctxlint.semantics.context import NO_COUNTS, Counts, Delta, Lock
from ctxlint.semantics.intervals import Spans, span, truth
from ctxlint.semantics.irqs import Irqs
from ctxlint.semantics.known_bits import one_of
from ctxlint.semantics.terms import (
    ZERO,
    Bin,
    Const,
    Func,
    Local,
    Once,
    Result,
    Select,
    Term,
    Un,
    Value,
    evaluate,
    mentions,
    names_of,
    walk,
)

Fact = int | bool
"""What is known about a value: an int is its exact value, True is "not zero"."""

_COUNT_MAX = 64
"""Of a counter: lockdep follows 48 locks of a task (MAX_LOCK_DEPTH,
include/linux/sched.h), so none that works comes near."""
_COUNT_MIN = -8
"""What a function releases for its callers. A loop that goes on releasing goes further;
what is said of it then is too strict, and hides nothing."""
_SAVES_MAX = 16
_LOCKS_MAX = 64
"""Locks that are known by name. What is held beyond is counted like any other."""


class LockKinds(NamedTuple):
    """Of a kernel's kinds of locks: those that are of another kind inside, those that may
    be held while the task sleeps, and those that their holder may take again."""

    same: Mapping[str, str] = MappingProxyType({})
    sleeping: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()


_KINDS = LockKinds()


class Stated(NamedTuple):
    """What assertions say of the execution context at entry: interrupts are off, and
    counts that the caller has raised. ``texts`` as in :class:`Delta`."""

    irq_off: bool = False
    counts: Counts = NO_COUNTS
    texts: tuple[tuple[str, int], ...] = ()

    def add(self, counter: Counter | Literal["irq"], text: str, loc: int) -> Stated:
        """With one more thing stated: ``irq``, or a counter."""
        texts = tuple(dict.fromkeys((*self.texts, (text, loc))))
        if counter == "irq":
            return self._replace(irq_off=True, texts=texts)
        counts = self.counts
        if not getattr(counts, counter):
            counts = counts.counted(counter, 1)
        return Stated(self.irq_off, counts, texts)


NOTHING_STATED = Stated()
K = TypeVar("K")
V = TypeVar("V")


class State:
    """Mutable while one block is interpreted; copied at forks."""

    __slots__ = (
        "conds",
        "counts",
        "facts",
        "irq_loc",
        "irqs",
        "kinds",
        "known",
        "locks",
        "mem",
        "over",
        "pops",
        "pre_loc",
        "released",
        "saves",
        "stated",
        "vals",
    )

    def __init__(self) -> None:
        self.irqs = Irqs.ENTRY
        self.counts = NO_COUNTS
        self.locks: tuple[Lock, ...] = ()
        self.irq_loc = -1
        self.pre_loc = -1
        self.saves: tuple[Irqs, ...] = ()
        self.pops = 0
        self.released: tuple[str, ...] = ()
        self.kinds = _KINDS
        self.stated = NOTHING_STATED
        self.vals: dict[int, Term] = {}
        self.mem: dict[Term, Term] = {}
        self.facts: dict[Term, Fact] = {}
        self.conds: dict[int, bool] = {}
        self.over = False
        self.known: Spans | None = None

    def copy(self) -> State:
        """A state that can be changed without this one; what is immutable is shared."""
        new = State.__new__(State)
        new.irqs, new.counts = self.irqs, self.counts
        new.locks, new.saves, new.pops, new.released = (
            self.locks,
            self.saves,
            self.pops,
            self.released,
        )
        new.irq_loc, new.pre_loc = self.irq_loc, self.pre_loc
        new.kinds = self.kinds
        new.stated = self.stated
        new.vals, new.mem = dict(self.vals), dict(self.mem)
        new.facts, new.conds = dict(self.facts), dict(self.conds)
        new.over, new.known = self.over, self.known
        return new

    def context_key(self) -> tuple[object, ...]:
        """What makes two states different in their effect on the caller."""
        return (*self._counts(), tuple((lk.kind, lk.path) for lk in self._restricting()))

    def _counts(self) -> tuple[object, ...]:
        """The context without its locks."""
        return self.irqs, self.counts, self.saves, self.pops, self.released

    def strength(self) -> tuple[object, ...]:
        """What decides what is legal from here on, after any further operations: all
        of the context but for the names of the locks."""
        return (*self._counts(), tuple(sorted(lock.kind for lock in self._restricting())))

    def _restricting(self) -> tuple[Lock, ...]:
        """The locks that restrict what is legal, or all of them where that is the same."""
        sleeping = self.kinds.sleeping
        if not any(lock.kind in sleeping for lock in self.locks):
            return self.locks
        return tuple(lock for lock in self.locks if lock.kind not in sleeping)

    def rounds(self) -> int:
        """How often the lock is held that one place took most often: a loop that takes
        a lock in each round."""
        if len(self.locks) < 2:
            return len(self.locks)
        return max(self.locks.count(lock) for lock in self.locks)

    def key(self, tracked: tuple[int, ...]) -> tuple[object, ...]:
        """Identity of the disjunct; ``tracked`` are slots whose constants count."""
        return (self.context_key(), self.constants(tracked))

    def constants(self, slots: tuple[int, ...]) -> tuple[Value, ...]:
        """The constants that slots hold; None for any other value."""
        return tuple(
            v if type(v := self.vals.get(slot)) is Const or type(v) is Func else None
            for slot in slots
        )

    def delta(self) -> Delta:
        """The change of the execution context since the function was entered."""
        return Delta(self.irqs, self.counts, self.locks, self.irq_loc, self.pre_loc)

    def delta_after(self) -> Delta:
        """The same as callers have it: a lock that restricts nothing is left out."""
        delta, locks = self.delta(), self._restricting()
        return delta if locks is self.locks else msgspec.structs.replace(delta, locks=locks)

    def delta_here(self) -> Delta:
        """The same with what assertions state of the caller: for what is called here, and
        not for what the caller goes on with."""
        stated, delta = self.stated, self.delta()
        if stated is NOTHING_STATED:
            return delta
        return msgspec.structs.replace(
            delta,
            irqs=Irqs.OFF if stated.irq_off and self.irqs == Irqs.ENTRY else self.irqs,
            stated=stated.texts,
            entered_with=stated.counts,
        )

    # -- knowledge ---------------------------------------------------------

    def lookup(self, value: Term) -> int | None:
        """The number that a term is known to be on this path; None: not known, or not as a
        number."""
        fact = self.facts.get(value)
        return fact if type(fact) is int else None

    def number(self, value: Value) -> int | None:
        """A term evaluated with what is known on this path; None when that is not enough."""
        return evaluate(value, self.lookup)

    def truth(self, value: Value) -> bool | None:
        """Whether a value is non-zero, as far as it is known."""
        if value is None:
            return None
        fact = self.facts.get(value)
        if fact is not None:
            return bool(fact)
        if type(value) is Const:
            return bool(value.number)
        if type(value) is Un and value.op == "!":
            inner = self.truth(value.e)
            return None if inner is None else not inner
        if type(value) is Bin:
            op, a, b = value.op, value.a, value.b
            if op in ("==", "!=") and b == ZERO:
                inner = self.truth(a)
                if inner is not None:
                    return inner if op == "!=" else not inner
            if is_around(value):
                return True
            if op in ("&&", "||"):
                left, right = self.truth(a), self.truth(b)
                stop = op == "||"
                if left is stop or right is stop:
                    return stop
                return not stop if left is not None and right is not None else None
        if type(value) is Select:
            # ``error ?: 1`` is never zero.
            chosen = True if value.a == value.cond else self.truth(value.a)
            other = False if value.b == value.cond else self.truth(value.b)
            if chosen is other and chosen is not None:
                return chosen
        number = self.number(value)
        if number is None and self.known is not None:
            return truth(span(value, self.lookup, self.known))
        return None if number is None else bool(number)

    def is_positive(self, value: Value) -> bool:
        """Whether a comparison with zero has shown that a value is larger."""
        return (
            self.facts.get(Bin("<=", value, ZERO)) == 0
            or self.facts.get(Bin(">", value, ZERO), 0) != 0
        )

    def assume(self, value: Value, truth: bool) -> bool:
        """Add a condition; False when it contradicts what is known."""
        known = self.truth(value)
        if known is not None:
            return known is truth
        if value is None:
            return True
        if type(value) is Once and not value.read:
            return True  # the next read gives another value
        if type(value) is Un and value.op == "!":
            return self.assume(value.e, not truth)
        if type(value) is Bin:
            op, a, b = value.op, value.a, value.b
            if op in ("==", "!="):
                equal = (op == "==") is truth
                if b == ZERO:
                    return self.assume(a, not equal)
                if type(b) is Const and equal and a is not None and not _is_read_once(a):
                    self.facts[a] = b.number
            elif op in ("&&", "||") and truth is (op == "&&"):
                return self.assume(a, truth) and self.assume(b, truth)
        if not _is_read_once(value):
            self.facts[value] = truth if truth else 0
        return True

    def forget(self, value: Term, slots: Iterable[int] | None = None) -> bool:
        """A value is computed anew: drop what was known about the old one, and,
        as it has the same name, who else holds it (one of ``slots``, where the caller knows
        that). True when there was any."""
        named = type(value) is Result or type(value) is Once
        if named or type(value) is Local:
            stale = [k for k in self.facts if value in names_of(k)]
            places = [
                k
                for k, v in self.mem.items()
                if value in names_of(k) or (named and value in names_of(v))
            ]
        else:
            stale = [k for k in self.facts if mentions(k, value)]
            places = [k for k in self.mem if mentions(k, value)]
        for k in stale:
            del self.facts[k]
        for k in places:
            del self.mem[k]
        holders = (self.vals if slots is None else slots) if named else ()
        same = [n for n in holders if value in names_of(self.vals.get(n))]
        for slot in same:
            self.vals.pop(slot, None)
        return bool(stale or places or same)

    def holders(self) -> dict[Term, list[int]]:
        """The slots whose value is made of each result, or of a local variable."""
        found: dict[Term, list[int]] = {}
        for slot, value in self.vals.items():
            for name in names_of(value):
                found.setdefault(name, []).append(slot)
        return found

    # -- context -----------------------------------------------------------

    def count(self, counter: Counter, by: int, loc: int) -> None:
        """Add ``by`` to a counter; ``loc`` is where, in the function's table of places."""
        if counter == "preempt" and by > 0 and self.counts.preempt <= 0:
            self.pre_loc = loc
        moved = self.counts.counted(counter, by)
        self.over |= getattr(moved, counter) > _COUNT_MAX
        self.counts = moved.within(_COUNT_MIN, _COUNT_MAX)
        if self.counts.preempt <= 0:
            self.pre_loc = -1

    def set_irq(self, off: bool, loc: int) -> None:
        """Interrupts go off or on here; ``loc`` as for :meth:`count`."""
        self.irqs, self.irq_loc = (Irqs.OFF, loc) if off else (Irqs.ON, -1)

    def save_irq(self) -> Irqs:
        """Push the interrupt state; the saved value."""
        self.push(self.irqs)
        return self.irqs

    def push(self, saved: Irqs) -> None:
        """One more saved state, the innermost."""
        if len(self.saves) < _SAVES_MAX:
            self.saves = (*self.saves, saved)
        else:
            self.over = True

    def restore_irq(self, saved: Irqs | None) -> None:
        """Back to a saved state: a known one, else the last one saved here,
        else one that the caller saved."""
        if self.saves:
            last = self.saves[-1]
            self.saves = self.saves[:-1]
            self.irqs = last if saved is None else saved
        elif saved is not None:
            self.irqs = saved
        else:
            self.over |= self.pops >= _SAVES_MAX
            self.pops = min(self.pops + 1, _SAVES_MAX)
            self.irqs = Irqs.CALLERS
        if self.irqs != Irqs.OFF:
            self.irq_loc = -1

    def lock(self, kind: str, path: str, loc: int) -> None:
        """Take a lock: its kind (a key of ``rules/locks.yaml``) and the path of members that
        names it. Of more than the limit the outermost are kept.

        A lock that restricts nothing is kept once for reports, however often a loop takes
        it: it is no part of what tells states apart."""
        if kind in self.kinds.sleeping and any(
            held.kind == kind and held.path == path for held in self.locks
        ):
            return
        if len(self.locks) < _LOCKS_MAX:
            self.locks = (*self.locks, Lock(kind, path, loc))

    def kind_of(self, kind: str) -> str:
        """A kind of lock, as what it is inside."""
        return self.kinds.same.get(kind, kind)

    def unlock(self, kind: str, path: str) -> None:
        """Release: the same lock, else the last one of that kind, else one that
        the caller holds."""
        kind = self.kind_of(kind)
        for exact in (True, False):
            for i in range(len(self.locks) - 1, -1, -1):
                held = self.locks[i]
                if self.kind_of(held.kind) == kind and (not exact or held.path == path):
                    self.locks = self.locks[:i] + self.locks[i + 1 :]
                    return
        if kind in self.kinds.sleeping:
            return
        if len(self.released) < -_COUNT_MIN:
            self.released = tuple(sorted((*self.released, kind)))


def _is_read_once(value: Term) -> bool:
    """Whether a value holds for one read alone."""
    return any(type(term) is Once and not term.read for term in walk(value))


def merge(into: State, other: State, phi: str, flags: tuple[int, ...] = ()) -> bool:
    """Intersect what is known; True when ``into`` knows less than before.

    Slots with different values get a value of their own, named after ``phi``; those of
    ``flags`` keep the constants that they can be, as long as these are few. The two states
    are of one :meth:`State.strength`; locks of different names become one without.
    """
    changed = False
    if (locks := common_locks(into.locks, other.locks)) != into.locks:
        into.locks, changed = locks, True
    into.over |= other.over
    there: list[Term] = []
    holders: dict[Term, list[int]] = {}
    for slot, value in list(into.vals.items()):
        theirs = other.vals.get(slot)
        if theirs != value:
            holders = holders or into.holders()
            fresh = Result(f"{phi}.{slot}")
            merged: Term = one_of(value, theirs, fresh) if slot in flags else fresh
            if merged == fresh and _is_there(into, value) and _is_there(other, theirs):
                there.append(fresh)
                into.facts.pop(fresh, None)  # it comes back below
            into.vals.pop(slot, None)  # what else has the name is of an older round
            changed |= into.forget(fresh, holders.get(fresh, ())) or value != merged
            into.vals[slot] = merged
            for name in names_of(merged):
                holders.setdefault(name, []).append(slot)
    changed |= _intersect(into.facts, other.facts)
    into.facts.update(dict.fromkeys(there, True))
    changed |= _intersect(into.mem, other.mem)
    changed |= _intersect(into.conds, other.conds)
    if other.stated != into.stated and into.stated is not NOTHING_STATED:
        into.stated = NOTHING_STATED
        changed = True
    if other.irq_loc != into.irq_loc:
        into.irq_loc = min(into.irq_loc, other.irq_loc)
    if other.pre_loc != into.pre_loc:
        into.pre_loc = min(into.pre_loc, other.pre_loc)
    return changed


def _is_there(state: State, value: Value) -> bool:
    """Whether a value is known not to be zero, a pointer not to be NULL: by a test, or by what
    it is made of."""
    if value is None:
        return False
    if type(value) is Const:
        return value.number != 0
    return bool(state.facts.get(value)) or is_around(value)


def is_around(value: Term) -> bool:
    """Whether a pointer is what container_of() makes of one: the structure around something
    that is there."""
    return (
        type(value) is Bin
        and value.op == "-"
        and not value.bits
        and type(value.b) is Const
        and value.b.number != 0
    )


def _intersect(mine: dict[K, V], theirs: dict[K, V]) -> bool:
    """Drop what the other table does not have; whether there was any. True and 1 are equal
    in Python, and different facts."""
    gone = [k for k, v in mine.items() if (t := theirs.get(k)) != v or type(t) is not type(v)]
    for k in gone:
        del mine[k]
    return bool(gone)


def common_locks(mine: tuple[Lock, ...], theirs: tuple[Lock, ...]) -> tuple[Lock, ...]:
    """``mine`` without the paths of locks that are not among ``theirs``."""
    if mine == theirs:
        return mine
    left = [(lock.kind, lock.path) for lock in theirs]
    out = []
    for lock in mine:
        name = (lock.kind, lock.path)
        if name in left:
            left.remove(name)
            out.append(lock)
        else:
            out.append(Lock(lock.kind, "", lock.loc))
    return tuple(out)
