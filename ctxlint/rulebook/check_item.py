# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks of one rule, without parsing its prototype. ``place`` says where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ctxlint.base.errors import RuleError
from ctxlint.rulebook import conditions, effects, prototypes
from ctxlint.rulebook.schema import Api, Choice, Effects

ENUMERATOR = re.compile(r"[A-Z_][A-Z0-9_]*")


def at(place: str, function: Any, *arguments: Any) -> Any:
    """Call, and put ``place`` in front of the message of a :class:`RuleError`."""
    try:
        return function(*arguments)
    except RuleError as error:
        raise RuleError(f"{place}: {error}", hint=error.hint) from error


def check_api(api: Api, place: str) -> None:
    """What a rule of a function says fits its prototype. Raises RuleError."""
    _check_effect(api.effect, api.prototype, place)
    for phrase in api.states:
        name = effects.argument(at(f"{place}.states", effects.parse_stated, phrase))
        if name:
            check_argument(name, api.prototype, f"{place}.states")
    _check_effect(Effects(any=api.before) if api.before else None, api.prototype, place)
    if api.runs:
        check_argument(api.runs, api.prototype, f"{place}.runs")
    if api.returns.startswith("irqs-disabled "):
        check_argument(api.returns.split()[1], api.prototype, f"{place}.returns")
    elif re.fullmatch(r"within (0x[0-9a-f]+|[0-9]+)", api.returns):
        pass
    elif api.returns not in ("", "preempt-count", "irq-flags", "irqs-disabled", "same"):
        raise RuleError(f"{place}.returns: unknown meaning `{api.returns}`")
    for number, called in enumerate(api.spins_if_all):
        here = f"{place}.spins_if_all[{number}].when"
        check_condition(called.when, called.prototype, here)
    for number, case in enumerate(api.requires):
        check_condition(case.when, api.prototype, f"{place}.requires[{number}].when")
        _tree(case.tree, f"{place}.requires[{number}].tree")


def _check_effect(effect: Effects | None, prototype: str, place: str) -> None:
    if effect is None:
        return
    for phrase in effect.any + effect.rt + effect.nort:
        name = effects.argument(at(f"{place}.effect", effects.parse, phrase))
        if name and name != effects.RESULT:
            check_argument(name, prototype, f"{place}.effect")


def check_argument(name: str, prototype: str, place: str) -> None:
    """The prototype has a parameter ``name``."""
    if not prototypes.mentions(prototype, name):
        raise RuleError(f"{place}: the prototype has no parameter `{name}`")


def check_condition(text: str, prototype: str | None, place: str) -> None:
    """Names are parameters, or enumerators and constants in capitals. Without a
    prototype they are members, which only the tree knows."""
    if not text:
        return
    for name in sorted(at(place, conditions.parse, text).names):
        if prototype is not None and not ENUMERATOR.fullmatch(name):
            check_argument(name, prototype, place)


def check_choices(choices: tuple[Choice, ...], prototype: str | None, place: str) -> None:
    """Conditions, trees and arguments of choices are well formed. Raises RuleError."""
    for number, choice in enumerate(choices):
        here = f"{place}.contexts[{number}]"
        check_condition(choice.when, prototype, f"{here}.when")
        _tree(choice.tree, f"{here}.tree")
        member, _, flag = choice.unless.partition("&")
        if choice.unless and not re.fullmatch(r"\w+\.\w+", member.strip()):
            raise RuleError(f"{here}.unless: write RECORD.FIELD or RECORD.FIELD & FLAG")
        check_condition(flag.strip(), "", f"{here}.unless")
        for name in (*choice.is_one_of, *((choice.made.arg,) if choice.made else ())):
            if prototype is None:
                raise RuleError(f"{here}: a member's rule has no argument `{name}`")
            check_argument(name, prototype, here)
        if choice.unless_called is not None:
            called = choice.unless_called
            check_condition(called.when, called.prototype, f"{here}.unless_called.when")
        if choice.made is not None:
            check_condition(choice.made.when, choice.made.prototype, f"{here}.made.when")


def _tree(text: str, place: str) -> None:
    if text and not re.fullmatch(r"!?[\w./*-]+:\w+", text):
        raise RuleError(f"{place}: write FILE:WORD or !FILE:WORD")


def unknown(place: str, what: str, name: str, known: Iterable[str]) -> RuleError:
    """The error of a name that is not one of ``known``."""
    return RuleError(
        f"{place}.{what}: unknown name `{name}`", hint=f"known: {', '.join(sorted(known))}"
    )
