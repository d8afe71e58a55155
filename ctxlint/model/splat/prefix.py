# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands before a kernel message: level, time, caller, what syslog adds.

Printed by the kernel itself (kernel/printk/printk.c), by dmesg, by syslog daemons and
by the journal; all of it may be missing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_QUOTE = r"(?:>[ ]?)*"
_SYSLOG = (
    r"(?:(?:[A-Z][a-z]{2}\ {1,2}\d{1,2}\ \d\d:\d\d:\d\d(?:\.\d+)?"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[0-9.,:+Z-]*)\ \S+\ kernel:\ ?)?"
)
_LEVEL = r"(?:<\d{1,3}>|[a-z]+\ *:[a-z]+\ *:\ ?)?"
_TIME = (
    r"(?:\[\ *(?P<time>\+?\d+\.\d+|[A-Z][a-z]{2}\ [A-Z][a-z]{2}\ [\d :]+"
    r"|[A-Z][a-z]{2}\ ?\d{1,2}\ \d\d:\d\d)\]"
    r"|(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[0-9.,:+Z-]*))?"
)
_CALLER = r"(?:\ ?\[\ *(?P<caller>[TC]\d+)\])?"
_PREFIX = re.compile(
    f"{_QUOTE}{_SYSLOG}{_LEVEL}{_TIME}{_CALLER}(?P<gap>(?<=[\\]\\dZ])\\ |)", re.VERBOSE
)


class Line(NamedTuple):
    """``raw`` is the line as it was, ``text`` the message; see :class:`Located`."""

    number: int
    raw: str
    text: str
    time: str
    caller: str


def split(text: str) -> list[Line]:
    """The lines of a log. Line ends may be those of a serial console (CR LF)."""
    raw = text.replace("\r\n", "\n").replace("\n\r", "\n").split("\n")
    if raw and not raw[-1]:
        raw.pop()
    return [_line(number, line.rstrip("\r")) for number, line in enumerate(raw, 1)]


def _line(number: int, raw: str) -> Line:
    found = _PREFIX.match(raw)
    assert found is not None  # every part is optional
    time = found["time"] or found["iso"] or ""
    caller = found["caller"] or ""
    if not (time or caller):
        # Without a time only a level or what syslog adds is a prefix; anything else
        # (a quotation mark, a word with a colon) may be the message.
        plain = re.match(rf"{_SYSLOG}(?:<\d{{1,3}}>)?", raw, re.VERBOSE)
        assert plain is not None
        return Line(number, raw, raw[plain.end() :], "", "")
    return Line(number, raw, raw[found.end() :], time, caller)
