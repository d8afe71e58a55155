# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads splats out of a kernel log.

Lines that a prefix assigns to different tasks or CPUs are taken apart first, lines that
a mailer broke are put together. A splat is then the lines from its headline on, as far as
they belong to it; a stranger between them is kept as a note. Where two CPUs print at once
without a prefix that distinguishes them, a line that names a task goes to the splat of that
task. Nothing is lost: printing a splat gives its lines again, and what is in no splat is
returned as it was. The time is linear in the length of the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ctxlint.kernel_log import fields, kinds, trace
from ctxlint.kernel_log import sections as s
from ctxlint.kernel_log.assemble import build
from ctxlint.kernel_log.format import NOTE
from ctxlint.kernel_log.kinds import Kind
from ctxlint.kernel_log.prefix import Line, by_caller, raw_lines, split
from ctxlint.kernel_log.types import Located, Log, Panic, Record
from ctxlint.kernel_log.unread import unread
from ctxlint.kernel_log.wrap import join

_STRANGERS = 8
"""So many lines of somebody else may stand between two lines of a splat."""
_MESSAGE = 40
_OPEN = 4
"""So many splats may be printed at once."""
_ONCE = frozenset({"atomic", "count", "rcu", "cpu", "hardware", "error", "disabled"})
_LAST_BRANCH = "Last Breaking-Event-Address:"
"""On s390, in front of a line that looks like a frame and is none."""
_BEFORE_NAMES = frozenset({"trace", "backtrace", "cpu", "taints", "hardware", "work"})
_RULE = re.compile(r"={5,}")
_DASHES = re.compile(r"-{5,}")
_HAS_TASK = re.compile(
    r"CPU: (?P<cpu>\d+) (?:UID: \d+ )?PID: (?P<pid>\d+) Comm: (?P<name>.*)"
    r"|Pid: (?P<pid4>\d+), comm: +(?P<name4>.*)"
    r"|in_atomic.*pid: (?P<pid2>\d+), name: (?P<name2>.*)"
    r"|(?:no|\d+) locks? held by (?P<name3>.*)/(?P<pid3>\d+)[.:]"
)


def parse(text: str) -> Log:
    """All splats of a log, in order, and the rest."""
    everything = join(split(text))
    streams = by_caller(everything)
    found: list[Located] = []
    taken: set[int] = set()
    for stream in streams.values():
        for splat, lines in _Reader(stream).splats():
            taken.update(n for x in lines for n in range(x.number, x.number + len(x.more) + 1))
            found.append(_locate(splat, lines))
    found.sort(key=lambda located: located.line)
    left = [line for line in everything if line.number not in taken]
    rest = (raw for number, raw in enumerate(raw_lines(text), 1) if number not in taken)
    return Log(tuple(found), tuple(rest), unread(left))


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


class _Task(NamedTuple):
    pid: int
    name: str


@dataclass
class _Body:
    """Lines of one splat with the section that each is in. ``margin`` is how far the
    headline is indented, ``task`` whose splat it is, as far as known."""

    kind: Kind
    start: _Start
    margin: int = 0
    task: _Task | None = None
    lines: list[tuple[str, Line]] = field(default_factory=list)
    pending: list[Line] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    closed: bool = False

    def add(self, section: str, line: Line) -> None:
        self.lines += [(NOTE, stranger) for stranger in self.pending]
        self.pending.clear()
        self.lines.append((section, line))
        self.seen.add(section)

    @property
    def patience(self) -> int:
        """So many strangers may come now: more when the trace's title stands alone."""
        alone = self.lines[-1][1].text.strip() in trace.TITLES
        return _MESSAGE if alone else _STRANGERS

    @property
    def last_held(self) -> str:
        """The last line of the locks that are held (of the last few lines)."""
        recent = (line.text for name, line in self.lines[:-_STRANGERS:-1] if name == "held")
        return next(recent, "")

    @property
    def last(self) -> str:
        return self.lines[-1][0] if self.lines and not self.pending else ""

    def dedent(self, line: Line) -> Line:
        blank = len(line.text) - len(line.text.lstrip())
        cut = min(self.margin, blank)
        return line._replace(text=line.text[cut:]) if cut else line


class _Reader:
    """One stream of lines: those of one caller, or of a log without callers."""

    def __init__(self, lines: list[Line]) -> None:
        self.stream = lines
        self.texts = [line.text.strip() for line in lines]
        self.open: list[_Body] = []
        self.done: list[_Body] = []
        self.late: tuple[int, _Body] | None = None
        """Frames before this line are still those of a splat that began earlier."""

    def splats(self) -> Iterator[tuple[Record, list[Line]]]:
        at = 0
        while at < len(self.stream):
            at = self._step(at)
        self.done += self.open
        for body in self.done:
            yield build(body.kind, body.lines), [line for _, line in body.lines]

    def _step(self, at: int) -> int:
        """Give one line, or the first lines of a splat, away; the next line."""
        start = self.start(at)
        if start is not None and not self._part_of(start):
            return self._begin(start)
        line = self.stream[at]
        for body in self._candidates(at):
            mine = body.dedent(line)
            section = self.section(body, at, mine.text)
            if section is None or not self._fits(body, section, mine.text):
                continue
            self._give(body, section, mine)
            return at + 1
        for body in self.open:
            body.pending.append(line)
        self._close(lambda body: len(body.pending) > body.patience or _stopping(body, line))
        return at + 1

    def _begin(self, start: _Start) -> int:
        """A splat begins: those that still wait for their task's lines stay open."""
        self.late = self._still_printing(start)
        late = self.late[1] if self.late is not None else None
        self._close(
            lambda body: (
                body is not late
                and ("cpu" in body.seen or "trace" in body.seen or body.task is None)
            )
        )
        if len(self.open) >= _OPEN:
            self.open[0].closed = True
            self._close(lambda body: body.closed)
        text = self.stream[start.head].text
        body = _Body(start.kind, start, len(text) - len(text.lstrip()))
        for at in range(start.first, start.head + 1):
            line = body.dedent(self.stream[at])
            section = self.section(body, at, line.text)
            body.add(section or "message", line)
        body.task = _task_of(start.kind, self.texts[start.head])
        if start.kind.single:
            self.done.append(body)
        else:
            self.open.append(body)
        return start.head + 1

    def _close(self, when: Any) -> None:
        self.done += [body for body in self.open if when(body)]
        self.open = [body for body in self.open if not when(body)]

    def _still_printing(self, start: _Start) -> tuple[int, _Body] | None:
        """The open splat that prints its trace on while another CPU begins one: frames
        come before the line of the CPU that is to come before them."""
        task = _task_of(start.kind, self.texts[start.head])
        if task is None or not self.open or self.open[-1].last != "trace":
            return None
        frames = False
        for at in range(start.head + 1, min(start.head + _MESSAGE, len(self.texts))):
            text = self.texts[at]
            named = _named(text) if text.startswith("CPU: ") else None
            title = text in trace.TITLES or fields.DISABLED.match(text) is not None
            if title or (named is None and kinds.HEADS.match(text) is not None):
                return None
            if named is not None:
                return (at, self.open[-1]) if frames and _same(named, task) else None
            following = self.texts[at + 1 : at + 2]
            place = _has(start.kind, "disabled") and following and _named(following[0])
            frames = frames or (trace.is_sure(text) and not place)
        return None

    def _candidates(self, at: int) -> list[_Body]:
        """Who may get a line, most likely first: the last one, unless the line names a
        task."""
        if self.late is not None and at < self.late[0] and trace.is_sure(self.texts[at]):
            return [self.late[1]]
        if len(self.open) < 2:
            return self.open[::-1]
        found = _HAS_TASK.match(self.texts[at])
        return self.open[::-1] if found is not None else self.open[-1:]

    def _fits(self, body: _Body, section: str, text: str) -> bool:
        if section in _ONCE and section in body.seen and text and body.last != section:
            return False
        if section == "trace" and text.strip() in trace.TITLES and "trace" in body.seen:
            return False
        if section in ("cpu", "atomic", "held"):
            task = _named(text)
            if task is not None and body.task is not None and not _same(task, body.task):
                return False
        return True

    def _give(self, body: _Body, section: str, line: Line) -> None:
        if section in ("cpu", "atomic"):
            task = _named(line.text)
            if task is not None:
                body.task = task
            self.open.remove(body)
            self.open.append(body)  # what follows is this one's
        for other in self.open:
            if other is not body:
                other.pending.clear()
        body.add(section, line)
        if section == "end":
            body.closed = True
            self._close(lambda one: one.closed)

    # -- where a splat begins -----------------------------------------------------

    def start(self, at: int) -> _Start | None:
        """The splat that begins at a line."""
        text = self.texts[at]
        if text == s.CUT:
            return self._cut(at)
        if text[:1] in ("=", ""):
            return self._lockdep(at)
        if self._same_line(at) and kinds.WARN.head.fullmatch(self.texts[at + 1]):
            return _Start(kinds.WARN, at, at + 1)
        if kinds.HEADS.match(text) is None:
            return None
        if s.TITLE.fullmatch(text):
            return _Start(kinds.LOCKDEP_KINDS.get(text, kinds.LOCKDEP), at, at)
        for kind in kinds.EVERY:
            if kind.head.fullmatch(text):
                return _Start(kind, at, at)
        return None

    def _same_line(self, at: int) -> bool:
        """The next line stood in the same line of the log."""
        here = self.stream[at : at + 2]
        return len(here) == 2 and here[0].number == here[1].number

    def _cut(self, at: int) -> _Start | None:
        for head in range(at + 1, min(at + _MESSAGE, len(self.texts))):
            text = self.texts[head]
            if text == s.CUT:
                return None
            if kinds.HEADS.match(text) is None:
                continue
            for kind in (kinds.WARN, kinds.BUG):
                if kind.head.fullmatch(text):
                    return _Start(kind, at, head)
            if any(kind.head.fullmatch(text) for kind in kinds.EVERY):
                return None
        return None

    def _lockdep(self, at: int) -> _Start | None:
        rule = at if self.texts[at] else at + 1
        if rule + 1 >= len(self.texts) or not _RULE.fullmatch(self.texts[rule]):
            return None
        title = self.texts[rule + 1]
        if not kinds.LOCKDEP_TITLE.fullmatch(title) or kinds.WARN.head.fullmatch(title):
            return None
        return _Start(kinds.LOCKDEP_KINDS.get(title, kinds.LOCKDEP), at, rule + 1)

    def _part_of(self, start: _Start) -> bool:
        """The line begins a splat elsewhere; here it is a part of the one that is open."""
        if not self.open:
            return False
        body = self.open[-1]
        if start.kind is kinds.OOPS and _has(body.kind, "error"):
            return "error" not in body.seen and "cpu" not in body.seen
        # A detector of stalls explains itself in lines that mean the same alone.
        explained = kinds.INFO.match(self.texts[start.head]) is not None
        return body.kind in kinds.STALLS and start.kind.single and explained

    # -- how far it goes ------------------------------------------------------------

    def section(self, body: _Body, at: int, text: str) -> str | None:
        """The section that a line is in; None for a stranger's."""
        kind, start = body.kind, body.start
        if fields.LOCK.fullmatch(text) and fields.NUMBER.fullmatch(body.last_held):
            return "held"
        if at == start.head and not _has(kind, "open") and kind is not kinds.OOPS:
            return "head"
        if _has(kind, "open") and not body.seen & {"backtrace", "cpu"}:
            return self._lockdep_section(body, at, text)
        if at < start.head:
            return "cut" if self.texts[at] == s.CUT else "message"
        if body.last == "disabled" and _PLACED.match(text):
            return "disabled"
        if self._untitled_place(body, at, text):
            return "disabled"
        if (traced := self._trace_section(body, at, text)) is not None:
            return traced
        if text.lstrip().startswith("Code: "):
            if "trace" not in body.seen:
                return "registers" if _has(kind, "registers") else None
            return "code" if _has(kind, "code") else "interrupted"
        for section in kind.sections:
            if section.starts is not None and section.starts.match(text):
                if section.name == "registers" and "trace" in body.seen:
                    return "interrupted"
                return section.name
        if kind is kinds.OOPS and not body.seen & {"error", "cpu", "trace"}:
            return "info"
        if kind is kinds.WARN and not body.seen - {"cut", "message", "head"}:
            return "message"
        return None

    def _trace_section(self, body: _Body, at: int, text: str) -> str | None:
        kind = body.kind
        if not _has(kind, "trace") or self.texts[at - 1] == _LAST_BRANCH:
            return None
        title = text.strip() in trace.TITLES
        if "others" in body.seen or ("trace" in body.seen and title and _has(kind, "others")):
            return "others" if title or trace.is_trace(text) else None
        if "trace" in body.seen or title:
            if title or trace.is_trace(text) or self._names(body, at):
                return "trace"
            return None
        if self._names(body, at):
            return "trace"
        if trace.is_sure(text) and not fields.REGISTER.match(text):
            return "trace"  # somebody left the title out
        return None

    def _untitled_place(self, body: _Body, at: int, text: str) -> bool:
        """Where preemption was disabled, when the title of that line was cut out."""
        following = self.texts[at + 1] if at + 1 < len(self.texts) else ""
        return (
            _has(body.kind, "disabled")
            and not body.seen & {"disabled", "cpu", "trace"}
            and _PLACED.match(text) is not None
            and _HAS_TASK.match(following) is not None
        )

    def _names(self, body: _Body, at: int) -> bool:
        """One of several names of functions below a title: a trace without offsets."""
        if not body.last or body.last not in _BEFORE_NAMES:
            return False
        begun = body.last == "trace" or "backtrace" in body.seen
        near = (x for x in self.texts[max(at - 1, 0) : at + 2])
        return (
            begun and sum(trace.is_name(x) for x in near) > 1 and trace.is_name(self.texts[at])
        )

    def _lockdep_section(self, body: _Body, at: int, text: str) -> str | None:
        start = body.start
        plain = text.strip()
        if at <= start.head:
            return "open"
        ident = at == start.head + 1 and plain and not plain[1:].startswith("he code is fine")
        if at <= start.head + 2 and (_DASHES.fullmatch(plain) or ident):
            return "open"
        following = self.texts[at + 1] if at + 1 < len(self.texts) else ""
        if plain == s.BACKTRACE or (not plain and following == s.BACKTRACE):
            return "backtrace"
        for section in body.kind.sections:
            if section.name == "lock" and "lock" in body.seen and body.last != "lock":
                continue
            if section.name == "registers" or section.starts is None:
                continue
            if section.starts.match(text):
                return section.name
        if plain in trace.TITLES:
            return "trace"
        if body.kind is kinds.LOCKDEP:
            return "body"
        if body.kind is kinds.LOCK_STATE:
            return "scenario" if "irqs" in body.seen else "registered"
        return None


_PLACED = re.compile(r"\s*(?:(?:\[<)?[0-9a-f]{8,16}>\] |[\w.]+\+0x|[\w.]+ \(?[\w./]+:\d)")
_STOPS = re.compile(r"CPU ?\d{1,5}: stopping")


def _stopping(body: _Body, line: Line) -> bool:
    """What follows is the trace of a CPU that a panic stops."""
    return body.kind.record is Panic and _STOPS.fullmatch(line.text.strip()) is not None


def _task_of(kind: Kind, text: str) -> _Task | None:
    """The task that a headline names."""
    found = kind.head.fullmatch(text)
    groups = found.groupdict() if found is not None else {}
    pid = groups.get("pid") or groups.get("pid2")
    if pid is None:
        return None
    return _Task(int(pid), groups.get("name") or groups.get("name2") or "")


def _named(text: str) -> _Task | None:
    """The task that a line of the CPU, of the counts or of held locks names."""
    found = _HAS_TASK.match(text.strip())
    if found is None:
        return None
    number = next(n for n in ("pid", "pid2", "pid3", "pid4") if found[n] is not None)
    return _Task(int(found[number]), found["name" + number[3:]])


def _same(one: _Task, other: _Task) -> bool:
    # The name on the line of the CPU ends in the words on taint.
    if one.pid != other.pid:
        return False
    return (
        not one.name
        or not other.name
        or one.name.startswith(other.name)
        or other.name.startswith(one.name)
    )


def _has(kind: Kind, name: str) -> bool:
    return any(section.name == name for section in kind.sections)
