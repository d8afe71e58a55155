# SPDX-License-Identifier: GPL-2.0-or-later
"""From lines that are assigned to sections to a record that prints them again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import msgspec

from ctxlint.kernel_log import fields
from ctxlint.kernel_log.fields import Fields
from ctxlint.kernel_log.format import NOTE, SKIP, sections
from ctxlint.kernel_log.kinds import Kind
from ctxlint.kernel_log.prefix import Line
from ctxlint.kernel_log.types import Layout, Record

_OF_THE_CPU_LINE = frozenset({"cpu", "uid"})


def build(kind: Kind, lines: Sequence[tuple[str, Line]]) -> Record:
    """The record of lines that are assigned to sections."""
    values: Fields = {}
    absent: Fields = {"cut": False, "lead": False, "gap": False, "backtrace": False}
    absent |= {
        name: None
        for name, optional in fields.numbers(kind.record).items()
        if optional and name not in _OF_THE_CPU_LINE
    }
    known = set(kind.record.__struct_fields__)
    by_section: dict[str, list[str]] = {}
    for name, line in lines:
        by_section.setdefault(name, []).append(line.text)
    for section in kind.sections:
        mine = by_section.get(section.name, [])
        if mine:
            for name, value in section.read(mine).items():
                if name in known:
                    values.setdefault(name, value)
    for name, value in absent.items():
        if name in known:
            values.setdefault(name, value)
    record: Any = kind.record(**values)
    return _laid_out(record, [(name, line.text) for name, line in lines])


def _laid_out(record: Record, lines: list[tuple[str, str]]) -> Record:
    """The record with the notes and the layout that give its lines again."""
    written = sections(record)
    places: list[str] = ["" for _ in lines]
    skipped: dict[int, list[str]] = {}
    by_section: dict[str, list[int]] = {}
    for i, (section, _) in enumerate(lines):
        by_section.setdefault(section, []).append(i)
    for name, piece in written:
        where: dict[str, list[int]] = {}
        for i, text in enumerate(piece):
            where.setdefault(text, []).append(i)
        done = 0
        for i in by_section.get(name, []):
            spots = where.get(lines[i][1], [])
            spot = bisect_left(spots, done)
            if spot < len(spots):
                skipped.setdefault(i, []).extend([name] * (spots[spot] - done))
                places[i] = name
                done = spots[spot] + 1
        skipped.setdefault(len(lines), []).extend([name] * (len(piece) - done))
    order: list[str] = []
    for i in range(len(lines) + 1):
        order += [SKIP + name for name in skipped.get(i, ())]
        if i < len(lines):
            order.append(places[i] or NOTE)
    usual = [name for name, piece in written for _ in piece]
    if order == usual:
        return record
    notes = tuple(text for (_, text), place in zip(lines, places, strict=True) if not place)
    return msgspec.structs.replace(record, notes=notes, layout=_runs(order))


def _runs(order: list[str]) -> Layout:
    runs: list[tuple[str, int]] = []
    for name in order:
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1] + 1)
        else:
            runs.append((name, 1))
    return tuple(runs)
