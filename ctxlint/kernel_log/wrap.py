# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines that a mailer broke in two."""

from __future__ import annotations

import re

from ctxlint.kernel_log import fields, kinds, sections, trace
from ctxlint.kernel_log.prefix import Line

_MOST = 2
"""So many further lines may belong to one."""
_OPEN = re.compile(
    r"\s*(?:BUG: |WARNING: |INFO: task |kernel BUG at|CPU: \d|in_atomic\(\): "
    r"|CPU \d+ (?:UP|DOWN) "
    r"|NMI watchdog: |watchdog: |preempt_count: |RCU nest depth: |(?:hard|soft)irqs last "
    r"|Preemption disabled at: |#\d+: |[0-9a-f]{4,16} \(|\[ (?:BUG|INFO): "
    r"|\S+\.[chS]:\d{1,9}(?: suspicious)?$|Kernel panic - not syncing:$"
    r"|Unable to handle kernel|Hardware name:$|Workqueue:$|lock: .*, \.magic: )"
)
_WHOLE = (
    *(kind.head for kind in kinds.EVERY), fields.CPU, sections.ATOMIC_LINE, sections.TITLE,
    re.compile(r"preempt_count: [0-9a-f]+, expected: [0-9a-f]+"),
    re.compile(r"RCU nest depth: -?\d+, expected: -?\d+"),
    re.compile(r"(?:hard|soft)irqs last .* at \(\d+\): \[<[0-9a-f]+>\] \S.*"),
    re.compile(rf"\s*(?:#\d+: )?{fields.LOCK.pattern}"),
    re.compile(r"(?:Hardware name|Workqueue): \S.*"),
    re.compile(r"\S+\.[chS]:\d{1,9} \S.*!"), sections.OWNER_LINE,
)  # fmt: skip
_TAIL = re.compile(rf"\s*(?:{trace.PLACES}(?: \[inline\])?|\[inline\]|\[\w+\])", re.VERBOSE)


def join(lines: list[Line]) -> list[Line]:
    """The lines, with those put together that only then are what a kernel prints."""
    out: list[Line] = []
    at = 0
    while at < len(lines):
        line = _unpadded(lines[at])
        used = 0
        if at + 1 < len(lines) and line.text and _continues(line, lines[at + 1]):
            used, text = _joined(lines, at)
            if used:
                more = tuple(x.raw for x in lines[at + 1 : at + 1 + used])
                line = line._replace(text=text, more=more)
        out.append(line)
        at += 1 + used
    return out


_BROKEN = re.compile(r"^\s*(?:\[<[0-9a-f]+>\] )?\?$| from \[<[0-9a-f]+>\]$| \([\w/.][^()]*$")
"""A frame that ends too early."""


def _frame(text: str) -> bool:
    frame = trace.frame_of(text)
    return frame is not None and (trace.is_sure(text) or bool(frame.place))


_PAD = re.compile(r"(?<=\S) {20,}(?=\S)")


def _unpadded(line: Line) -> Line:
    """A line that a terminal broke, and filled with blanks to its width."""
    if " " * 20 not in line.text or not _OPEN.match(line.text) or whole(line.text):
        return line
    text = _PAD.sub("", line.text)
    return line._replace(text=text) if whole(text) else line


def _continues(line: Line, following: Line) -> bool:
    """The next line has no time of its own where this one has."""
    return bool(following.text.strip()) and not following.time and following.caller in (
        "", line.caller,
    )  # fmt: skip


def _joined(lines: list[Line], at: int) -> tuple[int, str]:
    text = lines[at].text
    following = lines[at + 1].text
    if trace.is_sure(text) and _TAIL.fullmatch(following):
        both = f"{text} {following.strip()}"
        return (1, both) if trace.is_sure(both) else (0, text)
    if _BROKEN.search(text):
        part = following.strip()
        both = next((x for x in (f"{text} {part}", text + part) if _frame(x)), "")
        if both:
            return 1, both
    if not _OPEN.match(text) or whole(text):
        return 0, text
    for used in range(1, _MOST + 1):
        if at + used >= len(lines) or not _continues(lines[at], lines[at + used]):
            break
        part = lines[at + used].text.strip()
        for both in (f"{text} {part}", text + part):  # broken inside of a word
            if whole(both):
                return used, both
        text += " " + part
    return 0, lines[at].text


def whole(text: str) -> bool:
    """The text is a line that a kernel prints."""
    text = text.lstrip()
    return any(pattern.fullmatch(text) for pattern in _WHOLE)
