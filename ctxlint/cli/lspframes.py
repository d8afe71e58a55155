# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages of the language server protocol as they come over a pipe.

After a malformed header it is not known where the next message begins. pygls then waits
for ever, or takes as much memory as the header asks for. So the header is read here, and
the input ends with a sentence on what was wrong.
"""

from __future__ import annotations

import re
from typing import BinaryIO

MAX_MESSAGE = 64 << 20
"""Bytes of one message. Texts of editors are smaller by far."""
MAX_LINE = 4096
MAX_LINES = 32

_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?\n", re.I)


class Frames:
    """Reads like a binary file that holds well-formed messages and then ends.

    ``fault`` says why it ended, ``""`` for a client that has left between two messages.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lines: list[bytes] = []
        self._body = b""
        self.fault = ""

    def readline(self) -> bytes:
        """The next line of a header, ``b""`` at the end."""
        if not self._lines and not self.fault:
            length = self._header()
            if length:
                self._body = self._stream.read(length)
                if len(self._body) < length:
                    self._body = b""
                    self.fault = "the input ends in the middle of a message"
                else:
                    self._lines = [b"Content-Length: %d\r\n" % length, b"\r\n"]
        return self._lines.pop(0) if self._lines else b""

    def read(self, _length: int = -1) -> bytes:
        """The message that the header was about."""
        body, self._body = self._body, b""
        return body

    def _header(self) -> int:
        """The length of the next message; 0 at the end."""
        length: int | None = None
        for number in range(MAX_LINES):
            line = self._stream.readline(MAX_LINE)
            if not line and not number:
                return 0
            if not line.endswith(b"\n"):
                long = len(line) == MAX_LINE
                self.fault = (
                    "a header line is too long" if long else "the input ends inside a header"
                )
                return 0
            if not line.strip():
                if length is None:
                    self.fault = "a header without a Content-Length"
                elif length > MAX_MESSAGE:
                    self.fault = f"a message of {length} bytes; at most {MAX_MESSAGE} are read"
                elif length == 0:
                    self.fault = "a message without content"
                return length if length is not None and not self.fault else 0
            match = _LENGTH.fullmatch(line)
            if match:
                if length is not None or not re.fullmatch(rb"[0-9]{1,15}", match[1]):
                    self.fault = "invalid Content-Length"
                    return 0
                length = int(match[1])
            elif b":" not in line:
                self.fault = "malformed header"
                return 0
        self.fault = "too many header lines"
        return 0
