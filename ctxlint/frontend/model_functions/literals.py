# SPDX-License-Identifier: GPL-2.0-or-later
"""Literals of model files. Each function raises ValueError with the reason."""

from __future__ import annotations

import re

from ctxlint.frontend.literals import string_bytes

_INTEGER = re.compile(r"(0[xX][0-9A-Fa-f]+|0[0-7]*|[1-9][0-9]*)([uUlL]*)")
_SUFFIXES = {"": 0, "l": 1, "ll": 2}
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]*|[0-7]{1,3}|.)")


def string(text: str) -> bytes:
    """The bytes of ``"…"`` without the terminating NUL."""
    if not text.startswith('"'):
        raise ValueError("wide strings are not known here")
    _check_escapes(text)
    return string_bytes(text, 1)


def character(text: str) -> int:
    """The value of ``'c'``; char is unsigned."""
    if not text.startswith("'"):
        raise ValueError("wide characters are not known here")
    _check_escapes(text)
    data = string_bytes('"' + text[1:-1].replace('"', '\\"') + '"', 1)
    if len(data) != 1:
        raise ValueError(f"{text} is not one character")
    return data[0]


def _check_escapes(text: str) -> None:
    for match in _ESCAPE.finditer(text):
        body = match[1]
        if body[0] == "x":
            known = len(body) in (2, 3)
        elif body[0] in "01234567":
            known = int(body, 8) < 256
        else:
            known = body in tuple("ntrabfv\\'\"?")
        if not known:
            raise ValueError(f"the escape {match[0]} is not a character")


def integer(text: str, long_bits: int) -> tuple[int, int, bool]:
    """Value, bits and signedness, by the first type of C's list that holds it."""
    match = _INTEGER.fullmatch(text)
    suffix = match[2].lower() if match else ""
    rank = _SUFFIXES.get(suffix.replace("u", "", 1))
    if match is None or rank is None or suffix.strip("u") != suffix.replace("u", "", 1):
        raise ValueError(f"{text} is not an integer constant")
    digits = match[1]
    decimal = not digits.startswith("0")
    value = int(digits, 10 if decimal else 16 if digits[1:2] in ("x", "X") else 8)
    for bits in (32, long_bits, 64)[rank:]:
        if "u" not in suffix and value < 1 << (bits - 1):
            return value, bits, True
        if ("u" in suffix or not decimal) and value < 1 << bits:
            return value, bits, False
    raise ValueError(f"{text} does not fit any integer type")
