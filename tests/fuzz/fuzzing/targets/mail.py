# SPDX-License-Identifier: GPL-2.0-or-later
"""A mailbox, a message or a diff, up to the order of the series."""

from __future__ import annotations

from ctxlint.patches import mail
from fuzzing.reader import Reader

ZERO = b"From 0000000000 Mon Sep 17 00:00:00 2001\n"
DIFF = b"---\n--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-a\n+b\n"


def read(data: bytes) -> object:
    return mail.in_order(mail.from_bytes(data))


READER = Reader(
    read=read,
    words=(
        ZERO, b"Subject: [PATCH v2 1/2] x\n", b"Re: ", b"=?utf-8?q?=41?=", b"=?utf-8?b?QQ==?=",
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n",
        b"Content-Type: message/rfc822\n\n",
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: quoted-printable\n",
        b"charset=utf-16", b"charset=utf-7", b"format=flowed", b"\n\n", b"---\n", b"--b--\n",
        b"-- >8 --\n", b">From ", b"Message-ID: <1@x>\n", b"In-Reply-To: <1@x>\n", DIFF,
    ),
)  # fmt: skip
