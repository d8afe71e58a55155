# SPDX-License-Identifier: GPL-2.0-or-later
"""Sets of numbers as intervals, and what an expression over them can be.

A set is a tuple of ``(low, high)``, in order and apart; None is any number. Terms do not
say the type of an operand that was widened, so a number may be meant in two's complement
where it is negative: such sets are compared for equality alone.
"""

from __future__ import annotations

from collections.abc import Callable

from ctxlint.semantics.terms import (
    Addr,
    Bin,
    Const,
    Func,
    Lookup,
    Once,
    Select,
    Term,
    Un,
    Value,
    evaluate,
    nothing,
)

Span = tuple[tuple[int, int], ...]
Spans = Callable[[Term], "Span | None"]

INTERVALS_MAX = 16
_POINTS_MAX = 64
_DEPTH_MAX = 10

EMPTY: Span = ()
TRUTHS: Span = ((0, 1),)
POINTER: Span = ((4096, (1 << 64) - 4097),)
"""An address of something: neither NULL nor one of the last 4095, which are errors
(include/linux/err.h, MAX_ERRNO)."""

_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}


def point(number: int) -> Span:
    """The set that has one number."""
    return ((number, number),)


def join(a: Span | None, b: Span | None) -> Span | None:
    """Numbers of either; with too many gaps, the smallest are closed."""
    if a is None or b is None:
        return None
    out: list[tuple[int, int]] = []
    for low, high in sorted((*a, *b)):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    while len(out) > INTERVALS_MAX:
        at = min(range(len(out) - 1), key=lambda i: out[i + 1][0] - out[i][1])
        out[at : at + 2] = [(out[at][0], out[at + 1][1])]
    return tuple(out)


def meet(a: Span, b: Span) -> Span:
    """Numbers of both."""
    return tuple(
        (max(la, lb), min(ha, hb)) for la, ha in a for lb, hb in b if max(la, lb) <= min(ha, hb)
    )


def within(a: Span, low: int, high: int) -> bool:
    """Whether all numbers of a set lie from ``low`` to ``high``."""
    return not a or (a[0][0] >= low and a[-1][1] <= high)


def points(a: Span) -> tuple[int, ...] | None:
    """The numbers, when there are few."""
    count = sum(high - low + 1 for low, high in a)
    if count > _POINTS_MAX:
        return None
    return tuple(n for low, high in a for n in range(low, high + 1))


def truth(a: Span | None) -> bool | None:
    """Whether a number of the set is non-zero."""
    if not a:
        return None
    if not any(low <= 0 <= high for low, high in a):
        return True
    return False if a == ((0, 0),) else None


def span(value: Value, lookup: Lookup, known: Spans, depth: int = 0) -> Span | None:
    """The numbers that a value can be. ``known`` tells those of terms, ``lookup`` of
    terms that are one number."""
    if value is None or depth > _DEPTH_MAX:
        return None
    number = evaluate(value, lookup)
    if number is not None:
        # An address is some number, and "not NULL" is not a number.
        return POINTER if type(value) in _POINTERS else point(number)
    found = known(value)
    if found is not None:
        return found
    if type(value) is Once:
        return known(value.place)
    if type(value) in _POINTERS:
        return POINTER
    if type(value) is Un:
        inner = span(value.e, lookup, known, depth + 1)
        if value.op != "!" or inner is None:
            return TRUTHS if value.op == "!" else None
        is_true = truth(inner)
        return TRUTHS if is_true is None else point(int(not is_true))
    if type(value) is Select:
        chosen = truth(span(value.cond, lookup, known, depth + 1))
        a = span(value.a, lookup, known, depth + 1) if chosen is not False else EMPTY
        b = span(value.b, lookup, known, depth + 1) if chosen is not True else EMPTY
        return join(a, b)
    if type(value) is Bin:
        return _binary(value, lookup, known, depth)
    return None


_POINTERS = frozenset({Addr, Func})


def _binary(value: Bin, lookup: Lookup, known: Spans, depth: int) -> Span | None:
    op = value.op
    a = span(value.a, lookup, known, depth + 1)
    b = span(value.b, lookup, known, depth + 1)
    if op in ("&&", "||"):
        left, right = truth(a), truth(b)
        stop = op == "||"
        if left is stop or right is stop:
            return point(1 if stop else 0)
        return TRUTHS if None in (left, right) else point(0 if stop else 1)
    if op in _FLIPPED:
        return _compared(op, a, b)
    if op == "&":
        return _masked(a, b)
    if a is None or b is None:
        return None
    some, others = points(a), points(b)
    if some is None or others is None or len(some) * len(others) > _POINTS_MAX:
        return None
    found: Span | None = EMPTY
    for x in some:
        for y in others:
            term = Bin(op, Const(x), Const(y), value.bits, value.signed)
            number = evaluate(term, nothing)
            found = None if number is None else join(found, point(number))
            if found is None:
                return None
    return found


def _masked(a: Span | None, b: Span | None) -> Span | None:
    """``a & b``: no more than the smaller of two that are not negative."""
    some = None if a is None else points(a)
    others = None if b is None else points(b)
    if some is not None and others is not None and len(some) * len(others) <= _POINTS_MAX:
        found: Span | None = EMPTY
        for x in some:
            for y in others:
                found = join(found, point(x & y))
        return found
    tops = [s[-1][1] for s in (a, b) if s and s[0][0] >= 0]
    return ((0, min(tops)),) if tops else None


def _compared(op: str, a: Span | None, b: Span | None) -> Span:
    if not a or not b:
        return TRUTHS
    negative = a[0][0] < 0 or b[0][0] < 0
    if op in ("==", "!="):
        if negative:
            # One side may have been converted to an unsigned type of either width.
            modulus = 1 << 32
            some, others = points(a), points(b)
            if some is None or others is None:
                return TRUTHS
            if {x % modulus for x in some} & {y % modulus for y in others}:
                return (
                    point(int(op == "=="))
                    if len(some) == len(others) == 1 and (some == others)
                    else TRUTHS
                )
            return point(int(op == "!="))
        if not meet(a, b):
            return point(int(op == "!="))
        if a == b and a[0][0] == a[-1][1] and a != POINTER:
            return point(int(op == "=="))
        return TRUTHS
    if negative:
        return TRUTHS
    low_a, high_a, low_b, high_b = a[0][0], a[-1][1], b[0][0], b[-1][1]
    if op in (">", ">="):
        low_a, high_a, low_b, high_b = low_b, high_b, low_a, high_a
        op = _FLIPPED[op]
    if op == "<":
        always, never = high_a < low_b, low_a >= high_b
    else:
        always, never = high_a <= low_b, low_a > high_b
    return point(1) if always else point(0) if never else TRUTHS


def limited(value: Term, a: Span, facts: dict[Term, int | bool]) -> Span:
    """Of the numbers of a set those for which the facts about a value hold."""
    for term, fact in facts.items():
        if term == value:
            a = _without(a, 0) if fact is True else meet(a, point(int(fact)))
        elif type(term) is Bin and term.op in _FLIPPED and (fact is True or fact in (0, 1)):
            op = term.op
            if term.a == value and type(term.b) is Const:
                number = term.b.number
            elif term.b == value and type(term.a) is Const:
                number, op = term.a.number, _FLIPPED[op]
            else:
                continue
            if not bool(fact):
                op = _OPPOSITE[op]
            a = _cut(a, op, number)
    return a


def _without(a: Span, number: int) -> Span:
    out: list[tuple[int, int]] = []
    for low, high in a:
        if low <= number <= high:
            out += [(x, y) for x, y in ((low, number - 1), (number + 1, high)) if x <= y]
        else:
            out.append((low, high))
    return tuple(out)


def _cut(a: Span, op: str, number: int) -> Span:
    if op in ("==", "!="):
        if number < 0 or (a and a[0][0] < 0):
            return a
        return meet(a, point(number)) if op == "==" else _without(a, number)
    if number < 0 or (a and a[0][0] < 0):
        return a  # signed or not: the term does not say
    if op == "<":
        return meet(a, ((-1, number - 1),))
    if op == "<=":
        return meet(a, ((-1, number),))
    top = 1 << 64
    return meet(a, ((number + 1 if op == ">" else number, top),))


__all__ = [
    "EMPTY", "POINTER", "TRUTHS", "Span", "Spans", "join", "limited", "meet", "point",
    "points", "span", "truth", "within",
]  # fmt: skip
