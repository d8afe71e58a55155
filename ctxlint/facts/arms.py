# SPDX-License-Identifier: GPL-2.0-or-later
"""The arms of a switch, each with what holds in it."""

from __future__ import annotations

from functools import reduce

from ctxlint.facts.state import State
from ctxlint.ir import ops
from ctxlint.semantics.terms import Bin, Const, Term, Value

_LABELS_MAX = 8
"""Labels of one statement of a switch of which it is known that one holds."""


def switch_arms(term: ops.Switch, value: Value, st: State) -> list[tuple[int, State]]:
    """Where a switch over ``value`` goes from a state, and the state there."""
    number = st.number(value)
    if number is not None:
        for low, high, to in term.cases:
            if low <= number <= high:
                return [(to, st)]
        return [(term.default, st)]
    out = []
    other = st.copy()  # a range, or the default
    labels: dict[int, list[Term]] = {}
    for low, high, to in term.cases if value is not None else ():
        if low == high:
            labels.setdefault(to, []).append(Bin("==", value, Const(low)))
    for equals in labels.values():
        for equal in equals:
            other.assume(equal, False)
    for low, high, to in term.cases:
        arm = (st if low == high else other).copy()
        if low != high or value is None:
            out.append((to, arm))
        elif arm.assume(Bin("==", value, Const(low)), True):
            if 1 < len(labels[to]) <= _LABELS_MAX:
                # What holds where the labels of one statement meet.
                arm.facts[reduce(_either, labels[to])] = True
            out.append((to, arm))
    out.append((term.default, other))
    return out


def _either(a: Term, b: Term) -> Term:
    return Bin("||", a, b)
