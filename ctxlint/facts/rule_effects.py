# SPDX-License-Identifier: GPL-2.0-or-later
"""What the effects of a rule do to the abstract state: the reader of rules for the analysis."""

from __future__ import annotations

from functools import cached_property

from ctxlint.facts.clobbers import Changes
from ctxlint.facts.shape import stable_slots
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


class Taken:
    """The locks that a function takes by calls of its own, or of its callees (``kinds``)."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.kinds: set[str] = set()
        self._named: dict[int, ops.Expr] = {}

    @cached_property
    def _stable(self) -> frozenset[int]:
        return stable_slots(self.fn)

    def take(self, state: State, kind: str, path: str, e: ops.Expr | None, loc: int) -> bool:
        """Let ``state`` hold a lock; False if it is one that it holds.

        Who waits for a lock of his own waits for ever, so it was released in between by
        something that was not understood, or the path cannot be. Whichever it is, the lock is
        held once. Not so a lock that its holder may take again (rwlock_t)."""
        self.kinds.add(kind)
        if e is not None and path and not state.kinds.shared & {kind}:
            for held in state.locks:
                if held.kind == kind and self._named.get(held.loc) == e and self._is_one(e):
                    return False
            self._named[loc] = e
        state.lock(kind, path, loc)
        return True

    def _is_one(self, e: ops.Expr) -> bool:
        """Whether an expression is the address of one object for the whole function: of a
        variable, or of what a pointer leads to that stays the same."""
        while isinstance(e, ops.Cast):
            e = e.e
        if isinstance(e, ops.Var):
            return e.slot in self._stable
        if not isinstance(e, ops.Addr):
            return False
        place = e.lvalue
        while isinstance(place, ops.Field):
            place = place.base
        if isinstance(place, ops.Deref):
            return self._is_one(place.ptr) and not isinstance(place.ptr, ops.Addr)
        return isinstance(place, ops.Global | ops.Var)


class StateTarget:
    """A state of a function as what the effects of a rule act on. ``tried``: the call may
    fail, and what is held then is another lock than it asks for."""

    def __init__(
        self,
        fn: Function,
        taken: Taken,
        state: State,
        op: ops.Call,
        args: tuple[Value, ...],
        op_id: str,
        *,
        tried: bool,
    ) -> None:
        self.fn = fn
        self.tried = tried
        self.taken = taken
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

    def lock(self, kind: str, argument: int, taken: bool) -> bool:
        """A lock is taken or released; what it is called is what the source says."""
        e = self.op.args[argument] if 0 <= argument < len(self.op.args) else None
        path = expr_text(self.fn, e) if e is not None else ""
        value = self.args[argument] if 0 <= argument < len(self.args) else None
        if isinstance(value, Param):
            # However it got here: this is what a caller has a name for.
            path = self.fn.vars[value.index].name
        if not taken:
            self.state.unlock(kind, path)
            Changes.dropped(self.state)
            return True
        asked = None if self.tried else e
        changes = self.taken.take(self.state, kind, path, asked, self.op.loc)
        if e is not None:
            self.state.assume(value, True)  # it was not NULL, then
        return changes

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
