# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages of the language server protocol."""

from __future__ import annotations

import io

from ctxlint.cli.lspframes import MAX_MESSAGE, Frames
from fuzzing.reader import Reader


def read(data: bytes) -> object:
    frames = Frames(io.BytesIO(data))
    messages = []
    while line := frames.readline():
        assert frames.readline() == b"\r\n"
        body = frames.read()
        assert line == b"Content-Length: %d\r\n" % len(body) and len(body) <= MAX_MESSAGE
        messages.append(body)
    assert frames.readline() == b"" and frames.read() == b""
    return messages


READER = Reader(
    rate=8000,
    read=read,
    allowed=(),
    words=(
        b"Content-Length: ", b"content-length:2", b"\r\n\r\n{}", b"Content-Type: a\r\n", b"\n",
        b": ", b"{}", b"\xd9\xa3", b"+2", b"0x2", b"1_0", b"1000000000000",
    ),
    growing={
        "messages": lambda n: b"Content-Length: 2\r\n\r\n{}" * n,
        "header": lambda n: b"a: b\r\n" * n,
        "line": lambda n: b"a" * n,
        "blanks": lambda n: b"Content-Length:" + b" " * n + b"x",
        "digits": lambda n: b"Content-Length: " + b"9" * n + b"\r\n",
        "body": lambda n: b"Content-Length: %d\r\n\r\n" % n + b"x" * n,
    },
)  # fmt: skip
