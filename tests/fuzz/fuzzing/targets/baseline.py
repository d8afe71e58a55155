# SPDX-License-Identifier: GPL-2.0-or-later
"""Baselines: what is read is written and read again."""

from __future__ import annotations

from ctxlint.base.errors import UsageError
from ctxlint.findings import baseline
from fuzzing.reader import Reader

ENTRY = b"sleep-in-atomic a.c f g mutex %016x reason\n"


def read(data: bytes) -> object:
    found = baseline.parse(data.decode("utf-8", "replace"), "a baseline")
    again = baseline.parse(baseline.render(found), "again")
    assert again.by_fingerprint().keys() == found.by_fingerprint().keys()
    return found


READER = Reader(
    rate=8000,
    read=read,
    allowed=(UsageError,),
    words=(
        baseline.FIRST_LINE.encode() + b"\n", ENTRY % 1, ENTRY % 2, b"# note\n", b"\n", b"%20",
        b"%ff", b"- ", b"<<<<<<< ours\n", b"=======\n", b"\xe2\x80\xa8", b"\x1b[2J", b"%",
        b"# ctxlint baseline 2, fingerprints 9\n",
    ),
    growing={
        "entries": lambda n: b"".join(ENTRY % i for i in range(n)),
        "one entry": lambda n: (ENTRY % 1) * n,
        "notes of one entry": lambda n: b"".join(b"# %d\n" % i + ENTRY % 1 for i in range(n)),
        "notes": lambda n: b"# x\n" * n + ENTRY % 1,
        "words": lambda n: b"a " * n,
        "percent": lambda n: b"a " + b"%ff" * n + b" c d e " + b"0" * 16,
        "first line": lambda n: b"# ctxlint baseline " + b"," * n,
        "blanks": lambda n: b" " * n + b"x",
    },
)  # fmt: skip
