# SPDX-License-Identifier: GPL-2.0-or-later
"""What a callee's summary means at a call: its values and its net effect."""

from __future__ import annotations

from collections.abc import Callable

from ctxlint.facts.state import State
from ctxlint.facts.summary import Outcome
from ctxlint.semantics.terms import Value, bounded, substitute


def at_caller(value: Value, args: tuple[Value, ...], st: State) -> Value:
    """A callee's value in the caller's terms: parameters and context words."""
    if not isinstance(value, tuple) or not value:
        return None
    kind = value[0]
    if kind == "pc":
        return ("pc", value[1] + st.pre, value[2] + st.bh)
    if kind == "fl":
        return ("fl", st.irq) if value[1] == -1 else value
    if kind == "io":
        return ("k", st.irq) if st.irq in (0, 1) else (("io",) if st.irq == -1 else None)
    if kind in ("v", "l"):
        return None  # names of the callee mean nothing here
    if kind in ("p", "k", "f", "g"):
        return substitute(value, args)
    if kind == "agg":
        members = tuple((n, at_caller(v, args, st)) for n, v in value[2])
        return bounded(("agg", value[1], members))
    if kind == "*":
        pointer = at_caller(value[1], args, st)
        return _read(pointer[1], st) if pointer and pointer[0] == "&" else None
    if kind == ".":
        base = value[1]
        if base[0] == "*":
            pointer = at_caller(base[1], args, st)
            if pointer is None:
                return None
            base = pointer[1] if pointer[0] == "&" else ("*", pointer)
        else:
            base = at_caller(base, args, st)
        place = None if base is None else bounded((".", base, *value[2:]))
        return None if place is None else _read(place, st)
    parts = []
    for part in value:
        if isinstance(part, tuple):
            part = at_caller(part, args, st)
            if part is None:
                return None
        parts.append(part)
    return bounded(tuple(parts))


def _read(place: Value, st: State) -> Value:
    return st.vals.get(place[1]) if place[0] == "l" else st.mem.get(place, place)


def apply_delta(
    st: State, outcome: Outcome, loc: int, called: Callable[[str], str] = str
) -> None:
    """The net change of one way to return, told at the call. ``called`` says how a lock is
    named there."""
    delta = outcome.delta
    for _ in range(outcome.pops):
        st.restore_irq(None)
    before = st.irq
    for saved in outcome.saves:
        st.push(before if saved == -1 else saved)
    if delta.irq == 1:
        st.set_irq(True, loc)
    elif delta.irq == 0:
        st.set_irq(False, loc)
    for name, by in (
        ("preempt", delta.pre), ("bh", delta.bh), ("rcu", delta.rcu), ("migrate", delta.mig),
    ):  # fmt: skip
        if by:
            st.count(name, by, loc)
    for kind in outcome.released:
        st.unlock(kind, "")
    for lock in delta.locks:
        st.lock(lock.kind, called(lock.path), loc)
