# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that a rule speaks of, at run time: their requirement and their effect.

The same rules as in the static analysis, on the state of the runtime: what a call
requires is compared with the execution context of the running task, and what it does to
that context happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ctxlint.contexts.context import LEVELS, Context, Wait
from ctxlint.ir.unit import Decl
from ctxlint.model.explore.path import Path
from ctxlint.model.machine import Machine
from ctxlint.model.runtime.state import HARDIRQ_MASK, NMI_MASK, SOFTIRQ_MASK, Kernel, Report
from ctxlint.model.values import Value
from ctxlint.rulebook import effects
from ctxlint.rulebook.book import ApiRule, Rulebook
from ctxlint.rulebook.conditions import choose


class Ruled:
    """For one execution. ``context`` is the name of the entry's execution context,
    ``constant(name)`` gives the numbers of enumerators and constants in conditions."""

    def __init__(
        self,
        path: Path,
        rules: Rulebook,
        decls: Mapping[str, Decl],
        constant: Callable[[str], int | None],
        context: str,
    ) -> None:
        self.path = path
        self.rules = rules
        self.decls = decls
        self.constant = constant
        self.context = context
        self._same: dict[str, Value] = {}

    def judge(self, m: Machine, rule: ApiRule, args: tuple[Any, ...]) -> Report | None:
        """What the rule says of a call here; None when it is legal."""
        kernel: Kernel = m.runtime
        cases = rule.cases(kernel.config.rt)
        if not cases:
            return None
        lookup = self._lookup(rule, args)
        chosen = choose(cases, lambda c: c.when, lookup)
        if not chosen:
            return None
        case, word = max(chosen, key=lambda c: LEVELS[c[0].level])
        level = LEVELS[case.level]
        context = context_of(kernel, self.context)
        allowed = context.allows(kernel.config.rt)
        if level <= allowed or level == Wait.SPIN:
            return None
        if any(
            name == self.context or (name == "in_interrupt" and context.in_interrupt())
            for name in rule.api.legal_in
        ):
            return None
        may = case.certainty == "may" or word == "possible"
        verb = "may sleep" if may else "sleeps"
        return Report(
            kind="sleeping",
            headline=f"{rule.show}() {verb}: {case.why}".rstrip(": "),
            cpu=kernel.cpu.number,
            task=kernel.task.comm,
            pid=kernel.task.pid,
            context=kernel.context(),
            frames=kernel.frames(),
            printed=False,
            suppressed="known from a rule, not run",
            certain=not may,
            time=kernel.now,
            facts={"operation": rule.symbol},
        )

    def _lookup(self, rule: ApiRule, args: tuple[Any, ...]) -> Callable[[str], int | None]:
        bound = self._bind(rule)

        def lookup(name: str) -> int | None:
            if name in bound:
                index = bound[name]
                value = args[index] if index < len(args) else None
                return value if value.__class__ is int else None
            return self.constant(name)

        return lookup

    def _bind(self, rule: ApiRule) -> dict[str, int]:
        decl = self.decls.get(rule.symbol)
        if decl is not None:
            return rule.bind(decl.params)
        return {name: i for i, (name, _) in enumerate(rule.params)}

    def effect(self, kernel: Kernel, rule: ApiRule, args: tuple[Any, ...], result: Any) -> Any:
        """What a call changes in the execution context; what it returns. ``result`` is
        an unknown of its type."""
        special = self._special(kernel, rule, args)
        result = result if special is None else special
        on = rule.api.effect.on if rule.api.effect is not None else ""
        if on and bool(result != 0) != (on == "nonzero"):
            return result
        bound = self._bind(rule)
        for effect in rule.effects(kernel.config.rt):
            result = self._apply(kernel, effect, bound, args, result)
        return result

    def _special(self, kernel: Kernel, rule: ApiRule, args: tuple[Any, ...]) -> Value | None:
        word, _, arg = rule.api.returns.partition(" ")
        match word:
            case "preempt-count":
                return kernel.task.preempt_count
            case "irq-flags":
                return int(kernel.cpu.irqs_off) << 7
            case "irqs-disabled":
                if arg:
                    return int(bool(args[0] != 0)) if args else 0
                return int(kernel.cpu.irqs_off)
            case "same":
                if rule.symbol not in self._same:
                    self._same[rule.symbol] = self.path.fresh(f"{rule.show}()", 8)
                return self._same[rule.symbol]
        return None

    def _apply(
        self,
        kernel: Kernel,
        effect: effects.Effect,
        bound: Mapping[str, int],
        args: tuple[Any, ...],
        result: Any,
    ) -> Any:
        cpu = kernel.cpu
        match effect:
            case effects.Irq(off):
                cpu.irqs_off = off
            case effects.IrqSave(arg):
                flags = int(cpu.irqs_off) << 7
                cpu.irqs_off = True
                if arg == effects.RESULT:
                    return flags
            case effects.IrqRestore(arg):
                value = args[bound[arg]] if arg in bound and bound[arg] < len(args) else 0
                cpu.irqs_off = bool(value != 0)
            case effects.Count(counter, delta):
                count(kernel, counter, delta)
            case effects.Lock(kind):
                self._held(kernel, kind, 1)
            case effects.Unlock(kind):
                self._held(kernel, kind, -1)
        return result

    def _held(self, kernel: Kernel, kind: str, sign: int) -> None:
        for phrase in self.rules.phrases(kind, kernel.config.rt):
            if isinstance(phrase, effects.Count):
                count(kernel, phrase.counter, sign * phrase.delta)


def context_of(kernel: Kernel, name: str = "") -> Context:
    """The execution context of the running task, as the analysis has it."""
    task, cpu = kernel.task, kernel.cpu
    count = task.preempt_count
    return Context(
        irq=int(cpu.irqs_off),
        pre=count & 0xFF,
        bh=task.softirq_disabled + ((count & SOFTIRQ_MASK) >> 9),
        rcu=task.rcu_depth,
        mig=task.migration_disabled,
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


__all__ = ["Ruled", "context_of", "count"]
