# SPDX-License-Identifier: GPL-2.0-or-later
"""What the effects of a rule do to the abstract state: the reader of rules for the analysis."""

from __future__ import annotations

from ctxlint.facts.clobbers import Changes
from ctxlint.facts.state import State
from ctxlint.facts.symbolic import expr_text
from ctxlint.ir import ops
from ctxlint.ir.unit import Function
from ctxlint.rulebook import effects as fx
from ctxlint.semantics.irqs import Irqs
from ctxlint.semantics.terms import (
    Addr,
    Bin,
    Const,
    Global,
    IrqsOff,
    Param,
    PreemptWord,
    Result,
    SavedFlags,
    Value,
)


class StateTarget:
    """A state of a function as what the effects of a rule act on; ``acquired`` collects the
    kinds of locks that are taken."""

    def __init__(
        self,
        fn: Function,
        acquired: set[str],
        state: State,
        op: ops.Call,
        args: tuple[Value, ...],
        op_id: str,
    ) -> None:
        self.fn = fn
        self.acquired = acquired
        self.state = state
        self.op = op
        self.args = args
        self.op_id = op_id

    def set_irqs(self, off: bool) -> None:
        """Interrupts go off here, or on."""
        self.state.set_irq(off, self.op.loc)

    def flags(self) -> Value:
        """The interrupt state, as flags hold it."""
        return SavedFlags(self.state.irqs)

    def save_irqs(self) -> Value:
        """The interrupt state, pushed."""
        return SavedFlags(self.state.save_irq())

    def restore_irqs(self, flags: Value) -> None:
        """Back to a saved state."""
        self.state.restore_irq(flags.irqs if isinstance(flags, SavedFlags) else None)

    def count(self, counter: fx.Counter, delta: int) -> None:
        """A section begins or ends."""
        self.state.count(counter, delta, self.op.loc)

    def lock(self, kind: str, argument: int, taken: bool) -> None:
        """A lock is taken or released; what it is called is what the source says."""
        given = 0 <= argument < len(self.op.args)
        path = expr_text(self.fn, self.op.args[argument]) if given else ""
        value = self.args[argument] if 0 <= argument < len(self.args) else None
        if isinstance(value, Param):
            # However it got here: this is what a caller has a name for.
            path = self.fn.vars[value.index].name
        if not taken:
            self.state.unlock(kind, path)
            Changes.dropped(self.state)
            return
        self.acquired.add(kind)
        self.state.lock(kind, path, self.op.loc)
        if 0 <= argument < len(self.args):
            self.state.assume(value, True)  # it was not NULL, then

    def write(self, pointer: Value, value: Value) -> None:
        """A value behind a pointer argument."""
        if isinstance(pointer, Addr) and value is not None:
            self.state.mem[pointer.place] = value

    def preempt_count(self) -> Value:
        """The preempt count, relative to the entry."""
        return PreemptWord(self.state.counts.preempt, self.state.counts.bh)

    def irqs_off(self, flags: Value) -> Value:
        """Whether saved flags say that interrupts were off."""
        if not isinstance(flags, SavedFlags):
            return None
        if flags.irqs in (Irqs.ON, Irqs.OFF):
            return Const(int(flags.irqs))
        return IrqsOff() if flags.irqs == Irqs.ENTRY else None

    def same(self, symbol: str) -> Value:
        """One value, however often it is asked for."""
        return Global(symbol)

    def within(self, mask: int) -> Value:
        """A result of which only these bits can be set."""
        return Bin("&", Result(self.op_id), Const(mask))
