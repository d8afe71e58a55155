# SPDX-License-Identifier: GPL-2.0-or-later
"""What was not analysed, in the words that all reports share."""

from __future__ import annotations

from collections.abc import Sequence

from ctxlint.findings.model import Incomplete

_KINDS = {
    "unit": ("1 unit could not be analysed", "{} units could not be analysed"),
    "path": ("1 path was not analysed", "{} paths were not analysed"),
    "limit": ("1 limit of the analysis was reached",
              "{} limits of the analysis were reached"),
}  # fmt: skip


def counted(items: Sequence[Incomplete]) -> str:
    """How much of what was not analysed: ``2 units could not be analysed, 1 path ...``."""
    parts = []
    for kind, (one, many) in _KINDS.items():
        count = sum(item.kind == kind for item in items)
        if count:
            parts.append(one if count == 1 else many.format(count))
    return ", ".join(parts)


def place(item: Incomplete) -> str:
    """Where: a unit with its profile, a function with its line, a path."""
    line = f":{item.line}" if item.line else ""
    return f"{item.file}{line}" + (f" ({item.profile})" if item.profile else "")


def sentence(item: Incomplete) -> str:
    """One line: the place, why, and for a path what would look at it."""
    hint = f"; {item.detail}" if item.kind == "path" and item.detail else ""
    return f"{place(item)}: {item.reason}{hint}"
