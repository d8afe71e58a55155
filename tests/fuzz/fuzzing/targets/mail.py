# SPDX-License-Identifier: GPL-2.0-or-later
"""A mailbox, a message or a diff, up to the order of the series."""

from __future__ import annotations

from ctxlint.patches import mail
from ctxlint.patches.order import choose
from fuzzing.reader import Reader

ZERO = b"From 0000000000 Mon Sep 17 00:00:00 2001\n"
HEAD = ZERO + b"From: A <a@example.org>\nSubject: [PATCH] x\n"
TYPE = b"Content-Type: text/plain"
RFC822 = b"Content-Type: message/rfc822\n\n"
DIFF = b"---\n--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-a\n+b\n"


def read(data: bytes) -> object:
    return choose(mail.from_bytes(data))


def subject(text: bytes) -> bytes:
    return ZERO + b"From: A <a@example.org>\nSubject: " + text + b"\n\n" + DIFF


READER = Reader(
    rate=2500,
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
    growing={
        "letters": lambda n: (HEAD + b"\n" + DIFF + b"\n") * (n // 20),
        "envelopes": lambda n: ZERO * n,
        "blank envelopes": lambda n: b"From a 00:00:00 2020\n\n" * n,
        "envelope times": lambda n: b"From a " + b" " * 10 * n + b"00:00:00 " * n + b"\n",
        "zeros": lambda n: subject(b"[PATCH " + b"0" * 10 * n + b"]"),
        "slashes": lambda n: subject(b"[PATCH " + b"1/" * 10 * n + b"]"),
        "brackets": lambda n: subject(b"[a]" * n * 5),
        "open brackets": lambda n: subject(b"[" * n * 10),
        "blanks": lambda n: subject(b" " * n * 10 + b"x"),
        "answers": lambda n: subject(b"Re: " * n * 5),
        "encoded words": lambda n: subject(b"=?utf-8?q?a?= " * n),
        "half encoded words": lambda n: subject(b"=?utf-8?q?" * n),
        "folded": lambda n: subject(b"x\n " * n),
        "headers": lambda n: ZERO + b"X-A: b\n" * n + b"\n" + DIFF,
        "references": lambda n: HEAD + b"References: " + b"<a@b> " * n + b"\n\n" + DIFF,
        "people": lambda n: HEAD + b"To: " + b'"a, b" <a@b.org>, ' * (n // 4) + b"\n\n" + DIFF,
        "comments": lambda n: HEAD + b"To: " + b"(" * n + b"\n\n" + DIFF,
        "groups": lambda n: HEAD + b"Cc: " + b"a:" * n + b"\n\n" + DIFF,
        "parameters": lambda n: HEAD + TYPE + b"; a=b" * n + b"\n\n" + DIFF,
        "parameter parts": lambda n: (
            HEAD + TYPE + b"".join(b"; a*%d=b" % i for i in range(n))
            + b"\n\n" + DIFF
        ),
        "quotes": lambda n: HEAD + TYPE + b"; a=" + b'"\\' * n + b"\n\n" + DIFF,
        "parts": lambda n: (
            HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * n
        ),
        "nested": lambda n: (
            HEAD + b"".join(
                b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i)
                for i in range(n // 10)
            )
        ),
        "messages in messages": lambda n: HEAD + RFC822 * (n // 10),
        "dashes": lambda n: HEAD + b"\n" + b"--- x\n" * n,
        "base lines": lambda n: HEAD + b"\n" + b"base-commit: \n" * n + DIFF,
        "long base": lambda n: HEAD + b"\nbase-commit:" + b" " * n * 10 + b"\n" + DIFF,
    },
)  # fmt: skip
