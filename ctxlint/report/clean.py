# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes text of the analysed source harmless to show.

A file name, a string or a compiler message may hold escape sequences, line
breaks or characters that reorder a line. A terminal, a mail or a reviewer must
see them instead of obeying them.
"""

from __future__ import annotations

import unicodedata

# Control, format (bidirectional overrides, zero width), lone surrogates, and the
# line and paragraph separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean(text: str) -> str:
    r"""``text`` as one line without control characters.

    Line breaks and tabs become spaces, everything else that a terminal would
    interpret becomes ``\x1b`` or ``\u202e``. Doing it twice changes nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char in "\n\r\t\v\f":
        return " "
    if unicodedata.category(char) not in _UNSAFE:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
