# SPDX-License-Identifier: GPL-2.0-or-later
"""Effect phrases of rules, parsed.

An effect says what a call changes in the execution context of its caller. The
grammar is in :mod:`ctxlint.rulebook.schema`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast, get_args

from ctxlint.base.errors import RuleError

RESULT = "RESULT"
"""Argument word for "the value that the call returns"."""

Counter = Literal["preempt", "bh", "rcu", "migrate"]


@dataclass(frozen=True, slots=True)
class Irq:
    """Interrupts are off (or on) after the call, whatever they were before."""

    off: bool


@dataclass(frozen=True, slots=True)
class IrqSave:
    """The interrupt state goes to ``arg`` (a parameter or ``RESULT``), then off."""

    arg: str


@dataclass(frozen=True, slots=True)
class IrqRestore:
    """The interrupt state becomes what ``arg`` holds."""

    arg: str


@dataclass(frozen=True, slots=True)
class Count:
    """A nesting counter moves by ``delta`` (+1 or -1)."""

    counter: Counter
    delta: int


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock of ``kind`` (rules/locks.yaml), named by parameter ``arg``, is taken; ``""`` for
    one that no parameter names."""

    kind: str
    arg: str


@dataclass(frozen=True, slots=True)
class Unlock:
    """A lock of ``kind``, named by parameter ``arg``, is released."""

    kind: str
    arg: str


@dataclass(frozen=True, slots=True)
class Held:
    """The lock that parameter ``arg`` points to is held; its type says of which kind it is
    (``types`` in rules/locks.yaml)."""

    arg: str


Effect = Irq | IrqSave | IrqRestore | Count | Lock | Unlock

Statement = Irq | Count | Held


@cache
def parse(phrase: str) -> Effect:
    """The effect that ``phrase`` names; :class:`RuleError` when it names none."""
    match phrase.split():
        case ["irq", "off"]:
            return Irq(True)
        case ["irq", "on"]:
            return Irq(False)
        case ["irq", "save", arg]:
            return IrqSave(arg)
        case ["irq", "restore", arg]:
            return IrqRestore(arg)
        case [counter, ("+1" | "-1") as delta] if counter in get_args(Counter):
            return Count(cast(Counter, counter), int(delta))
        case ["lock", kind, arg]:
            return Lock(kind, arg)
        case ["lock", kind]:
            return Lock(kind, "")
        case ["unlock", kind, arg]:
            return Unlock(kind, arg)
    raise RuleError(
        f"`{phrase}` is not an effect",
        hint='effects look like "irq save flags", "preempt +1" or "lock raw lock"',
    )


@cache
def parse_stated(phrase: str) -> Statement:
    """What an assertion states of the execution context where it stands;
    :class:`RuleError` for effects that change something instead."""
    match phrase.split():
        case ["held", arg]:
            return Held(arg)
        case ["irq", "off"] | [_, "+1"]:
            effect = parse(phrase)
            assert isinstance(effect, Irq | Count)
            return effect
    raise RuleError(
        f"`{phrase}` is nothing that an assertion states",
        hint='assertions state "irq off", "preempt +1", "bh +1" or "held lock"',
    )


def argument(effect: Effect | Statement) -> str:
    """The parameter that the effect speaks of, ``""`` when there is none."""
    return getattr(effect, "arg", "")


def check(effect: Effect, kinds: Collection[str]) -> None:
    """:class:`RuleError` when the lock kind of ``effect`` is not in ``kinds``."""
    kind = getattr(effect, "kind", None)
    if kind is not None and kind not in kinds:
        raise RuleError(
            f"unknown lock kind `{kind}`", hint=f"known kinds: {', '.join(sorted(kinds))}"
        )
