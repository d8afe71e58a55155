# SPDX-License-Identifier: GPL-2.0-or-later
"""Which ways to return of a callee its caller goes on from.

A function that leaves a lock held only sometimes tells its caller when: by its result, or by
conditions on what it was given that no way without the lock fulfils. Where it does not, the
way that leaves the lock is mostly a combination of conditions that the analysis could not rule
out, and everything after the call would be said to run under that lock. So it is believed only
where the caller releases more than it takes: then a helper with the same condition follows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import get_args

import msgspec

from ctxlint.facts.reduce import is_nonzero
from ctxlint.facts.summary import Guard, Outcome
from ctxlint.ir import ops
from ctxlint.ir.unit import Function
from ctxlint.rulebook import effects as fx
from ctxlint.semantics.irqs import Irqs
from ctxlint.semantics.terms import Bin, Const, Value

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


def with_untold(ways: Sequence[Outcome], *, few: bool = True) -> list[Outcome]:
    """The ways to return with those marked that leave more than another one, and that no
    caller can tell from it. Without ``few``, a limit has dropped some, and none is told."""
    return [
        msgspec.structs.replace(mine, untold=True)
        if any(
            _is_more(mine, other) and not (few and _tell_apart(mine, other)) for other in ways
        )
        else mine
        for mine in ways
    ]


def believed(
    outcomes: tuple[Outcome, ...], releases: Callable[[Outcome, Outcome], bool]
) -> tuple[Outcome, ...]:
    """Ways to return, without the untold ones that leave more than another one, unless the
    caller ``releases`` what the one leaves more than the other."""
    return tuple(
        mine
        for mine in outcomes
        if not mine.untold
        or not any(_is_more(mine, other) and not releases(mine, other) for other in outcomes)
    )


def followed(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """The ways to return of a function as its callers take them: none, as of one that changes
    nothing, where the function has lost track of a section. Then it begins one on some ways
    and ends one of the caller's on others, or leaves one in three balances or more, and no
    condition on its arguments says when."""
    for name in _COUNTERS:
        counts = {_count(o, name) for o in outcomes}
        if len(counts) < 2 or (len(counts) == 2 and min(counts) * max(counts) >= 0):
            continue
        for mine, other in combinations(outcomes, 2):
            a, b = _count(mine, name), _count(other, name)
            lost = a != b and (len(counts) > 2 or a * b < 0)
            if lost and not exclude_each_other(mine, other):
                return ()
    return outcomes


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
    the other one does not have, or by conditions on what it passed."""
    if exclude_each_other(mine, other):
        return True
    a, b = is_nonzero(mine.value), is_nonzero(other.value)
    if a is None and b is None:
        return False
    return mine.value != other.value


def exclude_each_other(mine: Outcome, other: Outcome) -> bool:
    """Whether the conditions of two ways to return cannot both hold."""
    return any(_contradict(g, h) for g in mine.guards for h in other.guards)


def _contradict(mine: Guard, other: Guard) -> bool:
    if mine.value == other.value:
        return mine.truth is not other.truth
    a, b = _number(mine), _number(other)
    return a is not None and b is not None and a[0] == b[0] and a[1] != b[1]


def _number(guard: Guard) -> tuple[Value, int] | None:
    """A value and the number that it is, if a guard says that."""
    value = guard.value
    if isinstance(value, Bin) and value.op == "==" and isinstance(value.b, Const):
        return (value.a, value.b.number) if guard.truth else None
    return None if guard.truth else (value, 0)


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
    """What some way to return releases and none takes, and what all of them take."""
    found: Counter[str] = Counter()
    left = [_kinds(o) - Counter(o.released) for o in ways]
    for kind in {kind for o in ways for kind in o.released}:
        found[kind] += not any(kind in kinds for kinds in left)
    for kind in set(left[0]).intersection(*left):
        found[kind] -= 1
    for name in _COUNTERS:
        counts = [_count(o, name) for o in ways]
        if max(counts) <= 0:
            found[name] -= min(counts)
        elif min(counts) > 0:
            found[name] -= 1
    if all(o.delta.irqs == Irqs.OFF for o in ways):
        found[_IRQS] -= 1
    elif all(o.delta.irqs != Irqs.OFF for o in ways):
        found[_IRQS] += any(o.pops or o.delta.irqs == Irqs.ON for o in ways)
    return found
