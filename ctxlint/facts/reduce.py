# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways to reach a call, and ways to return, no more of them than may be.

What is given up first is what no finding depends on: a guard rules a way out, the name
of a lock is for people to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from ctxlint.facts import limits
from ctxlint.facts.disjuncts import Lose
from ctxlint.facts.state import State, common_locks
from ctxlint.facts.summary import Outcome, Point
from ctxlint.semantics.terms import Addr, Const, Func, Result, Value


def fewer_outcomes(found: list[tuple[Outcome, State]], lose: Lose) -> list[Outcome]:
    """Ways to return that differ in context, and in whether the value is zero: which value
    it is and guards are dropped, contexts never are; with many of those, names of locks."""
    names = len({st.context_key() for _, st in found}) <= limits.NAMED_MAX
    kept: dict[tuple[object, bool | None], Outcome] = {}
    for outcome, st in found:
        context: object = st.context_key() if names else st.strength()
        key = (context, is_nonzero(outcome.value))
        kept[key] = both_ways(kept[key], outcome) if key in kept else outcome
    for key in [key for key in kept if key[1] is None]:
        # What may be either takes in those of which it is known.
        for known in (False, True):
            if (other := kept.pop((key[0], known), None)) is not None:
                kept[key] = both_ways(kept[key], other)
    outcomes = [o for _, o in sorted(kept.items(), key=lambda kv: repr(kv[0]))]
    for outcome in outcomes[limits.OUTCOMES_MAX :]:
        lose("outcomes", outcome)
    return outcomes[: limits.OUTCOMES_MAX]


def both_ways(mine: Outcome, other: Outcome) -> Outcome:
    """What is true of two ways to return of the same context."""
    value = mine.value
    if value != other.value:
        truth = is_nonzero(value)
        value = None if truth is None or is_nonzero(other.value) != truth else _SHOWN[truth]
    return msgspec.structs.replace(
        mine,
        delta=msgspec.structs.replace(
            mine.delta, locks=common_locks(mine.delta.locks, other.delta.locks)
        ),
        value=value,
        guards=tuple(g for g in mine.guards if g in other.guards),
        untold=mine.untold and other.untold,
    )


def is_nonzero(value: Value) -> bool | None:
    """Whether what a function returns is non-zero; None where it may be either."""
    if value == RETURNS_ZERO:
        return False
    if type(value) is Const:
        return bool(value.number)
    return True if value == RETURNS_NONZERO or isinstance(value, Func | Addr) else None


RETURNS_ZERO, RETURNS_NONZERO = Result("zero"), Result("nonzero")
"""Of a return value that means nothing to the caller: whether it is zero."""
_SHOWN = {False: RETURNS_ZERO, True: RETURNS_NONZERO}


def distinct_points(
    points: Iterable[Point], site: tuple[int, int], lose: Lose
) -> tuple[Point, ...]:
    """Distinct points, strictest context first. With too many of them, guards that
    differ are given up, then names of locks, then arguments."""
    found = _distinct(
        points, lambda p: (_context(p), p.guards, p.args, p.target, p.flags, p.known)
    )
    levels: tuple[Callable[[Point], object], ...] = (
        lambda p: (_context(p), p.args, p.target),
        lambda p: (_context(p)[:2], p.args, p.target),
        lambda p: (_context(p)[:2], p.target),
    )
    for level, key in enumerate(levels):
        if len(found) <= limits.POINTS_PER_CALL:
            break
        found = _distinct(found, key)
        if level == 2:
            lose("arguments", site)
    ordered = sorted(
        found,
        key=lambda p: (
            -p.delta.irqs,
            -p.delta.entered_with.plus(p.delta.counts).preempt,
            repr((*_context(p), p.guards, p.args, p.target)),
        ),
    )
    for point in ordered[limits.POINTS_PER_CALL :]:
        lose("points", (site, point))
    return tuple(ordered[: limits.POINTS_PER_CALL])


def _context(point: Point) -> tuple[object, ...]:
    d = point.delta
    locks = tuple((k.kind, k.path) for k in d.locks)
    return (d.irqs, (d.counts, d.entered_with), locks)


def _distinct(points: Iterable[Point], key: Callable[[Point], object]) -> list[Point]:
    """One point for each key, with what is true of all that have it."""
    seen: dict[object, Point] = {}
    for point in points:
        name = key(point)
        if name in seen:
            old = seen[name]
            locks = common_locks(old.delta.locks, point.delta.locks)
            point = Point(
                old.delta
                if locks == old.delta.locks
                else msgspec.structs.replace(old.delta, locks=locks),
                tuple(g for g in old.guards if g in point.guards),
                tuple(a for a in old.assumptions if a in point.assumptions),
                tuple(a if a == b else None for a, b in zip(old.args, point.args, strict=True)),
                old.target,
                tuple(f for f in old.flags if f in point.flags),
                tuple(g for g in old.known if g in point.known),
            )
        seen[name] = point
    return list(seen.values())
