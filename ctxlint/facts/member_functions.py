# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that a member can hold, as far as one file tells.

An operations structure that is defined in a .c file, and a constant one of that file,
hold what that file stores in them. So a lock that is taken through one is taken by
functions that can be looked at before the caller is summarised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ctxlint.facts.summary import Outcome, Store
from ctxlint.ir import ops
from ctxlint.ir.unit import Function
from ctxlint.semantics.terms import Field, Func, Global, Value

Member = tuple[str, str]


class Held:
    """``local`` are the records of a .c file (see :class:`~ctxlint.facts.symbolic.Reader`),
    ``constant`` the variables whose members never change."""

    def __init__(
        self, stores: Iterable[Store], local: Mapping[str, str], constant: frozenset[str]
    ) -> None:
        self._local = local
        self._of_records: dict[Member, set[str]] = {}
        self._of_objects: dict[tuple[str, Member], set[str]] = {}
        self._open: set[Member] = set()
        own = set(local.values())
        for store in stores:
            if not store.path:
                continue
            member = store.path[-1]
            function = store.value.symbol if isinstance(store.value, Func) else ""
            if member[0] in own:
                if function:
                    self._of_records.setdefault(member, set()).add(function)
                else:
                    self._open.add(member)
            if store.base in constant and len(store.path) == 1 and function:
                self._of_objects.setdefault((store.base, member), set()).add(function)

    def functions(self, target: Value) -> tuple[str, ...]:
        """What a call through a member may call; empty when this file does not tell."""
        if not isinstance(target, Field):
            return ()
        member = target.member
        if isinstance(target.base, Global):
            exact = self._of_objects.get((target.base.symbol, member))
            if exact:
                return tuple(sorted(exact))
        return () if member in self._open else tuple(sorted(self._of_records.get(member, ())))

    def callees(self, fn: Function) -> set[str]:
        """Functions that a function may call through members."""
        found: set[str] = set()
        for block in fn.blocks:
            for op in block.ops:
                called = op.fn if isinstance(op, ops.Call) else None
                if isinstance(called, ops.Field):
                    member = (self._local.get(called.record, called.record), called.name)
                    found |= self._of_records.get(member, set())
                    if isinstance(called.base, ops.Global):
                        found |= self._of_objects.get((called.base.symbol, member), set())
        return found


def one_effect(found: Iterable[tuple[Outcome, ...]]) -> tuple[Outcome, ...]:
    """The ways to return of several functions that all change the execution context alike,
    whatever they return; empty when they do not, or change nothing."""
    ways = list(found)
    effects = {tuple(sorted(repr(_effect(o)) for o in outcomes)) for outcomes in ways}
    return ways[0] if len(effects) == 1 and len(ways[0]) == 1 else ()


def _effect(outcome: Outcome) -> tuple[object, ...]:
    d = outcome.delta
    locks = tuple(sorted(lock.kind for lock in d.locks))
    return d.irqs, d.counts, locks, outcome.pops, outcome.saves, outcome.released
