# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules for one tree: cases and choices that speak of other kernels are left out.

What a kernel does changes from version to version, and distributions take changes to
older ones. A rule therefore asks whether the tree has something, never for a version.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import msgspec

from ctxlint.rulebook.book import RegistrationRule, Rulebook
from ctxlint.rulebook.schema import Case, Choice

Read = Callable[[str], "str | None"]
"""The text of a file of the tree; None when there is none."""


def outcomes(book: Rulebook, read: Read) -> dict[str, bool]:
    """Whether each ``tree`` condition of the rules holds. Each file is read once."""
    texts: dict[str, str] = {}
    found: dict[str, bool] = {}
    for condition in book.tree_conditions:
        file, _, word = condition.removeprefix("!").partition(":")
        if file not in texts:
            texts[file] = read(file) or ""
        has = re.search(rf"\b{re.escape(word)}\b", texts[file]) is not None
        found[condition] = has != condition.startswith("!")
    return found


def fitted(book: Rulebook, holds: dict[str, bool]) -> Rulebook:
    """The rules without what does not hold (:func:`outcomes`)."""
    if not holds:
        return book

    def cases(items: tuple[Case, ...]) -> tuple[Case, ...]:
        return tuple(item for item in items if not item.tree or holds[item.tree])

    def choices(items: tuple[Choice, ...]) -> tuple[Choice, ...]:
        return tuple(item for item in items if not item.tree or holds[item.tree])

    def registered(rule: RegistrationRule) -> RegistrationRule:
        item = rule.registration
        callbacks = tuple(
            msgspec.structs.replace(c, contexts=choices(c.contexts)) for c in item.callbacks
        )
        return replace(rule, registration=msgspec.structs.replace(item, callbacks=callbacks))

    return replace(
        book,
        apis={
            name: replace(
                rule, api=msgspec.structs.replace(rule.api, requires=cases(rule.api.requires))
            )
            if any(case.tree for case in rule.api.requires)
            else rule
            for name, rule in book.apis.items()
        },
        registrations={name: registered(rule) for name, rule in book.registrations.items()},
        patterns={name: registered(rule) for name, rule in book.patterns.items()},
        fields={
            key: msgspec.structs.replace(item, contexts=choices(item.contexts))
            if any(choice.tree for choice in item.contexts)
            else item
            for key, item in book.fields.items()
        },
    )
