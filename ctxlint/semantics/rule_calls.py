# SPDX-License-Identifier: GPL-2.0-or-later
"""What a rule says of one call: arguments, requirement, legality, effects, result.

Two readers ask: the static analysis with abstract values, and the executable model with
numbers and symbols. Both bring a small adapter (:class:`Target`) for their own state;
the meaning of a rule is here alone. Where a rule's cases cannot be told apart,
:class:`Requirement` carries the weakest and the strictest that are possible, so neither
reader claims, or excludes, more than the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from ctxlint.ir.unit import Decl
from ctxlint.rulebook import effects as fx
from ctxlint.rulebook.book import ApiRule, Rulebook
from ctxlint.rulebook.conditions import choose
from ctxlint.semantics.waits import LEVELS, Wait

Lookup = Callable[[str], Any]
"""The value of a name in a rule's condition: a number, None when it is not known, or
what the reader can compare (a comparison then decides for it)."""


class RecordInit(msgspec.Struct, frozen=True, array_like=True):
    """Constant members of an initialised record (which ``regmap_config``)."""

    record: str
    variable: str
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a call requires. ``level``: the weakest wait type that any possible case has,
    ``most``: the strictest. ``why`` belongs to ``level``; ``certain`` is False when the
    case is only possible or the operation may or may not wait, ``possible`` is True when
    few of the drivers behind the call do."""

    level: Wait
    most: Wait
    certain: bool
    why: str
    possible: bool = False


class Situation(Protocol):
    """An execution context, as far as legality asks."""

    @property
    def name(self) -> str:
        """The key in ``rules/contexts.yaml`` that the path began in; ``""`` for none."""

    def in_interrupt(self) -> bool:
        """Whether ``in_interrupt()`` of the kernel would be true."""


class Target(Protocol):
    """The state that effects change. Values are the reader's own; ``None`` is one that
    is not known. Argument numbers may be -1: the tree's function has no such argument."""

    def set_irqs(self, off: bool) -> None:
        """Interrupts of this CPU go off or on."""

    def flags(self) -> Any:
        """Flags that stand for the interrupt state."""

    def save_irqs(self) -> Any:
        """The same, of which a restore is expected."""

    def restore_irqs(self, flags: Any) -> None:
        """Interrupts are as the saved flags say."""

    def count(self, counter: fx.Counter, delta: int) -> None:
        """A counter of the context changes by ``delta``."""

    def lock(self, kind: str, argument: int, taken: bool) -> bool:
        """The lock that an argument points to is taken or released; ``kind`` is a key of
        ``rules/locks.yaml``. False if that changes nothing."""

    def write(self, pointer: Any, value: Any) -> None:
        """Store a value behind a pointer argument."""

    def preempt_count(self) -> Any:
        """The preemption count as ``preempt_count()`` gives it."""

    def irqs_off(self, flags: Any) -> Any:
        """Whether saved flags say that interrupts were off."""

    def same(self, symbol: str) -> Any:
        """The one value that a function gives however often it is asked."""

    def within(self, mask: int) -> Any:
        """What a call gives that has no bits but those of a mask."""


def bind(rule: ApiRule, decl: Decl | None) -> dict[str, int]:
    """Argument index in the tree's function for each parameter of the rule; by position
    when the tree does not declare it."""
    if decl is not None:
        return rule.bind(decl.params)
    return {name: i for i, (name, _) in enumerate(rule.params)}


def lookup(
    bound: dict[str, int], args: Sequence[Any], number: Callable[[Any], Any], constant: Lookup
) -> Lookup:
    """Names in a condition: parameters of the rule by their argument (made comparable
    by ``number``), all others by ``constant``."""

    def find(name: str) -> Any:
        index = bound.get(name)
        if index is None:
            return constant(name)
        return number(args[index]) if index < len(args) else None

    return find


def requirement(
    rule: ApiRule,
    rt: bool,
    find: Lookup,
    inits: Iterable[RecordInit],
    calls: Collection[str],
) -> Requirement | None:
    """What a call requires; None when no case of the rule applies.

    ``inits`` are the structures that the caller's file initialises, ``calls`` the
    functions that it calls: a driver may choose a variant with either.
    """
    if rule.api.config is not None:
        return _configured(rule, inits, calls)
    cases = rule.cases(rt)
    if not cases:
        return None
    chosen = choose(cases, lambda case: case.when, find)
    if not chosen:
        return None
    case, word = min(chosen, key=lambda c: (LEVELS[c[0].level], c[0].certainty == "certain"))
    return Requirement(
        _relaxed(rule, LEVELS[case.level], calls),
        max(_relaxed(rule, LEVELS[c.level], calls) for c, _ in chosen),
        case.certainty == "certain" and word == "certain",
        case.why,
        case.certainty == "possible",
    )


def _configured(
    rule: ApiRule, inits: Iterable[RecordInit], calls: Collection[str]
) -> Requirement:
    """A requirement that the driver's own structure decides. With several structures in
    the file, which one it is is not known; with none, nothing is."""
    config = rule.api.config
    assert config is not None
    found = []
    for init in inits:
        if init.record.removeprefix("struct ") != config.record:
            continue
        values = dict(init.values)
        for fields, level, why in config.cases:
            if all(values.get(name) for name in fields):
                found.append((LEVELS[level], why))
                break
        else:
            found.append((LEVELS[config.otherwise], config.why))
    if not found:
        words = [config.otherwise, *(level for _, level, _ in config.cases)]
        most = max(_relaxed(rule, LEVELS[word], calls) for word in words)
        return Requirement(Wait.SPIN, most, False, "")
    weakest, why = min(found)
    return Requirement(
        _relaxed(rule, weakest, calls),
        max(_relaxed(rule, each, calls) for each, _ in found),
        True,
        why,
    )


def _relaxed(rule: ApiRule, level: Wait, calls: Collection[str]) -> Wait:
    """Some drivers choose a variant that spins, by a call in their own file."""
    if level == Wait.SLEEP and any(name in calls for name in rule.api.relaxed_by):
        return Wait.CONFIG
    return level


def legal(rule: ApiRule, context: Situation) -> bool:
    """Whether the rule allows the call here whatever its level says."""
    return any(
        (name == "in_interrupt" and context.in_interrupt()) or name == context.name
        for name in rule.api.legal_in
    )


def apply(
    rule: ApiRule,
    rt: bool,
    rules: Rulebook,
    bound: dict[str, int],
    args: Sequence[Any],
    target: Target,
) -> Any:
    """Let the effects of a call happen (``api.effect.on`` is the reader's to judge);
    the flags that it returns, None when it returns something else."""

    def argument(name: str) -> Any:
        index = bound.get(name, -1)
        return args[index] if 0 <= index < len(args) else None

    result = None
    for effect in rule.effects(rt):
        match effect:
            case fx.Irq(off):
                target.set_irqs(off)
            case fx.IrqSave(arg):
                flags = target.save_irqs()
                target.set_irqs(True)
                if arg == fx.RESULT:
                    result = flags
                else:
                    target.write(argument(arg), flags)
            case fx.IrqRestore(arg):
                target.restore_irqs(argument(arg))
            case fx.Count(counter, delta):
                target.count(counter, delta)
            case fx.Lock(kind, arg) | fx.Unlock(kind, arg):
                taken = isinstance(effect, fx.Lock)
                changes = target.lock(kind, bound.get(arg, -1), taken)
                for phrase in rules.phrases(kind, rt) if changes else ():
                    if isinstance(phrase, fx.Count):
                        delta = phrase.delta if taken else -phrase.delta
                        target.count(phrase.counter, delta)
    return result


def returned(rule: ApiRule, bound: dict[str, int], args: Sequence[Any], target: Target) -> Any:
    """What a call gives that the rule knows of; None when the rule says nothing."""
    word, _, arg = rule.api.returns.partition(" ")
    match word:
        case "same":
            return target.same(rule.symbol)
        case "within":
            return target.within(int(arg, 0))
        case "preempt-count":
            return target.preempt_count()
        case "irq-flags":
            return target.flags()
        case "irqs-disabled" if arg:
            index = bound.get(arg, -1)
            flags = args[index] if 0 <= index < len(args) else None
            return target.irqs_off(flags)
        case "irqs-disabled":
            return target.irqs_off(target.flags())
    return None


__all__ = [
    "Requirement", "Situation", "Target", "apply", "bind", "legal", "lookup", "requirement",
    "returned",
]  # fmt: skip
