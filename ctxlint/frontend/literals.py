# SPDX-License-Identifier: GPL-2.0-or-later
"""String literals as clang prints them, back to bytes."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r"\\(?:x([0-9A-Fa-f]+)|([0-7]{1,3})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))"
)
_SIMPLE = {"n": 10, "t": 9, "r": 13, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27}


def string_bytes(printed: str, width: int) -> bytes:
    """The bytes of ``"…"`` (also ``L"…"``) with ``width`` bytes a character,
    little endian, without the terminating NUL."""
    start, stop = printed.find('"') + 1, printed.rfind('"')
    body = printed[start:stop]
    if width == 1 and "\\" not in body:
        return body.encode("utf-8", "replace")
    units: list[int] = []
    at = 0
    while at < len(body):
        match = _PIECE.match(body, at)
        if match is None:
            if width == 1:
                units.extend(body[at].encode("utf-8", "replace"))
            else:
                units.append(ord(body[at]))
            at += 1
            continue
        hexa, octal, short, long_, other = match.groups()
        if hexa or octal:
            units.append(int(hexa, 16) if hexa else int(octal, 8))
        elif short or long_:
            code = int(short or long_, 16)
            units.extend(chr(code).encode() if width == 1 else [code])
        else:
            units.append(_SIMPLE.get(other, ord(other)))
        at = match.end()
    mask = (1 << 8 * width) - 1
    return b"".join((u & mask).to_bytes(width, "little") for u in units)
