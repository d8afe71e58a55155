# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs that a mailer filled like prose: several messages in one line, one message over
two. The kernel's own times in brackets tell where each message begins. And mails as they are
stored, in quoted-printable."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

_TIME = r"\[ {0,5}\d{1,6}\.\d{6}\]"
_STAMP = re.compile(_TIME)
_OPEN = re.compile(r"\[ ?$")
"""The line ends inside of a time."""
_GAP = 3
"""Lines without a time of their own between two of one paragraph."""


class Raw(NamedTuple):
    """A line of the log, or a message in it: ``number`` is where it begins, ``more`` are
    the further lines that it goes on in."""

    number: int
    text: str
    more: tuple[str, ...] = ()


def unfold(lines: Sequence[str], begins: Callable[[str], int]) -> list[Raw]:
    """The lines, with filled paragraphs taken apart. ``begins``: where the message of a
    line begins, behind all that stands before it."""
    plain = decoded(lines)
    lines = [item.text for item in plain]
    before = {at: text for at, line in enumerate(lines) if (text := _before(line, begins))}
    filled = list(before)
    out: list[Raw] = []
    done = at = 0
    while at < len(filled):
        end = at
        while end + 1 < len(filled) and _together(lines, filled[end], filled[end + 1]):
            end += 1
        # The same word in front of all times is a prefix that nobody knows.
        words = {re.sub(r"\d+", "", before[n].split()[0]) for n in filled[at : end + 1]}
        if end > at and 2 * len(words) > end - at + 1:
            first = _first(lines, filled[at], done)
            last = _last(lines, filled[end])
            out += plain[done:first]
            out += _messages(plain, first, last + 1)
            done = last + 1
        at = end + 1
    return [*out, *plain[done:]]


_PARTS = 64
"""Lines of a mail that are one line at most."""
_SOFT = re.compile(r"(?<![=])=$")
_CODED = re.compile(r"(?:=[0-9A-F]{2})+")
_SURE = re.compile(r"=(?:3D|20$|09|C2=A0)")


def decoded(lines: Sequence[str]) -> list[Raw]:
    """The lines of a mail in quoted-printable, as it is stored: ``=`` ends a line that goes
    on, and stands before the number of a character. Other lines as they are."""
    soft = sum(_SOFT.search(line) is not None for line in lines)
    sure = soft and any("=" in line and _SURE.search(line) for line in lines)
    if soft < 2 and not sure:
        return [Raw(number, line) for number, line in enumerate(lines, 1)]
    out: list[Raw] = []
    at = 0
    while at < len(lines):
        end = at
        most = min(at + _PARTS, len(lines)) - 1
        while end < most and _SOFT.search(lines[end]) and not lines[end].endswith("=0A="):
            end += 1
        text = "".join(part[:-1] for part in lines[at:end]) + lines[end]
        text = _CODED.sub(_character, text.removesuffix("=0A=")).rstrip("\n")
        out.append(Raw(at + 1, text.replace("\n", " "), tuple(lines[at + 1 : end + 1])))
        at = end + 1
    return out


def _character(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("=", "")).decode("utf-8", "replace")


def _before(line: str, begins: Callable[[str], int]) -> str:
    """The end of a message in front of the beginning of another one in a line."""
    if "[" not in line:
        return ""
    at = begins(line)
    found = _STAMP.search(line, at) or _OPEN.search(line, at + 1)
    return line[at : found.start()].strip() if found is not None else ""


def _together(lines: Sequence[str], one: int, next_: int) -> bool:
    """The two lines are in one paragraph."""
    return next_ - one <= _GAP and all(_body(line) for line in lines[one:next_])


def _first(lines: Sequence[str], at: int, least: int) -> int:
    """The line that the first message begins in."""
    for start in range(at, max(least, at - _GAP) - 1, -1):
        if not _body(lines[start]):
            break
        if _STAMP.match(_body(lines[start])):
            return start
    return at


def _last(lines: Sequence[str], at: int) -> int:
    """The line that the last message ends in."""
    rest = lines[at].rstrip()
    following = lines[at + 1] if at + 1 < len(lines) else ""
    late = _STAMP.search(rest, max(len(rest) - 16, 0)) if rest.endswith("]") else None
    if (late or _OPEN.search(rest)) and _body(following) and not _STAMP.match(_body(following)):
        return at + 1
    return at


def _body(line: str) -> str:
    """A line without the marks of a quotation."""
    return line.lstrip("> |\t").rstrip()


def _messages(plain: Sequence[Raw], first: int, end: int) -> list[Raw]:
    """The messages of a paragraph."""
    text = ""
    starts: list[tuple[int, int]] = []
    for number in range(first, end):
        body = _body(plain[number].text)
        if text and body:
            text += " "
        starts.append((len(text), number))
        text += body
    cuts = [found.start() for found in _STAMP.finditer(text)]
    if not cuts or cuts[0]:
        cuts.insert(0, 0)
    out: list[Raw] = []
    line = 0
    for cut, stop in zip(cuts, [*cuts[1:], len(text)], strict=True):
        while line + 1 < len(starts) and starts[line + 1][0] <= cut:
            line += 1
        own = plain[starts[line][1]]
        after = [plain[n] for start, n in starts[line + 1 :] if start < stop]
        more = (*own.more, *(raw for item in after for raw in (item.text, *item.more)))
        out.append(Raw(own.number, text[cut:stop].rstrip(), more))
    return out
