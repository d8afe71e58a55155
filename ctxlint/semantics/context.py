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
from typing import Any

import msgspec

from ctxlint.rulebook import effects
from ctxlint.rulebook.schema import ContextState
from ctxlint.semantics.terms import ZERO, Bin, Const, IrqsOff, PreemptWord, Term
from ctxlint.semantics.waits import Wait

Phrases = Callable[[str], Iterable[effects.Effect]]

_CAP = 4
_COUNTERS = {"preempt": "pre", "bh": "bh", "rcu": "rcu", "migrate": "mig"}


class Lock(msgspec.Struct, frozen=True, array_like=True):
    """A lock taken here: its kind (rules/locks.yaml), its path as text, and the
    place, as an index in ``Summary.locs``."""

    kind: str
    path: str
    loc: int


class Delta(msgspec.Struct, frozen=True, array_like=True):
    """Execution context relative to the function's entry.

    ``irq``: -1 as at entry, 0 on, 1 off, -2 as before the caller's last save.
    Counts are differences. ``irq_loc`` and ``pre_loc`` say where interrupts or
    preemption went off (-1: not here). ``stated`` are assertions that hold here, as
    (text, place): what they state of the caller is part of the other members.
    """

    irq: int = -1
    pre: int = 0
    bh: int = 0
    rcu: int = 0
    mig: int = 0
    locks: tuple[Lock, ...] = ()
    irq_loc: int = -1
    pre_loc: int = -1
    stated: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """An execution context. ``irq``: 1 off, 0 on, -1 not known.

    ``exact`` is False below a function whose callers are not known: counts are
    then lower bounds, and tests of the context can go either way.
    """

    irq: int = -1
    pre: int = 0
    bh: int = 0
    rcu: int = 0
    mig: int = 0
    soft: bool = False
    hard: bool = False
    nmi: bool = False
    exact: bool = False
    name: str = ""

    def then(self, delta: Delta) -> Context:
        """The context at a point inside a function that was entered in this one."""
        irq = self.irq if delta.irq == -1 else (-1 if delta.irq == -2 else delta.irq)
        return replace(
            self,
            irq=irq,
            pre=_cap(self.pre + delta.pre),
            bh=_cap(self.bh + delta.bh),
            rcu=_cap(self.rcu + delta.rcu),
            mig=_cap(self.mig + delta.mig),
        )

    def after(self, changes: Iterable[effects.Effect], phrases: Phrases) -> Context:
        """The context after effects of a rule; ``phrases`` tells what holding a lock of
        a kind changes."""
        context = self
        for effect in changes:
            if isinstance(effect, effects.Irq):
                context = replace(context, irq=int(effect.off))
            elif isinstance(effect, effects.Count):
                name = _COUNTERS[effect.counter]
                moved: Any = _cap(getattr(context, name) + effect.delta)
                context = replace(context, **{name: moved})
            elif isinstance(effect, effects.Lock | effects.Unlock):
                sign = 1 if isinstance(effect, effects.Lock) else -1
                counts = [p for p in phrases(effect.kind) if isinstance(p, effects.Count)]
                held = [replace(p, delta=sign * p.delta) for p in counts]
                context = context.after(held, phrases)
        return context

    def allows(self, rt: bool) -> Wait:
        """The strictest wait type that is legal here."""
        if rt:
            if self.nmi or self.hard or self.irq == 1 or self.pre > 0:
                return Wait.SPIN
            if self.soft or self.bh > 0 or self.rcu > 0:
                return Wait.CONFIG
            return Wait.SLEEP
        if self.nmi or self.hard or self.soft or self.irq == 1:
            return Wait.CONFIG
        return Wait.CONFIG if self.pre > 0 or self.bh > 0 or self.rcu > 0 else Wait.SLEEP

    def in_interrupt(self) -> bool:
        """As the kernel's test: interrupt, NMI, or bottom halves disabled."""
        return self.hard or self.soft or self.nmi or self.bh > 0

    def word(self, pre: int, bh: int, rt: bool) -> int:
        """preempt_count() (include/linux/preempt.h); on PREEMPT_RT bottom halves
        are not counted there."""
        total = max(0, self.pre + pre)
        if not rt:
            total += (max(0, self.bh + bh) * 2 + int(self.soft)) << 8
        return total | (int(self.hard) << 16) | (int(self.nmi) << 20)

    def lookup(self, value: Term, rt: bool) -> int | None:
        """Answer a context word, or a masked one, as far as it is known."""
        if type(value) is IrqsOff:
            return None if self.irq == -1 else self.irq
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
            irq=int(state.irqs == "off"),
            pre=state.preempt,
            bh=state.bh,
            rcu=state.rcu,
            mig=state.migrate,
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
        if self.irq == 1:
            parts.append("interrupts off")
        if self.pre > 0:
            parts.append("preemption off")
        if self.bh > 0 and not self.soft:
            parts.append("bottom halves off")
        if self.rcu > 0:
            parts.append("RCU read side")
        return ", ".join(parts) or "preemptible"


def _cap(n: int) -> int:
    return max(0, min(_CAP, n))
