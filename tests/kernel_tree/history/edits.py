# SPDX-License-Identifier: GPL-2.0-or-later
"""Small edits of kernel source text.

An edit is a function from text to text that raises :class:`MismatchError` when the text
is not what it expects, so an edit can never become a silent no-op on another tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Edit = Callable[[str], str]

_CALL = re.compile(
    r"\b(?:(raw_spin_)\w+|(?:__)?(DEFINE_RAW_SPINLOCK)|(scoped_guard|guard))\s*\("
)
_GUARD_CLASS = re.compile(r"\s*raw_(spinlock(?:_irqsave|_irq|_nested)?)\s*")


class MismatchError(Exception):
    """The text has not what the edit wants to change."""


def every(*edits: Edit) -> Edit:
    """One edit after the other."""

    def apply(text: str) -> str:
        for edit in edits:
            text = edit(text)
        return text

    return apply


def swap(old: str, new: str, times: int = 1) -> Edit:
    """Exactly ``times`` occurrences of ``old`` become ``new``."""

    def apply(text: str) -> str:
        if text.count(old) != times:
            raise MismatchError(f"{text.count(old)} times instead of {times}: {old!r}")
        return text.replace(old, new)

    return apply


def first(old: str, new: str) -> Edit:
    """The first ``old`` becomes ``new``."""

    def apply(text: str) -> str:
        if old not in text:
            raise MismatchError(f"not found: {old!r}")
        return text.replace(old, new, 1)

    return apply


def after(anchor: str, text: str) -> Edit:
    """``text`` behind the only occurrence of ``anchor``."""
    return swap(anchor, anchor + text)


def before(anchor: str, text: str) -> Edit:
    """``text`` in front of the only occurrence of ``anchor``."""
    return swap(anchor, text + anchor)


def within(function: str, *edits: Edit) -> Edit:
    """The edits see the definition of ``function`` only, from its name to the
    closing brace in the first column."""
    head = re.compile(
        rf"^(?![\s#/*]).*?\b{re.escape(function)}\(|^{re.escape(function)}\(", re.M
    )

    def apply(text: str) -> str:
        for match in head.finditer(text):
            end = text.find("\n}", match.start())
            brace = text.find("{", match.start())
            stop = text.find(";", match.start())
            if end < 0 or brace < 0 or (0 <= stop < brace):
                continue
            start = match.start()
            return text[:start] + every(*edits)(text[start:end]) + text[end:]
        raise MismatchError(f"no definition of {function}")

    return apply


def include(header: str) -> Edit:
    """One more ``#include`` in front of the first one."""
    return first("#include <", f"#include <{header}>\n#include <")


def _argument(text: str, start: int) -> int:
    """Index just behind the argument that starts at ``start``."""
    depth = 0
    for index in range(start, len(text)):
        if text[index] in "([{":
            depth += 1
        elif text[index] in ")]}":
            if depth == 0:
                return index
            depth -= 1
        elif text[index] == "," and depth == 0:
            return index
    raise MismatchError("unbalanced parentheses")


def _names(expression: str, lock: str) -> bool:
    stripped = re.sub(r"\[[^\]]*\]", "", expression).strip()
    return re.search(rf"(?:^|[&>.\s(]){re.escape(lock)}\)?$", stripped) is not None


def sleeping_lock(*locks: str) -> Edit:
    """Raw spinlocks with these names (variable or member) become ``spinlock_t``:
    their declarations, definitions, initialisers, calls and guards."""

    def apply(text: str) -> str:
        pieces: list[str] = []
        changed = 0
        position = 0
        for match in _CALL.finditer(text):
            inner = match.end()
            end = _argument(text, inner)
            argument = text[inner:end]
            new = None
            if match[1] and any(_names(argument, lock) for lock in locks):
                new = text[match.start() : inner].replace("raw_spin_", "spin_", 1) + argument
            elif match[2] and argument.strip() in locks:
                new = text[match.start() : inner].replace("RAW_", "", 1) + argument
            elif match[3]:
                kind = _GUARD_CLASS.fullmatch(argument)
                behind = text.find("(", end) + 1 if match[3] == "guard" else end + 1
                target = text[behind : _argument(text, behind)] if kind else ""
                if kind and any(_names(target, lock) for lock in locks):
                    new = text[match.start() : inner] + kind[1]
            if new is not None:
                pieces += [text[position : match.start()], new]
                position = end
                changed += 1
        pieces.append(text[position:])
        text = "".join(pieces)
        for lock in locks:
            text, count = re.subn(
                rf"\b(?:raw_spinlock_t|struct raw_spinlock)(\s+\*?){re.escape(lock)}\b",
                rf"spinlock_t\g<1>{lock}",
                text,
            )
            changed += count
        if not changed:
            raise MismatchError(f"no raw lock named {', '.join(locks)}")
        return text

    return apply
