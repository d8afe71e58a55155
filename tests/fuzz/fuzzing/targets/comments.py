# SPDX-License-Identifier: GPL-2.0-or-later
"""Comments that suppress, in C of any kind."""

from __future__ import annotations

from ctxlint.findings.suppressions import of_text
from fuzzing.reader import Reader

ALLOW = b"/* ctxlint: allow(a) b */"


def read(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    lines = text.count("\n") + 1
    found = of_text("a.c", text)
    for item in found:
        assert 1 <= item.line <= lines
    return found


READER = Reader(
    rate=2500,
    read=read,
    allowed=(),
    words=(
        ALLOW, b"// ctxlint: allow(a, b) c\n", b"ctxlint:", b"allow(", b")", b"/*", b"*/",
        b"//", b"\\\n", b"\\ \n", b"#if X\n", b"#else\n", b"#endif\n", b"#define X \\\n",
        b"int f(void)\n{\n", b"}\n", b";", b"{", b"(", b"=", b"'", b'"', b"\r\n", b"\f",
    ),
    growing={
        "comments": lambda n: (ALLOW + b"\n") * n,
        "comments in a line": lambda n: ALLOW * n,
        "a line": lambda n: b"a " * n + ALLOW,
        "lines of comments": lambda n: b"//\n" * n + ALLOW,
        "functions": lambda n: b"int f(void) { " * n + ALLOW,
        "open comment": lambda n: b"/* ctxlint: " + b"/*" * n,
        "slashes": lambda n: ALLOW + b"/" * n,
        "stars": lambda n: b"/*" + b"*" * n + b" ctxlint: allow(a)",
        "splices": lambda n: ALLOW + b"\\\n" * n,
        "backslashes": lambda n: ALLOW + b"\\ " * n,
        "quotes": lambda n: ALLOW + b"\"'" * n,
        "escapes": lambda n: ALLOW + b'"' + b"\\" * n,
        "conditionals": lambda n: ALLOW + b"\n#if X\n" * n + b"#endif\n" * n,
        "names": lambda n: b"/* ctxlint: allow(" + b"a," * n + b") b */",
        "parentheses": lambda n: b"/* ctxlint: allow" + b"(" * n + b" */",
        "markers": lambda n: b"/* " + b"ctxlint: allow(a)\n" * n + b"*/",
        "reason": lambda n: b"/* ctxlint: allow(a) " + b"b \n" * n + b"*/",
        "spliced comment": lambda n: b"// ctxlint: allow(a) b" + b"\\\n x" * n,
        "splices in a line": lambda n: (b"a" * 40 + b"\\\n") * n + ALLOW,
    },
)  # fmt: skip
