# SPDX-License-Identifier: GPL-2.0-or-later
"""Execution context as a whole program sees it, and what it allows.

The order of wait types is lockdep's (include/linux/lockdep_types.h): an
operation that spins may be used everywhere, one of type ``config`` (spinlock_t
and all that is built on it) sleeps on PREEMPT_RT, one of type ``sleep`` sleeps
on every kernel. What each context allows was compared with the reports of real
kernels, cell by cell (tests/kernel_tree/groundtruth).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import msgspec

from ctxlint.rulebook import effects
from ctxlint.rulebook.schema import ContextState
from ctxlint.semantics.irqs import Irqs
from ctxlint.semantics.terms import ZERO, Bin, Const, IrqsOff, PreemptWord, Term
from ctxlint.semantics.waits import Wait

Phrases = Callable[[str], Iterable[effects.Effect]]

_MOST = (4, 2, 2, 0)
"""How deep each of the counters is followed from caller to callee: a context is told by what
is not zero, and a callee seldom ends more than one section of its callers. Each number more
is another context in which every function below is looked at. Migration forbids nothing."""


class Counts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What nests: sections with preemption off, with bottom halves off, RCU read-side
    sections, sections without migration. Numbers of a context, or differences."""

    preempt: int = 0
    bh: int = 0
    rcu: int = 0
    migrate: int = 0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        if other == NO_COUNTS:
            return self
        return Counts(
            self.preempt + other.preempt,
            self.bh + other.bh,
            self.rcu + other.rcu,
            self.migrate + other.migrate,
        )

    def at_least(self, other: Counts) -> Counts:
        """Each number no less than the other one: what holds in a known context by what a
        function states of its callers is the same section, not one more."""
        if other == NO_COUNTS:
            return self
        return Counts(
            max(self.preempt, other.preempt),
            max(self.bh, other.bh),
            max(self.rcu, other.rcu),
            max(self.migrate, other.migrate),
        )

    def counted(self, counter: effects.Counter, by: int) -> Counts:
        """With ``by`` more of one counter."""
        moved = {counter: getattr(self, counter) + by}
        changed: Counts = msgspec.structs.replace(self, **moved)
        return changed

    def nested(self) -> Counts:
        """As a context keeps them."""
        now = (self.preempt, self.bh, self.rcu, self.migrate)
        kept = tuple(max(0, min(n, most)) for n, most in zip(now, _MOST, strict=True))
        return self if kept == now else Counts(*kept)

    def within(self, least: int, most: int) -> Counts:
        """Each number no less than ``least`` and no more than ``most``."""
        if all(least <= n <= most for n in (self.preempt, self.bh, self.rcu, self.migrate)):
            return self
        return Counts(
            max(least, min(most, self.preempt)),
            max(least, min(most, self.bh)),
            max(least, min(most, self.rcu)),
            max(least, min(most, self.migrate)),
        )


NO_COUNTS = Counts()


class Lock(msgspec.Struct, frozen=True, array_like=True):
    """A lock taken here: its kind (rules/locks.yaml), its path as text, and the
    place, as an index in ``Summary.locs``."""

    kind: str
    path: str
    loc: int


class Delta(msgspec.Struct, frozen=True, array_like=True):
    """Execution context relative to the function's entry.

    ``counts`` are differences. ``irq_loc`` and ``pre_loc`` say where interrupts or
    preemption went off (-1: not here). ``stated`` are assertions that hold here, as
    (text, place): the interrupts that they state are in ``irqs``, and ``entered_with`` are
    counts that the caller has raised by them.
    """

    irqs: Irqs = Irqs.ENTRY
    counts: Counts = NO_COUNTS
    locks: tuple[Lock, ...] = ()
    irq_loc: int = -1
    pre_loc: int = -1
    stated: tuple[tuple[str, int], ...] = ()
    entered_with: Counts = NO_COUNTS


@dataclass(frozen=True, slots=True)
class Context:
    """An execution context. ``irqs_off``: None where it is not known.

    ``exact`` is False below a function whose callers are not known: counts are
    then lower bounds, and tests of the context can go either way.
    """

    irqs_off: bool | None = None
    counts: Counts = NO_COUNTS
    soft: bool = False
    hard: bool = False
    nmi: bool = False
    exact: bool = False
    name: str = ""

    def then(self, delta: Delta) -> Context:
        """The context at a point inside a function that was entered in this one."""
        off = self.irqs_off
        if delta.irqs != Irqs.ENTRY:
            off = None if delta.irqs == Irqs.CALLERS else delta.irqs == Irqs.OFF
        counts = self.counts.at_least(delta.entered_with).plus(delta.counts).nested()
        return replace(self, irqs_off=off, counts=counts)

    def after(self, changes: Iterable[effects.Effect], phrases: Phrases) -> Context:
        """The context after effects of a rule; ``phrases`` tells what holding a lock of
        a kind changes."""
        context = self
        for effect in changes:
            if isinstance(effect, effects.Irq):
                context = replace(context, irqs_off=effect.off)
            elif isinstance(effect, effects.Count):
                counts = context.counts.counted(effect.counter, effect.delta)
                context = replace(context, counts=counts.nested())
            elif isinstance(effect, effects.Lock | effects.Unlock):
                sign = 1 if isinstance(effect, effects.Lock) else -1
                held = [
                    replace(p, delta=sign * p.delta)
                    for p in phrases(effect.kind)
                    if isinstance(p, effects.Count)
                ]
                context = context.after(held, phrases)
        return context

    def allows(self, rt: bool) -> Wait:
        """The strictest wait type that is legal here."""
        counts = self.counts
        strict = self.nmi or self.hard or self.irqs_off or counts.preempt > 0
        if strict:
            return Wait.SPIN if rt else Wait.CONFIG
        if self.soft or counts.bh > 0 or counts.rcu > 0:
            return Wait.CONFIG
        return Wait.SLEEP

    def in_interrupt(self) -> bool:
        """As the kernel's test: interrupt, NMI, or bottom halves disabled."""
        return self.hard or self.soft or self.nmi or self.counts.bh > 0

    def word(self, pre: int, bh: int, rt: bool) -> int:
        """preempt_count() (include/linux/preempt.h); on PREEMPT_RT bottom halves
        are not counted there."""
        total = max(0, self.counts.preempt + pre)
        if not rt:
            total += (max(0, self.counts.bh + bh) * 2 + int(self.soft)) << 8
        return total | (int(self.hard) << 16) | (int(self.nmi) << 20)

    def lookup(self, value: Term, rt: bool) -> int | None:
        """Answer a context word, or a masked one, as far as it is known."""
        if type(value) is IrqsOff:
            return None if self.irqs_off is None else int(self.irqs_off)
        if type(value) is PreemptWord:
            return self.word(value.pre, value.bh, rt) if self.exact else None
        if self.exact or type(value) is not Bin or type(value.a) is not PreemptWord:
            return None
        word = self.word(value.a.pre, value.a.bh, rt)
        if not word:
            return None
        if value.op == "&" and type(value.b) is Const:
            return word & value.b.number or None
        if value.op in ("==", "!=") and value.b == ZERO:
            return int(value.op == "!=")
        return None

    @classmethod
    def of(cls, state: ContextState, name: str) -> Context:
        """From a rule's entry state."""
        return cls(
            irqs_off=state.irqs == "off",
            counts=Counts(state.preempt, state.bh, state.rcu, state.migrate).nested(),
            soft=state.softirq,
            hard=state.hardirq,
            nmi=state.nmi,
            exact=True,
            name=name,
        )

    def words(self) -> str:
        """The context in words, for a report."""
        parts = []
        if self.nmi:
            parts.append("in NMI")
        elif self.hard:
            parts.append("in hard interrupt")
        elif self.soft:
            parts.append("in softirq")
        if self.irqs_off:
            parts.append("interrupts off")
        if self.counts.preempt > 0:
            parts.append("preemption off")
        if self.counts.bh > 0 and not self.soft:
            parts.append("bottom halves off")
        if self.counts.rcu > 0:
            parts.append("RCU read side")
        return ", ".join(parts) or "preemptible"
