# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads splats out of a kernel log.

Lines that a prefix assigns to different tasks or CPUs are taken apart first. A splat
is then the lines from its headline on, as far as they belong to it; a stranger between
them is kept as a note. Nothing is lost: printing a splat gives its lines again, and
what is in no splat is returned as it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, NamedTuple

import msgspec

from ctxlint.model.splat import fields, kinds
from ctxlint.model.splat import sections as s
from ctxlint.model.splat.fields import Fields
from ctxlint.model.splat.format import NOTE, SKIP, sections
from ctxlint.model.splat.kinds import Kind
from ctxlint.model.splat.prefix import Line, split
from ctxlint.model.splat.types import Frame, Layout, Located, Log, Record

_STRANGERS = 8
"""So many lines of somebody else may stand between two lines of a splat."""
_MESSAGE = 40
_ONCE = frozenset({"atomic", "count", "rcu", "cpu", "hardware", "error"})
_OF_THE_CPU_LINE = frozenset({"cpu", "uid"})
_RULE = re.compile(r"=+")


def parse(text: str) -> Log:
    """All splats of a log, in order, and the rest."""
    streams: dict[str, list[Line]] = {}
    everything = split(text)
    for line in everything:
        streams.setdefault(line.caller, []).append(line)
    found: list[Located] = []
    taken: set[int] = set()
    for stream in streams.values():
        for splat, lines in _Reader(stream).splats():
            taken.update(line.number for line in lines)
            found.append(_locate(splat, lines))
    found.sort(key=lambda located: located.line)
    return Log(tuple(found), tuple(x.raw for x in everything if x.number not in taken))


def _locate(splat: Record, lines: Sequence[Line]) -> Located:
    first = next((x for x in lines if x.text), lines[0])
    return Located(
        splat=splat,
        line=first.number,
        time=first.time,
        caller=first.caller,
        lines=tuple(x.text for x in lines),
    )


class _Start(NamedTuple):
    kind: Kind
    first: int
    """Index of the splat's first line."""
    head: int
    """Index of its headline."""


@dataclass
class _Body:
    """Lines of one splat with the section that each is in."""

    kind: Kind
    lines: list[tuple[str, Line]] = field(default_factory=list)
    pending: list[Line] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def add(self, section: str, line: Line) -> None:
        self.lines += [(NOTE, stranger) for stranger in self.pending]
        self.pending.clear()
        self.lines.append((section, line))
        self.seen.add(section)


class _Reader:
    """One stream of lines: those of one caller, or of a log without callers."""

    def __init__(self, lines: list[Line]) -> None:
        self.stream = lines
        self.texts = [line.text for line in lines]

    def splats(self) -> list[tuple[Record, list[Line]]]:
        out = []
        at = 0
        while at < len(self.stream):
            start = self.start(at, at)
            if start is None:
                at += 1
                continue
            body = self.body(start)
            out.append((build(body.kind, body.lines), [line for _, line in body.lines]))
            at = start.first + len(body.lines)
        return out

    # -- where a splat begins -----------------------------------------------------

    def start(self, at: int, floor: int) -> _Start | None:
        """The splat that begins at a line; not before the line ``floor``."""
        text = self.texts[at]
        if text == s.CUT:
            return self._cut(at)
        if text[:1] in ("=", ""):
            return self._lockdep(at)
        for kind in (*kinds.SIMPLE, kinds.WARN, kinds.BUG, kinds.OOPS, *kinds.SINGLE):
            if kind.head.fullmatch(text):
                return _Start(kind, at, at)
        return None

    def _cut(self, at: int) -> _Start | None:
        for head in range(at + 1, min(at + _MESSAGE, len(self.texts))):
            if self.texts[head] == s.CUT:
                return None
            for kind in (kinds.WARN, kinds.BUG):
                if kind.head.fullmatch(self.texts[head]):
                    return _Start(kind, at, head)
        return None

    def _lockdep(self, at: int) -> _Start | None:
        rule = at if self.texts[at] else at + 1
        if rule + 1 >= len(self.texts) or not _RULE.fullmatch(self.texts[rule]):
            return None
        title = self.texts[rule + 1]
        if not kinds.LOCKDEP_TITLE.fullmatch(title):
            return None
        return _Start(kinds.LOCKDEP_KINDS.get(title, kinds.LOCKDEP), at, rule + 1)

    # -- how far it goes ------------------------------------------------------------

    def body(self, start: _Start) -> _Body:
        body = _Body(start.kind)
        for at in range(start.first, len(self.stream)):
            text = self.texts[at]
            if at > start.head and self._ends(body, at):
                break
            section = self.section(body, at, start)
            if section is None:
                body.pending.append(self.stream[at])
                if len(body.pending) > _STRANGERS:
                    break
                continue
            if section in _ONCE and section in body.seen and text:
                break
            if section == "trace" and text in fields.TITLES and "trace" in body.seen:
                break
            body.add(section, self.stream[at])
            if section == "end" or start.kind.single:
                break
        return body

    def _ends(self, body: _Body, at: int) -> bool:
        """Another splat begins here."""
        other = self.start(at, at)
        if other is None:
            return False
        error = other.kind is kinds.OOPS and _has(body.kind, "error")
        return not (error and "error" not in body.seen and "cpu" not in body.seen)

    def section(self, body: _Body, at: int, start: _Start) -> str | None:
        """The section that a line is in; None for a stranger's."""
        text = self.texts[at]
        kind = body.kind
        if at == start.head and not _has(kind, "open") and kind is not kinds.OOPS:
            return "head"
        if _has(kind, "open") and not body.seen & {"backtrace", "cpu"}:
            return self._lockdep_section(body, at, start)
        if at < start.head:
            return "cut" if text == s.CUT else "message"
        if "trace" in body.seen or text in fields.TITLES:
            if fields.is_trace(text):
                return "trace"
            if not _has(kind, "end") and not fields.REGISTER.match(text):
                return None
        if text.startswith("Code: ") and "trace" not in body.seen:
            return "registers" if _has(kind, "registers") else None
        for section in kind.sections:
            if section.starts is not None and section.starts.match(text):
                return section.name
        if kind is kinds.OOPS and not body.seen & {"error", "cpu", "trace"}:
            return "info"
        if kind is kinds.WARN and not body.seen - {"cut", "message", "head"}:
            return "message"
        return None

    def _lockdep_section(self, body: _Body, at: int, start: _Start) -> str | None:
        text = self.texts[at]
        if at <= start.head + 1:
            return "open"
        if at == start.head + 2 and re.fullmatch(r"-+", text):
            return "open"
        following = self.texts[at + 1] if at + 1 < len(self.texts) else ""
        if text == s.BACKTRACE or (not text and following == s.BACKTRACE):
            return "backtrace"
        for section in body.kind.sections:
            if section.name == "lock" and "lock" in body.seen:
                continue
            if section.starts is not None and section.starts.match(text):
                return section.name
        if body.kind is kinds.LOCKDEP:
            return "body"
        if body.kind is kinds.LOCK_STATE:
            return "scenario" if "irqs" in body.seen else "registered"
        return None


def _has(kind: Kind, name: str) -> bool:
    return any(section.name == name for section in kind.sections)


# -- from lines to a record -----------------------------------------------------------


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
    for section in kind.sections:
        mine = [line.text for name, line in lines if name == section.name]
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
    skipped: list[tuple[int, str]] = []
    for name, piece in written:
        mine = [i for i, (section, _) in enumerate(lines) if section == name]
        texts = [lines[i][1] for i in mine]
        matcher = SequenceMatcher(None, texts, piece, autojunk=False)
        done = 0
        for block in matcher.get_matching_blocks():
            at = mine[block.a] if block.a < len(mine) else len(lines)
            skipped += [(at, name)] * (block.b - done)
            for i in range(block.a, block.a + block.size):
                places[mine[i]] = name
            done = block.b + block.size
    order: list[str] = []
    for i in range(len(lines) + 1):
        order += [SKIP + name for at, name in skipped if at == i]
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


def frames_of(text: str) -> tuple[Frame, ...]:
    """The frames of a call trace that stands alone."""
    values = fields.read_trace([x.text for x in split(text) if fields.is_trace(x.text)] or [""])
    frames: tuple[Frame, ...] = values.get("frames", ())
    return frames
