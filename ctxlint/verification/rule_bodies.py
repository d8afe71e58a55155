# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that a rule speaks of, at run time: their requirement and their effect.

The same rules as in the static analysis, on the state of the runtime: what a call
requires is compared with the execution context of the running task, and what it does to
that context happens.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ctxlint.ir.unit import Decl
from ctxlint.rulebook.book import ApiRule, Rulebook
from ctxlint.semantics import rule_calls
from ctxlint.semantics.context import Context, Counts
from ctxlint.semantics.rule_calls import RecordInit
from ctxlint.simulator.machine import Machine
from ctxlint.simulator.runtime.state import HARDIRQ_MASK, NMI_MASK, SOFTIRQ_MASK, Kernel, Report
from ctxlint.simulator.unknowns import Value
from ctxlint.verification.execution import Path

BY_RULE = "known from a rule, not run"
"""Why a report of a rule is not printed (``Report.suppressed``)."""


@dataclass(frozen=True)
class Known:
    """What the program says that rules ask for: declarations, enumerators and
    constants, the structures that a file initialises and the functions that it calls."""

    decls: Mapping[str, Decl]
    constant: Callable[[str], int | None]
    inits: Mapping[str, Sequence[RecordInit]] = field(default_factory=dict)
    calls: Mapping[str, Collection[str]] = field(default_factory=dict)


class RuleInterpreter:
    """For one execution. ``context`` is the name of the entry's execution context;
    ``undecided`` collects the calls of which the rule leaves open whether they are legal."""

    def __init__(self, path: Path, rules: Rulebook, known: Known, context: str) -> None:
        self.path = path
        self.rules = rules
        self.known = known
        self.context = context
        self.undecided: list[str] = []
        self._same: dict[str, Value] = {}

    def check(self, m: Machine, rule: ApiRule, args: tuple[Any, ...]) -> Report | None:
        """What the rule says of a call here; None when it is legal."""
        kernel: Kernel = m.runtime
        rt = kernel.config.rt
        bound = self.bind(rule)
        file = m.stack[-1].meta.fn.file if m.stack else ""
        need = rule_calls.requirement(
            rule,
            rt,
            # Symbols can be compared: where they decide, the execution forks.
            rule_calls.lookup(bound, args, lambda value: value, self.known.constant),
            self.known.inits.get(file, ()),
            self.known.calls.get(file, ()),
        )
        context = context_of(kernel, self.context).after(
            rule.before, lambda kind: self.rules.phrases(kind, rt)
        )
        allowed = context.allows(rt)
        if need is None or need.most <= allowed or rule_calls.legal(rule, context):
            return None
        if need.level <= allowed:
            if rule.show not in self.undecided:
                self.undecided.append(rule.show)
            return None
        verb = "sleeps" if need.certain else "may sleep"
        return Report(
            kind="sleeping",
            headline=f"{rule.show}() {verb}: {need.why}".rstrip(": "),
            cpu=kernel.cpu.number,
            task=kernel.task.comm,
            pid=kernel.task.pid,
            context=kernel.context(),
            frames=kernel.frames(),
            printed=False,
            suppressed=BY_RULE,
            certain=need.certain,
            time=kernel.now,
            facts={"operation": rule.symbol},
        )

    def bind(self, rule: ApiRule) -> dict[str, int]:
        """Argument numbers of the rule's parameters."""
        return rule_calls.bind(rule, self.known.decls.get(rule.symbol))

    def effect(self, m: Machine, rule: ApiRule, args: tuple[Any, ...], result: Any) -> Any:
        """What a call changes in the execution context; what it returns. ``result`` is
        an unknown of its type."""
        kernel: Kernel = m.runtime
        bound = self.bind(rule)
        target = _Target(self, m)
        special = rule_calls.returned(rule, bound, args, target)
        result = result if special is None else special
        on = rule.api.effect.on if rule.api.effect is not None else ""
        if on and bool(result != 0) != (on == "nonzero"):
            return result
        saved = rule_calls.apply(rule, kernel.config.rt, self.rules, bound, args, target)
        return result if saved is None else saved

    def same(self, symbol: str) -> Value:
        if symbol not in self._same:
            self._same[symbol] = self.path.fresh(f"{symbol}()", 8)
        return self._same[symbol]


class _Target:
    """The runtime as what effects act on. Saved flags are 0 or 0x80 (arm64's bit)."""

    def __init__(self, ruled: RuleInterpreter, m: Machine) -> None:
        self.ruled = ruled
        self.m = m
        self.kernel: Kernel = m.runtime

    def set_irqs(self, off: bool) -> None:
        self.kernel.cpu.irqs_off = off

    def flags(self) -> int:
        return int(self.kernel.cpu.irqs_off) << 7

    save_irqs = flags

    def restore_irqs(self, flags: Any) -> None:
        self.kernel.cpu.irqs_off = bool(self.irqs_off(flags))

    def count(self, counter: str, delta: int) -> None:
        count(self.kernel, counter, delta)

    def lock(self, kind: str, argument: int, taken: bool) -> bool:
        return True

    def write(self, pointer: Any, value: Any) -> None:
        if pointer is not None:
            self.m.store(pointer, self.m.image.pointer_bytes, value)

    def preempt_count(self) -> int:
        return self.kernel.task.preempt_count

    def irqs_off(self, flags: Any) -> Any:
        return 0 if flags is None else int(bool(flags != 0))

    def same(self, symbol: str) -> Value:
        return self.ruled.same(symbol)

    def within(self, mask: int) -> None:
        """Any value: more than the call gives, so what is refuted is refuted."""


def context_of(kernel: Kernel, name: str = "") -> Context:
    """The execution context of the running task, as the analysis has it."""
    task, cpu = kernel.task, kernel.cpu
    count = task.preempt_count
    return Context(
        irqs_off=bool(cpu.irqs_off),
        counts=Counts(
            count & 0xFF,
            task.softirq_disabled + ((count & SOFTIRQ_MASK) >> 9),
            task.rcu_depth,
            task.migration_disabled,
        ),
        soft=bool(count & 0x100),
        hard=bool(count & HARDIRQ_MASK),
        nmi=bool(count & NMI_MASK),
        exact=True,
        name=name,
    )


def count(kernel: Kernel, counter: str, delta: int) -> None:
    """Move a nesting counter; below 0 stays 0 (the caller's section ends)."""
    task = kernel.task
    if counter == "preempt":
        low = max(0, (task.preempt_count & 0xFF) + delta)
        task.preempt_count = (task.preempt_count & ~0xFF) | low
    elif counter == "bh":
        if kernel.config.rt:
            task.softirq_disabled = max(0, task.softirq_disabled + delta)
        else:
            task.preempt_count = max(0, task.preempt_count + 0x200 * delta)
    elif counter == "rcu":
        task.rcu_depth = max(0, task.rcu_depth + delta)
    else:
        task.migration_disabled = max(0, task.migration_disabled + delta)


__all__ = ["BY_RULE", "Known", "RuleInterpreter", "context_of", "count"]
