# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands before a kernel message: level, time, caller, what syslog, the journal,
a serial console, a test lab or a mail adds.

It is taken off piece by piece, so that pieces combine as they do in the wild (a quoted
line of a journal that holds a line of dmesg). Printed by the kernel itself
(kernel/printk/printk.c), by dmesg, syslog daemons, journalctl, logread and logcat; all of
it may be missing. A prefix of a form that is not known is recognised by its coming back
on neighbouring lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ctxlint.kernel_log.reflow import unfold

LONGEST = 4096
"""Longer lines are no lines of a kernel, which ends them at about 1,000 characters."""
_PIECES_MAX = 24
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,:]\d{1,9})?"
_ZONE = r"(?:\ ?(?:Z|[+-]\d\d:?\d\d|[A-Z]{3,4}(?=\s)))?"
_ISO = rf"\d{{4}}-\d\d-\d\d[T\ ]{_CLOCK}{_ZONE}"
_MONTH = r"[^\W\d_]{3,5}\.?"
_DATE = (
    rf"(?:(?:[A-Z][a-z]{{2}}\ )?{_ISO}"
    rf"|(?:[A-Z][a-z]{{2}}\ )?{_MONTH}\ {{1,2}}\d{{1,2}}\ {_CLOCK}(?:\ \d{{4}})?{_ZONE}"
    rf"|\d{{1,2}}\.?\ {_MONTH}\ {_CLOCK})"
)
_PIECE = re.compile(
    rf"""[ \t]*(?:
      (?P<quote>(?:>[ ]?)+|\|[ ]?|\#[ ](?=\S)|//[ ]?)
    | (?:[\w.-]{{1,32}}@[\w.-]{{1,64}}:\ ?)?[/~][\w./~-]{{0,64}}\ ?[#$]\ (?=\[)
    | (?P<date>{_DATE}:?(?=\s|$))
    | (?P<unix>\d{{9,10}}\.\d{{3,9}}(?=\s))
    | (?P<shell>\[\ ?{_DATE}\ ?\]|\[{_CLOCK}\]|{_CLOCK}(?=\s))
    | (?P<logcat>\d\d-\d\d\ {_CLOCK}\ +\d+\ +\d+\ [VDIWEF]\ [^:]{{0,40}}:\ ?)
    | -?\ ?\{{['"]?dt['"]?:[^{{}}]{{1,80}}['"]?msg['"]?:\ *['"]
    | (?P<tag>(?:[\w.()-]{{1,64}}\ )?(?:(?:kern|user)\.[a-z]{{2,7}}\ )?
        (?:kernel|kmsg)(?:\[\d+\])?:\ ?)
    | (?P<level><\d{{1,3}}>|kern\ *:[a-z]{{2,7}}\ *:\ ?)
    | (?P<kmsg>(?:[\w.()-]{{1,64}}\ )?\d{{1,3}},\d{{1,12}},(?P<micro>\d{{1,18}}),[^;,]{{1,9}}
        (?:,caller=(?P<from>[TC]\d{{1,9}}))?(?:,[^;]{{0,40}})?;)
    | \[\ *(?P<time>\+?\d{{1,9}}[.,]\d{{1,9}}
        |[A-Z][a-z]{{2}}\ [A-Z][a-z]{{2}}\ [\d ]\d\ {_CLOCK}\ \d{{4}}
        |[A-Z][a-z]{{2}}\ ?\d{{1,2}}\ \d\d:\d\d)(?:\ <\ *\+?\d{{1,9}}\.\d{{1,9}}>)?\ *\]
    | (?P<caller>\[\ *(?P<who>[TC]\d{{1,9}})(?:[/@][^\]]{{0,24}})?\])
    | (?P<android>(?<=[\]>\ ])(?:c\d{{1,3}}\ (?:\d{{1,7}}\ )?
        |(?<=\d\])\[\d{{1,3}}\](?=\S)
        |\(\d{{1,3}}\)\[\d{{1,7}}:[^\]]{{0,24}}\]|\[\d{{1,3}}:[^\]:]{{1,24}}:\ *\d{{1,7}}\]))
    )""",
    re.VERBOSE,
)
_LATE = re.compile(
    r".{1,100}?(?=\[ {0,5}\d{1,6}\.\d{6}\](?:\[[^\]]{1,40}\])? (?:"
    r"BUG: |WARNING: |INFO: |={20,}$|-{4,}\[ cut here|Unable to handle kernel|Kernel panic"
    r"|(?:NMI )?[Ww]atchdog(?: CPU|: )|rcu: INFO|Internal error: |Oops))"
)
"""Words of a console, a prompt for one, in front of a message that begins a splat."""
_MARKUP = re.compile(r"^[`*]{1,3}(?=\[)|(?:(?<=[^*\s])\*\*|`)$")
"""Marks of code and of bold text that a web page did not take as such."""
_ANSI = re.compile(r"\x1b(?:\[[0-9;?]{0,16}[ -/]?[@-~]|[()][0-9A-B])")
HEADLINE = re.compile(
    r"BUG: |WARNING: |\[ BUG: |\[ INFO: |bad: scheduling from|Kernel panic - |kernel BUG at "
    r"|INFO: (?:task |rcu|trying to )|-{4,}\[ cut here \]|Unable to handle kernel "
    r"|Internal error: |Oops: |in_atomic\(\): |C[Aa]ll [Tt]race:|Preemption disabled at:"
)
"""What begins a splat, or a part of it that nothing else looks like."""
_BEGINS = re.compile(HEADLINE.pattern + r"|={20,}$")
_OWN = re.compile(r"(?:rcu|(?:NMI )?watchdog|smp): (?:BUG: )?$")
"""Words of the kernel's own in front of a headline."""
_WORDS = re.compile(r"\d+|[^\W\d_]+|\s+")


class Line(NamedTuple):
    """``raw`` is the line as it was, ``text`` the message; see :class:`Located`.
    ``more`` are further lines of the log that a mailer made of this one. ``bare``: no
    prefix was there."""

    number: int
    raw: str
    text: str
    time: str
    caller: str
    bare: bool = False
    more: tuple[str, ...] = ()


def split(text: str) -> list[Line]:
    """The messages of a log. Line ends may be those of a serial console (CR LF)."""
    found = [
        _line(item.number, item.text)._replace(more=item.more)
        for item in unfold(raw_lines(text), _begins)
    ]
    return _callers(_parted(_repeated(found)))


def _begins(line: str) -> int:
    """Where the message of a line begins."""
    at = 0
    for _ in range(_PIECES_MAX):
        found = _PIECE.match(line, at)
        if found is None or found.end() == at:
            break
        at = found.end()
    return at


def raw_lines(text: str) -> list[str]:
    """The lines as they are, without their ends."""
    raw = text.replace("\r\n", "\n").replace("\n\r", "\n").split("\n")
    if raw and not raw[-1]:
        raw.pop()
    return [line.rstrip("\r") for line in raw]


def beginning(line: Line) -> str:
    """The message at the start of a line that is too long to be read."""
    return _line(line.number, line.raw[:LONGEST]).text.strip()


def _line(number: int, raw: str) -> Line:
    if len(raw) > LONGEST:
        return Line(number, raw, "", "", "", True)
    text = raw
    if not text.isascii():
        text = text.replace("\ufeff", "").replace("\xa0", " ").replace("\u202f", " ")
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    text = text.rstrip()
    while text.endswith("^M"):  # a carriage return that a viewer spelled out
        text = text[:-2].rstrip()
    if text[-1:] in ("`", "*") or text[:1] in ("`", "*"):
        text = _MARKUP.sub("", text)
    late = _LATE.match(text)
    if late is not None and not _PIECE.match(text):
        text = text[late.end() :]
    at = 0
    time = caller = ""
    closed = seen = False
    for _ in range(_PIECES_MAX):
        found = _PIECE.match(text, at)
        if found is None or found.end() == at:
            break
        time = time or found["time"] or _moment(found)
        caller = found["who"] or found["from"] or caller
        # Behind these stands one blank that is not the message's.
        closed = text[found.end() - 1] not in " >;|/" and "(" not in (found["android"] or "")
        seen = True
        at = found.end()
    if closed and text[at : at + 1] in (" ", "\t"):
        at += 1
    rest = text[at:]
    if "#01" in rest:  # rsyslog spells tabs and newlines so
        rest = rest.removeprefix("#012").replace("#011", "\t")
    if rest.endswith(("'}", '"}')) and "{" not in rest:  # of a dictionary of a test lab
        rest = rest[:-2]
    return Line(number, raw, rest, time, caller, not seen)


def _moment(found: re.Match[str]) -> str:
    """The time of a piece other than the kernel's own."""
    if found["micro"] is not None:
        return f"{int(found['micro']) / 1e6:.6f}"
    if found["shell"] is not None:
        return found["shell"].strip("[] ")
    date = found["date"] or ""
    return date.removesuffix(":") if date[:4].isdigit() else ""


def _repeated(lines: list[Line]) -> list[Line]:
    """Take off a prefix that no rule knows: something stands before a headline, and
    before one of the next lines too."""
    out = list(lines)
    at = 0
    while at < len(out):
        line = out[at]
        found = _BEGINS.search(line.text, 1) if len(line.text) > 1 else None
        before = _OWN.sub("", line.text[: found.start()]) if found is not None else ""
        if found is None or not before.strip() or len(before) > 80:
            at += 1
            continue
        like = _like(before)
        end = at + 1
        while end < len(out) and (hit := like.match(out[end].text)) is not None:
            out[end] = out[end]._replace(text=out[end].text[hit.end() :])
            end += 1
        if end > at + 1:
            out[at] = line._replace(text=line.text[len(before) :])
        at = end
    return out


_JOINED = re.compile(
    r"(?<=[.!?]) (?=WARNING: (?:CPU: \d{1,5} PID: \d|\S{1,200}:\d{1,9} at \S|at \S))"
)


def _parted(lines: list[Line]) -> list[Line]:
    """A warning that stands in one line with its message, as texts that were filled have it,
    is two lines."""
    out = []
    for line in lines:
        found = _JOINED.search(line.text)
        if found is not None:
            out.append(line._replace(text=line.text[: found.start()]))
            line = line._replace(text=line.text[found.end() :])
        out.append(line)
    return out


def _like(prefix: str) -> re.Pattern[str]:
    """The same prefix with other numbers and blanks."""
    parts = []
    done = 0
    blank = prefix[len(prefix.rstrip()) :]
    prefix = prefix.rstrip()
    for word in _WORDS.finditer(prefix):
        parts.append(re.escape(prefix[done : word.start()]))
        text = word.group()
        same = re.escape(text)
        parts.append(r"\d+" if text.isdigit() else r"\s+" if text.isspace() else same)
        done = word.end()
    parts.append(re.escape(prefix[done:]))
    if blank:
        parts.append(rf"(?:{re.escape(blank)}|$)")
    return re.compile("".join(parts))


def _callers(lines: list[Line]) -> list[Line]:
    """A line without any prefix, in a log that has them, continues the one before: the
    journal breaks messages of several lines, mailers break long ones."""
    out: list[Line] = []
    caller = ""
    tagged = False
    for line in lines:
        if not line.bare:
            caller = line.caller
            tagged = True
        else:
            text = line.text
            if tagged and text.startswith(" " * 12):
                text = text.lstrip()
            line = line._replace(caller=caller, text=text)
        out.append(line)
    return out


def by_caller(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """The lines of each caller. What a CPU prints of itself since another one asked it to
    belongs to that other one."""
    streams: dict[str, list[Line]] = {}
    asked = asks = ""
    for line in lines:
        if line.text.startswith("Sending NMI from CPU "):
            asks, asked = line.caller, ""
        elif asks and line.text.startswith("NMI backtrace for cpu "):
            asked = line.caller
        elif line.caller == asks:
            asked = ""
        caller = asks if asked and line.caller == asked else line.caller
        streams.setdefault(caller, []).append(line)
    return streams
