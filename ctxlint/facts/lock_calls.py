# SPDX-License-Identifier: GPL-2.0-or-later
"""Which calls of a function take and release locks, by their rules or by their bodies."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property

from ctxlint.facts.believed import Balance
from ctxlint.facts.callee import at_caller
from ctxlint.facts.state import State
from ctxlint.facts.summary import Outcome
from ctxlint.ir import ops
from ctxlint.ir.unit import Function
from ctxlint.rulebook import effects as fx
from ctxlint.rulebook.book import Rulebook
from ctxlint.semantics.terms import Value


class LockCalls:
    """Of one function; ``outcomes`` are the ways to return of a callee, by symbol."""

    def __init__(
        self, fn: Function, rules: Rulebook, outcomes: Callable[[str], tuple[Outcome, ...]]
    ) -> None:
        self.fn = fn
        self.rules = rules
        self.outcomes = outcomes

    def takes(self, op: ops.Call) -> bool:
        """Whether a call takes a lock."""
        return self._has_phrase(op, fx.Lock, lambda outcome: bool(outcome.delta.locks))

    def releases(self, op: ops.Call) -> bool:
        """Whether a call releases a lock."""
        return self._has_phrase(op, fx.Unlock, lambda outcome: bool(outcome.released))

    def releases_more(self, mine: Outcome, other: Outcome) -> bool:
        """Whether the function releases more than it takes of what only the first of two
        ways to return leaves behind."""
        return self._balance.releases(mine, other)

    @cached_property
    def _balance(self) -> Balance:
        return Balance(self.fn, self._phrases, self._ways)

    def _has_phrase(
        self, op: ops.Call, kind: type[fx.Lock | fx.Unlock], body: Callable[[Outcome], bool]
    ) -> bool:
        phrases = self._phrases(op)
        if phrases is not None:
            return any(isinstance(phrase, kind) for phrase in phrases)
        return any(body(outcome) for outcome in self._ways(op))

    def _phrases(self, op: ops.Call) -> list[fx.Effect] | None:
        """The effects of a call by its rule; None when no rule tells any."""
        symbol = op.fn.symbol if isinstance(op.fn, ops.Func) else ""
        rule = self.rules.api(symbol) if symbol else None
        if rule is None or rule.api.effect is None:
            return None
        effect = rule.api.effect
        return [fx.parse(text) for text in (*effect.any, *effect.rt, *effect.nort)]

    def _ways(self, op: ops.Call) -> tuple[Outcome, ...]:
        return self.outcomes(op.fn.symbol if isinstance(op.fn, ops.Func) else "")


def paired_release(
    outcomes: tuple[Outcome, ...], st: State, args: tuple[Value, ...], taken: Collection[str]
) -> tuple[Outcome, ...]:
    """A helper that unlocks only under a condition of its own (its twin locks under the same
    one) unlocks what is held in a state, and nothing else; ``taken`` are the kinds of locks
    that the caller takes somewhere. Where the condition is the caller's to know, it
    decides."""
    kinds = {kind for outcome in outcomes for kind in outcome.released}
    releasing = [outcome for outcome in outcomes if outcome.released]
    if len(releasing) in (0, len(outcomes)):
        return outcomes
    if any(
        st.truth(at_caller(g.value, args, st)) is not None for o in outcomes for g in o.guards
    ):
        return outcomes
    if kinds & {st.kind_of(lock.kind) for lock in st.locks}:
        return tuple(o for o in outcomes if o.released)
    if kinds & {st.kind_of(kind) for kind in taken}:
        return tuple(o for o in outcomes if not o.released)
    return outcomes
