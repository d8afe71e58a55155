# SPDX-License-Identifier: GPL-2.0-or-later
"""The diff of a patch, names and hunks."""

from __future__ import annotations

from ctxlint.patches import diff
from fuzzing.reader import Reader


def read(data: bytes) -> object:
    return diff.parse(diff.diff_of(data))


READER = Reader(
    read=read,
    words=(
        b"diff --git a/x.c b/x.c\n", b"--- a/x.c\n", b"+++ b/x.c\n", b"@@ -1 +1 @@\n",
        b"@@ -0,0 +1,3 @@\n", b"new file mode 100644\n", b"old mode 120000\n",
        b"rename from x\n", b"copy to ", b"GIT binary patch\nliteral 3\n",
        b"index 0..1 160000\n",
        b"\\ No newline at end of file\n", b"/dev/null", b"\\303\\244", b"-- \n", b"---\n",
    ),
)  # fmt: skip
