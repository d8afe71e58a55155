# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints splats as the kernel does (Linux 6.12), or exactly as they were read."""

from __future__ import annotations

from collections.abc import Iterable

from ctxlint.kernel_log.kinds import BY_RECORD
from ctxlint.kernel_log.types import Record

NOTE = "note"
SKIP = "!"


def sections(splat: Record) -> list[tuple[str, list[str]]]:
    """The lines of each section that has any, in the kernel's order."""
    written = ((s.name, s.write(splat)) for s in BY_RECORD[type(splat)].sections)
    return [(name, lines) for name, lines in written if lines]


def lines(splat: Record) -> list[str]:
    """The lines of a splat, without level and time."""
    pieces = sections(splat)
    if not splat.layout:
        return [line for _, piece in pieces for line in piece] + list(splat.notes)
    left = dict(pieces)
    left[NOTE] = list(splat.notes)
    out: list[str] = []
    for name, count in splat.layout:
        have = left[name.removeprefix(SKIP)]
        if not name.startswith(SKIP):
            out += have[:count]
        del have[:count]
    return out


def render(splats: Iterable[Record], time: str = "") -> str:
    """Text of a log with these splats; ``time`` stands before every line, as
    ``"    1.234567"``, when it is not empty."""
    before = f"[{time}] " if time else ""
    return "".join(f"{before}{line}\n" for splat in splats for line in lines(splat))
