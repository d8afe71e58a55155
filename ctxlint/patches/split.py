# SPDX-License-Identifier: GPL-2.0-or-later
"""A mailbox into messages, as ``git mailsplit`` divides it.

What git takes for the start of a message, this takes for one too: where the two differ, a
patch could be hidden in the body of another (source: builtin/mailsplit.c of git).
"""

from __future__ import annotations

import re

from ctxlint.patches.model import PatchError

MAX_MAILS = 2000
_ENVELOPE = re.compile(rb"^From ", re.M)
_SPACE = b" \t\n\v\f\r"


def split(data: bytes) -> list[bytes]:
    """The messages, each with its envelope line; ``data`` as it is when it does not begin
    with one. Raises :class:`PatchError` when there are too many."""
    data = data.lstrip(_SPACE)
    if not data.startswith(b"From ") or not _is_envelope(data, 0):
        return [data]
    starts = []
    for match in _ENVELOPE.finditer(data):
        if _is_envelope(data, match.start()):
            starts.append(match.start())
            if len(starts) > MAX_MAILS:
                raise PatchError(
                    f"more than {MAX_MAILS} messages in the input",
                    hint="Give the messages of one series (b4 am makes such a mailbox).",
                )
    ends = [*starts[1:], len(data)]
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]


def _is_envelope(data: bytes, start: int) -> bool:
    """Whether the line has a time, and a year after its last colon."""
    end = data.find(b"\n", start)
    line = data[start : end + 1 if end >= 0 else len(data)]
    colon = line.rfind(b":", 5, len(line) - 2)
    if len(line) < 20 or colon < 9:
        return False
    digits = (colon - 4, colon - 2, colon - 1, colon + 1, colon + 2)
    if not all(line[at : at + 1].isdigit() for at in digits):
        return False
    year = re.match(rb"[ \t\n\v\f\r]*\+?0*(\d*)", line[colon + 3 :])
    number = year[1] if year else b""
    return len(number) > 2 or (number.isdigit() and int(number) > 90)
