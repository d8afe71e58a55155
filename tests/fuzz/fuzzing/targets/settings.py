# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings of the tree and of the user."""

from __future__ import annotations

from ctxlint.base.errors import UsageError
from ctxlint.cli.settings import load_settings
from fuzzing.reader import Reader, folder

TREE = folder()


def read(data: bytes) -> object:
    (TREE / ".ctxlint.toml").write_bytes(data)
    return load_settings(TREE)


READER = Reader(
    rate=2500,
    read=read,
    allowed=(UsageError,),
    words=(
        b"paths", b"arch", b"config", b"rt", b"builds", b"cache", b"jobs", b"timeout",
        b"reach", b"libclang", b"severity", b"[[per-path]]\n", b"[severity]\n", b"baseline",
        b" = ", b'"defconfig"', b"['a']", b"{}", b"nan", b"inf", b"true", b"1979-05-27",
        b'"\\u0000"', b'"""', b"'''", b"a.b.c", b"[[", b"]]", b"..", b"/", b"~x",
    ),
    growing={
        "keys": lambda n: b"".join(b"a%d = 1\n" % i for i in range(n)),
        "brackets": lambda n: b"a = " + b"[" * n,
        "dots": lambda n: b"[" + b"a." * n + b"a]\n",
        "dotted keys": lambda n: b"".join(b"a.b%d.c = 1\n" % i for i in range(n)),
        "deep header": lambda n: b"[" + b"a." * 90 + b"a]\n" + b"k = 1\n" * n,
        "blanks": lambda n: b" " * n + b"libclang",
        "lines": lambda n: b"\n" * n + b"libclang = 1",
        "patterns": lambda n: b"paths = ['" + b"*a" * n + b"']",
        "escapes": lambda n: b'arch = "' + b"\\\\" * n + b'"',
    },
)  # fmt: skip
