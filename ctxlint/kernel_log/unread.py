# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines that look like a splat and were not understood: they are told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ctxlint.kernel_log.kinds import HEADS
from ctxlint.kernel_log.prefix import HEADLINE, LONGEST, Line, beginning
from ctxlint.kernel_log.types import Unread

_SHOWN = 80
"""Characters that are shown of a line that is too long."""
_QUIET = re.compile(
    r"-{4,}\[ cut here|WARNING: (?!CPU: |possible |suspicious |inconsistent |at |\S+:\d)"
)


def unread(left: Sequence[Line]) -> tuple[Unread, ...]:
    """What looks like a splat and is in none."""
    out = []
    for line in left:
        if len(line.raw) > LONGEST:
            head = beginning(line)
            if HEADS.match(head) is not None or HEADLINE.search(head, 0, 160) is not None:
                count = f"a line of {len(line.raw)} characters, {LONGEST} at most are read"
                out.append(Unread(line.number, f"{head[:_SHOWN].strip()}... ({count})"))
            continue
        found = HEADLINE.search(line.text, 0, 160)
        if found is not None and _told(line.text, found.start()):
            out.append(Unread(line.number, line.text.strip()))
    return tuple(out)


def _told(text: str, at: int) -> bool:
    """Not a word of prose: nothing that is text stands before it."""
    before = text[:at].strip()
    prose = before[-1:].isalnum() or len(before.split()) > 2
    return not prose and not _QUIET.match(text, at)
