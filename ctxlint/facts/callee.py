# SPDX-License-Identifier: GPL-2.0-or-later
"""What a callee's summary means at a call: its values and its net effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from ctxlint.facts.state import State
from ctxlint.facts.summary import Outcome
from ctxlint.rulebook.effects import Counter
from ctxlint.semantics.irqs import Irqs
from ctxlint.semantics.terms import (
    Addr,
    Agg,
    Const,
    Deref,
    Field,
    IrqsOff,
    Local,
    Param,
    PreemptWord,
    Result,
    SavedFlags,
    Term,
    Value,
    bounded,
    rebuilt,
)


def at_caller(value: Value, args: tuple[Value, ...], st: State) -> Value:
    """A callee's value in the caller's terms: parameters and context words."""

    def put(term: Value) -> Value:
        match term:
            case None | Result() | Local():
                return None  # names of the callee mean nothing here
            case Param():
                return args[term.index] if term.index < len(args) else None
            case PreemptWord():
                return PreemptWord(term.pre + st.counts.preempt, term.bh + st.counts.bh)
            case SavedFlags():
                return SavedFlags(st.irqs) if term.irqs == Irqs.ENTRY else term
            case IrqsOff():
                if st.irqs in (Irqs.ON, Irqs.OFF):
                    return Const(int(st.irqs))
                return term if st.irqs == Irqs.ENTRY else None
            case Deref():
                pointer = put(term.pointer)
                return _read(pointer.place, st) if isinstance(pointer, Addr) else None
            case Field():
                base = place(term.base)
                return None if base is None else _read(_field(base, term), st)
        new = rebuilt(term, put)
        if new is None or (None in new.parts() and not isinstance(new, Agg)):
            return None
        return bounded(new)

    def place(term: Value) -> Value:
        """The object that a member is of, which is not read for that."""
        if not isinstance(term, Deref):
            return put(term)
        pointer = put(term.pointer)
        if isinstance(pointer, Addr):
            return pointer.place
        return None if pointer is None else Deref(pointer)

    return put(value)


def _field(base: Term, term: Field) -> Value:
    return bounded(Field(base, term.record, term.name))


def _read(place: Value, st: State) -> Value:
    if isinstance(place, Local):
        return st.vals.get(place.slot)
    return None if place is None else st.mem.get(place, place)


def apply_delta(
    st: State, outcome: Outcome, loc: int, called: Callable[[str], str] = str
) -> None:
    """The net change of one way to return, told at the call. ``called`` says how a lock is
    named there."""
    delta = outcome.delta
    for _ in range(outcome.pops):
        st.restore_irq(None)
    before = st.irqs
    for saved in outcome.saves:
        st.push(before if saved == Irqs.ENTRY else saved)
    if delta.irqs in (Irqs.ON, Irqs.OFF):
        st.set_irq(delta.irqs == Irqs.OFF, loc)
    for counter in get_args(Counter):
        by = getattr(delta.counts, counter)
        if by:
            st.count(counter, by, loc)
    locks = [(lock.kind, called(lock.path)) for lock in delta.locks]
    for kind in outcome.released:
        again = [lock for lock in locks if (st.kind_of(lock[0]), lock[1]) == (kind, "")]
        if again:  # dropped for a while: what is taken again is the caller's
            locks.remove(again[0])
        else:
            st.unlock(kind, "")
    for kind, path in locks:
        st.lock(kind, path, loc)
