# SPDX-License-Identifier: GPL-2.0-or-later
"""The diff of a patch, names and hunks."""

from __future__ import annotations

from ctxlint.patches import diff
from fuzzing.reader import Reader

HEAD = b"diff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n"


def read(data: bytes) -> object:
    return diff.parse(diff.diff_of(data))


READER = Reader(
    rate=5000,
    read=read,
    words=(
        b"diff --git a/x.c b/x.c\n", b"--- a/x.c\n", b"+++ b/x.c\n", b"@@ -1 +1 @@\n",
        b"@@ -0,0 +1,3 @@\n", b"new file mode 100644\n", b"old mode 120000\n",
        b"rename from x\n", b"copy to ", b"GIT binary patch\nliteral 3\n",
        b"index 0..1 160000\n",
        b"\\ No newline at end of file\n", b"/dev/null", b"\\303\\244", b"-- \n", b"---\n",
    ),
    growing={
        "files": lambda n: (HEAD + b"@@ -1 +1 @@\n-a\n+b\n") * (n // 5),
        "hunks": lambda n: HEAD + b"@@ -1 +1 @@\n-a\n+b\n" * n,
        "lines": lambda n: HEAD + b"@@ -0,0 +1,%d @@\n" % n + b"+x\n" * n,
        "text before": lambda n: b"---x\n--- \n" * n,
        "digits": lambda n: HEAD + b"@@ -1 +1,%s @@\n" % (b"9" * n * 10),
        "blanks": lambda n: HEAD + b"@@ -1 +1" + b" " * n * 50 + b"@\n",
        "quotes": lambda n: b'diff --git "a/' + b'\\"' * n * 10,
        "escapes": lambda n: b'--- "a/' + b"\\303" * n * 10 + b'"\n+++ b/x\n',
        "dots": lambda n: b"--- a/" + b". " * n * 10 + b"\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
    },
)  # fmt: skip
