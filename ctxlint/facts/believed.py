# SPDX-License-Identifier: GPL-2.0-or-later
"""Which ways to return of a callee its caller goes on from.

A function that leaves a lock held only sometimes tells its caller when: by its result, or by
a condition on what it was given. Where it does not, the way that leaves the lock is mostly a
combination of conditions that the analysis could not rule out, and everything after the call
would be said to run under that lock. So it is believed only where the caller releases more
than it takes: then a helper with the same condition follows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import get_args

from ctxlint.facts.reduce import is_nonzero
from ctxlint.facts.summary import Outcome
from ctxlint.ir import ops
from ctxlint.ir.unit import Function
from ctxlint.rulebook import effects as fx
from ctxlint.semantics.irqs import Irqs

_COUNTERS = get_args(fx.Counter)
_IRQS = "irq"


class Balance:
    """What the calls of one function take and release: kinds of locks, counters, and the
    interrupts. ``phrases`` are the effects of a call by its rule (None: no rule tells),
    ``outcomes`` the ways to return of a call without one."""

    def __init__(
        self,
        fn: Function,
        phrases: Callable[[ops.Call], Iterable[fx.Effect] | None],
        outcomes: Callable[[ops.Call], tuple[Outcome, ...]],
    ) -> None:
        self._released: Counter[str] = Counter()
        for block in fn.blocks:
            for op in block.ops:
                if not isinstance(op, ops.Call):
                    continue
                known = phrases(op)
                if known is not None:
                    self._released.update(_by_rule(known))
                elif ways := outcomes(op):
                    self._released.update(_by_body(ways))

    def releases(self, mine: Outcome, other: Outcome) -> bool:
        """Whether the function releases more, of what one way to return leaves beyond
        another, than it takes."""
        locks = _kinds(mine) - _kinds(other)
        if locks:
            return any(self._released[kind] > 0 for kind in locks)
        found = {name for name in _COUNTERS if _count(mine, name) > _count(other, name)}
        if mine.delta.irqs != other.delta.irqs:
            found.add(_IRQS)
        return any(self._released[name] > 0 for name in found)


def believed(
    outcomes: tuple[Outcome, ...], releases: Callable[[Outcome, Outcome], bool]
) -> tuple[Outcome, ...]:
    """Ways to return, without those that leave more than another one, and that a caller
    cannot tell from it, unless it ``releases`` what the one leaves more than the other."""
    if len(outcomes) < 2:
        return outcomes
    return tuple(
        mine
        for mine in outcomes
        if not any(
            _is_more(mine, other) and not _tell_apart(mine, other) and not releases(mine, other)
            for other in outcomes
        )
    )


def least_often(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Ways to return, without those that differ from another one in nothing but how often
    something is held or was released: a loop was not seen to end."""
    return tuple(
        mine
        for mine in outcomes
        if not any(
            _is_again(mine, other) and not _tell_apart(mine, other) for other in outcomes
        )
    )


def _is_again(mine: Outcome, other: Outcome) -> bool:
    """Whether one way to return takes and releases what another one does, only more often."""
    if mine.delta.irqs != other.delta.irqs:
        return False
    pairs = [
        (_kinds(mine), _kinds(other)),
        (Counter(mine.released), Counter(other.released)),
        (_moved(mine, 1), _moved(other, 1)),
        (_moved(mine, -1), _moved(other, -1)),
        (Counter({_IRQS: mine.pops}), Counter({_IRQS: other.pops})),
    ]
    return any(a != b for a, b in pairs) and all(
        a >= b and set(+a) == set(+b) for a, b in pairs
    )


def _moved(outcome: Outcome, sign: int) -> Counter[str]:
    """The counters that moved up (or down, for -1), by how much."""
    counts = {name: sign * _count(outcome, name) for name in _COUNTERS}
    return Counter({name: n for name, n in counts.items() if n > 0})


def _is_more(mine: Outcome, other: Outcome) -> bool:
    """Whether a way to return restricts callers more than another, and in nothing less."""
    a, b = mine.delta, other.delta
    if mine.released != other.released or mine.pops != other.pops:
        return False
    if a.irqs != b.irqs and a.irqs != Irqs.OFF:
        return False
    counts = [(_count(mine, name), _count(other, name)) for name in _COUNTERS]
    more = a.irqs != b.irqs or any(x > y for x, y in counts)
    return more and all(x >= y for x, y in counts)


def _tell_apart(mine: Outcome, other: Outcome) -> bool:
    """Whether a caller can know which of two ways a function has returned: by a value that
    the other one does not have, or by a condition on what it passed."""
    if any(guard not in other.guards for guard in mine.guards):
        return True
    a, b = is_nonzero(mine.value), is_nonzero(other.value)
    if a is None and b is None:
        return False
    return mine.value != other.value


def _kinds(outcome: Outcome) -> Counter[str]:
    return Counter(lock.kind for lock in outcome.delta.locks)


def _count(outcome: Outcome, counter: str) -> int:
    number: int = getattr(outcome.delta.counts, counter)
    return number


def _by_rule(phrases: Iterable[fx.Effect]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for phrase in phrases:
        match phrase:
            case fx.Unlock(kind, _):
                found[kind] += 1
            case fx.Lock(kind, _):
                found[kind] -= 1
            case fx.Count(counter, delta):
                found[counter] -= delta
            case fx.IrqRestore() | fx.Irq(off=False):
                found[_IRQS] += 1
            case _:
                found[_IRQS] -= 1
    return found


def _by_body(ways: tuple[Outcome, ...]) -> dict[str, int]:
    """What some way to return releases, and what all of them take."""
    found: Counter[str] = Counter()
    taken = [_kinds(o) - Counter(o.released) for o in ways]
    for kind in {kind for o in ways for kind in o.released}:
        found[kind] += 1
    for kind in set(taken[0]).intersection(*taken):
        found[kind] -= 1
    for name in _COUNTERS:
        counts = [_count(o, name) for o in ways]
        found[name] += -min(counts) if min(counts) < 0 else -1 if min(counts) > 0 else 0
    irqs = [o.delta.irqs for o in ways]
    if any(o.pops or o.delta.irqs == Irqs.ON for o in ways):
        found[_IRQS] += 1
    elif all(irq == Irqs.OFF for irq in irqs):
        found[_IRQS] -= 1
    return found
