# SPDX-License-Identifier: GPL-2.0-or-later
"""Mailboxes as nobody should send them: generated out of what mail can hold."""

from __future__ import annotations

import base64
import quopri

from hypothesis import strategies as st

FILES = {"a.c": b"one\ntwo\nthree\nfour\nfive\n", "d/b.c": b"int b;\n", "run.sh": b"true\n"}

ENVELOPE = b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"
ENVELOPES = (
    ENVELOPE,
    ENVELOPE,
    b"From x 00:00:00 2020\n",
    b"From a@b  Thu Jan  1 00:00:01 1970\n",
    b"From someone on Mon, at 12:34:56 in 99\n",
    b"From here on it is text: 12 of it.\n",
    b">From 0123456789 Mon Sep 17 00:00:00 2001\n",
    b"From y Mon Sep 17 00:00:00 1990\n",
    b"From y Mon Sep 17 00:00:00 90\n",
    b"From y Mon Sep 17 00:00:00 +2001\r\n",
)
SUBJECTS = (
    "[PATCH {n}/{t}] x", "[PATCH {n}/{t}] x", "[PATCH {n}/{t}] x", "[PATCH v2 {n}/{t}] x",
    "[PATCH {n}/{t} v2] x", "Re: [PATCH {n}/{t}] x", "AW: x", "Re: x", "[PATCH] x", "x", "",
    "[PATCHv3 {n}/{t}] x", "[RFC,{n}/{t}] x", "[net] [PATCH 0{n}/0{t}] x", "[PATCH 0/{t}] x",
    "x [PATCH {n}/{t}]", "[PATCH {t}/{n}] x", "=?utf-8?q?=5BPATCH?= {n}/{t}] x",
    "fwd: re: [list] RE: [PATCH {n}/{t}] x", "[PATCH {n}/{t}", "[PATCH 1/1] x",
)  # fmt: skip
TEXTS = (
    b"Words.\n", b"", b"From: B <b@example.org>\nSubject: in the body\n\nWords.\n",
    b"Words.\n-- >8 --\nSubject: [PATCH] after the cut\n\nMore.\n", b"> quoted\n> --- a/a.c\n",
    b"---\n note\n", b"--- \n", b"---x\n", b"    diff --git a/q b/q\n", b"From me to you.\n",
    b"Signed-off-by: A <a@example.org>\n", b"-- \nsignature\n", b"\xc3\xa4\xff\n",
    b"Content-Type: text/html\n\n", b"===\nIndex: q.c\n===\n", b"Only in d: q.c\n",
)  # fmt: skip


def new_file(name: str, *lines: str) -> bytes:
    body = "".join(f"+{line}\n" for line in lines)
    return (
        f"diff --git a/{name} b/{name}\nnew file mode 100644\nindex 0000000..1111111\n"
        f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{len(lines)} @@\n{body}"
    ).encode()


def plain(name: str, old: str, new: str, prefix: str = "a/") -> bytes:
    return f"--- {prefix}{name}\n+++ b/{name}\n@@ -1 +1 @@\n-{old}\n+{new}\n".encode()


CHANGE = (
    b"diff --git a/a.c b/a.c\nindex 1111111..2222222 100644\n--- a/a.c\n+++ b/a.c\n"
    b"@@ -1,5 +1,5 @@\n one\n two\n-three\n+drei\n four\n five\n"
)
DIFFS = (
    CHANGE,
    CHANGE.replace(b"three", b"five").replace(b"@@ -1,5 +1,5 @@", b"@@ -3,3 +3,3 @@")
    .replace(b" one\n two\n", b" three\n four\n").replace(b" four\n five\n", b""),
    plain("d/b.c", "int b;", "int c;"),
    plain("d/b.c", "int b;", "int d;", "linux dir/"),
    b"Index: d/b.c\n=====\n" + plain("d/b.c", "int b;", "int e;", "old/"),
    b"diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n",
    b"diff --git a/a.c b/moved.c\nsimilarity index 100%\nrename from a.c\nrename to moved.c\n",
    b"diff --git a/a.c b/copy.c\nsimilarity index 100%\ncopy from a.c\ncopy to copy.c\n",
    b"diff --git a/d/b.c b/d/b.c\ndeleted file mode 100644\nindex 1111111..0000000\n"
    b"--- a/d/b.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-int b;\n",
    b"diff --git a/empty.c b/empty.c\nnew file mode 100644\nindex 0000000..e69de29\n",
    new_file("n1.c", "int x;", "-- ", "From here"),
    new_file("n2.c", "char *s = \"\xe4\";"),
    new_file("d/n3.c", "", "\tint t;"),
    new_file("sp ace.c", "int s;"),
    new_file("n4.c", "x")[:-1] + b"\n\\ No newline at end of file\n",
    CHANGE.replace(b" one\n", b" one\r\n"),
    CHANGE.replace(b"a.c", b"run.sh"),
    b"diff --git a/x.bin b/x.bin\nnew file mode 100644\nindex 0000000..1111111\n"
    b"GIT binary patch\nliteral 2\nJcmZSJ00961D*ylh\n\nliteral 0\nHcmV?d00001\n\n",
    b"diff --git a/l b/l\nnew file mode 120000 \n"
    b"--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n",
    b"diff --git a/.gitattributes b/.gitattributes\nnew file mode 100644\n--- /dev/null\n"
    b"+++ b/.gitattributes\n@@ -0,0 +1 @@\n+*.c eol=crlf\n",
)  # fmt: skip
ENDS = (b"", b"-- \n2.40\n", b"\n", b"-- \n2.40\n\n", b"garbage\n", b"Thanks,\nA.\n")
LABELS = (
    "text/plain", "text/plain; charset=utf-8", "text/plain; charset=iso-8859-1", "text/html",
    "application/octet-stream", "text/x-patch; name=x.patch", "message/rfc822",
    "text/plain; format=flowed; delsp=yes", "text/plain; charset=utf-16", "TEXT/PLAIN",
    "text/plain; charset=no-such", "multipart/mixed", 'multipart/mixed; boundary=""',
)  # fmt: skip
CODES = ("", "", "", "base64", "quoted-printable", "8bit", "BASE64", "uuencode", "x-none")


def coded(data: bytes, label: str, code: str) -> bytes:
    """A part: its headers and its body."""
    head = f"Content-Type: {label}\n" if label else ""
    if code:
        head += f"Content-Transfer-Encoding: {code}\n"
    if code.lower() == "base64":
        data = base64.encodebytes(data)
    elif code == "quoted-printable":
        data = quopri.encodestring(data)
    return head.encode() + b"\n" + data


@st.composite
def body(draw: st.DrawFn) -> bytes:
    pieces = []
    for _ in range(draw(st.integers(0, 2))):
        pieces.append(draw(st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(0, 2))):
        pieces.append(draw(st.sampled_from((b"---\n", b"", b"\n", b"---\n a.c | 2 +-\n\n"))))
        pieces.append(draw(st.sampled_from(DIFFS)))
        pieces.append(draw(st.sampled_from(ENDS)))
    return b"".join(pieces)


@st.composite
def parts(draw: st.DrawFn) -> bytes:
    """Headers on the content, an empty line, the content."""
    kind = draw(st.sampled_from(("plain", "plain", "one", "one", "many", "nested")))
    if kind == "plain":
        return b"\n" + draw(body())
    if kind == "one":
        return coded(draw(body()), draw(st.sampled_from(LABELS)), draw(st.sampled_from(CODES)))
    found = []
    for _ in range(draw(st.integers(1, 3))):
        inner = draw(body())
        if kind == "nested" and draw(st.booleans()):
            found.append(
                b"Content-Type: multipart/alternative; boundary=in\n\n--in\n"
                + coded(inner, "text/plain", draw(st.sampled_from(CODES)))
                + b"\n--in--\n"
            )
        else:
            label, code = draw(st.sampled_from(LABELS)), draw(st.sampled_from(CODES))
            found.append(coded(inner, label, code))
    start, end = draw(st.sampled_from(((b"--q\n", b"--q--\n"), (b"--q \n", b""), (b"", b""))))
    rest = draw(st.sampled_from((b"", b"", DIFFS[10])))
    head = b'Content-Type: multipart/mixed;\n boundary="q"\n\n'
    return head + b"".join(start + one + b"\n" for one in found) + end + rest


@st.composite
def message(draw: st.DrawFn, number: int, total: int) -> bytes:
    subject = draw(st.sampled_from(SUBJECTS)).format(n=number, t=total)
    head = f"From: A <a@example.org>\nSubject: {subject}\nMIME-Version: 1.0\n"
    if draw(st.integers(0, 9)) == 0:
        head += "Subject: [PATCH 7/9] twice\n"
    return head.encode() + draw(parts())


@st.composite
def boxes(draw: st.DrawFn) -> bytes:
    """A mailbox, or a lone message."""
    total = draw(st.integers(1, 3))
    found = []
    for number in draw(st.permutations(range(1, total + 1))):
        found.append(draw(st.sampled_from(ENVELOPES)))
        found.append(draw(message(number, total)))
        found.append(draw(st.sampled_from((b"\n", b"\n", b"", b"\r\n"))))
    data = b"".join(found)
    if draw(st.integers(0, 5)) == 0:
        data = data.replace(b"\n", b"\r\n")
    if draw(st.integers(0, 7)) == 0:
        data = data[data.index(b"\n") + 1 :]
    return data
