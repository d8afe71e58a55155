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


def fewer_outcomes(found: list[tuple[Outcome, State]], lose: Lose) -> list[Outcome]:
    """One way to return for each context: values are dropped, contexts never are;
    with many of those, names of locks."""
    names = len({st.context_key() for _, st in found}) <= limits.NAMED_MAX
    kept: dict[object, Outcome] = {}
    for outcome, st in found:
        key = st.context_key() if names else st.strength()
        delta = outcome.delta
        if key in kept:
            delta = msgspec.structs.replace(
                kept[key].delta, locks=common_locks(kept[key].delta.locks, delta.locks)
            )
        kept[key] = Outcome(delta, None, (), outcome.pops, outcome.saves, outcome.released)
    outcomes = [o for _, o in sorted(kept.items(), key=lambda kv: repr(kv[0]))]
    for outcome in outcomes[limits.OUTCOMES_MAX :]:
        lose("outcomes", outcome)
    return outcomes[: limits.OUTCOMES_MAX]


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
            -p.delta.counts.preempt,
            repr((*_context(p), p.guards, p.args, p.target)),
        ),
    )
    for point in ordered[limits.POINTS_PER_CALL :]:
        lose("points", (site, point))
    return tuple(ordered[: limits.POINTS_PER_CALL])


def _context(point: Point) -> tuple[object, ...]:
    d = point.delta
    locks = tuple((k.kind, k.path) for k in d.locks)
    return (d.irqs, d.counts, locks)


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
