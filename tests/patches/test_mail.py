# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches out of mail."""

from __future__ import annotations

import base64
import contextlib
import mailbox
import quopri
from email.utils import getaddresses
from pathlib import Path

import pytest

from ctxlint.patches import PatchError, mail
from ctxlint.patches.mail import MailMessage
from ctxlint.patches.order import choose

DIFF = "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n"


def message(number: int, *, total: int = 3, version: str = "", body: str = DIFF) -> bytes:
    head = (
        f"From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\nMessage-ID: <{number}@x>\n"
        f"Subject: [PATCH{version} {number}/{total}] part {number}\n"
        f"Date: Fri, 2 Jan 2026 03:04:05 +0000\n\nText.\n---\n\n"
    )
    return (head + body).encode()


def mbox(*messages: bytes) -> bytes:
    envelope = b"From 0123456789 Mon Sep 17 00:00:00 2001\n"
    return b"\n".join(envelope + one for one in messages)


def chosen(messages: list[MailMessage]) -> list[MailMessage]:
    return list(choose(messages).patches)


def subjects(data: bytes) -> list[str]:
    return [one.subject for one in chosen(mail.from_bytes(data))]


def test_order_cover_answers_and_versions() -> None:
    cover = message(0, body="base-commit: 0123456789abcdef\n")
    answer = message(2).replace(b"Subject: ", b"Subject: Re: ")
    data = mbox(message(3), answer, cover, message(1), message(2))
    assert subjects(data) == ["part 1", "part 2", "part 3"]
    assert {one.base for one in mail.from_bytes(data)} == {"", "0123456789abcdef"}
    newer = mbox(message(1), message(1, version=" v2", total=1))
    assert [one.version for one in chosen(mail.from_bytes(newer))] == [2]


def test_a_line_that_begins_with_from_divides_nothing() -> None:
    body = DIFF + "-- \nFrom here on it is text, 12 of it.\n"
    (one,) = mail.from_bytes(mbox(message(1, body=body)))
    assert b"From here on" in one.diff


def test_headers() -> None:
    (one,) = mail.from_bytes(message(1))
    assert (one.author, one.number, one.total) == ("Jörg <joerg@example.org>", 1, 3)
    assert one.mail.message_id == "<1@x>"
    assert one.mail.subject == "[PATCH 1/3] part 1"


def test_header_injection() -> None:
    encoded = base64.b64encode(b"x\nBcc: evil@example.org\n\nbody").decode()
    raw = f"From: a@b\nSubject: =?utf-8?b?{encoded}?=\n\n---\n{DIFF}".encode()
    (one,) = mail.from_bytes(raw)
    assert "\n" not in one.mail.subject


def test_a_name_is_no_address() -> None:
    """What a name says after decoding does not become somebody to write to."""
    for name in (
        "=?utf-8?q?=0aBcc:_v=40example.org?=",
        "=?utf-8?q?v=40example.org=2C?=",
        '"v@example.org, x"',
        "=?utf-8?b?" + base64.b64encode(b'" <v@example.org>, "').decode() + "?=",
        "=?utf-8?q?=3Cv=40example.org=3E?=",
        "\u00e4 =?utf-8?q?=22=5C=22=3Cv=40example.org=3E?=",
        "(v@example.org)",
        "=?utf-8?q?=3D=3Futf-8=3Fq=3F=3D2C=5Fv=3D40example.org=3F=3D?=",
    ):
        raw = f"From: {name} <l@example.org>\nTo: {name} <l@example.org>\n"
        (one,) = mail.from_bytes(f"{raw}Subject: x\n\n---\n{DIFF}".encode())
        for value in (one.author, one.mail.to):
            assert [a for _, a in getaddresses([value])] == ["l@example.org"], value
    for value in (
        "a@b, c@d",
        "(" * 5000,
        "x: a@b, c@d;",
        "<<a@b>>",
        "a@b" * 90,
        "@",
        "a@b,c@d",
    ):
        (one,) = mail.from_bytes(f"From: {value}\nTo: {value}\n\n---\n{DIFF}".encode())
        assert len(getaddresses([one.author])) <= 1


def test_transfer_encodings() -> None:
    head = b"From: a@b\nSubject: [PATCH] x\nContent-Type: text/plain; charset=utf-8\n"
    quoted = head + b"Content-Transfer-Encoding: quoted-printable\n\n"
    coded = head + b"Content-Transfer-Encoding: base64\n\n"
    text = ("---\n" + DIFF.replace("+b", "+b = ä")).encode()
    for raw in (quoted + quopri.encodestring(text), coded + base64.encodebytes(text)):
        (one,) = mail.from_bytes(raw)
        assert "+b = ä".encode() in one.diff
    (one,) = mail.from_bytes(head + b"\n" + text.replace(b"\n", b"\r\n"))
    assert b"\r" not in one.diff


def test_attached() -> None:
    raw = (
        'From: a@b\nSubject: [PATCH] x\nContent-Type: multipart/mixed; boundary="q"\n\n'
        "--q\nContent-Type: text/plain\n\nSee the attachment.\n"
        f"--q\nContent-Type: text/x-patch\n\n{DIFF}\n--q\n"
        "Content-Type: text/html\n\n<p>--- a/evil.c</p>\n--q--\n"
    ).encode()
    (one,) = mail.from_bytes(raw)
    assert b"+b" in one.diff and b"evil" not in one.diff


def test_bare_diff_folder_and_maildir(tmp_path: Path) -> None:
    assert len(chosen(mail.from_bytes(DIFF.encode()))) == 1
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"000{number}-x.patch").write_bytes(message(number))
    (folder / "notes.txt").write_bytes(b"No patch.\n")
    assert [one.number for one in mail.from_path(folder)] == [1, 2]
    (folder / "0003-x.txt").write_bytes(message(3))
    with pytest.raises(PatchError, match="not named like a patch"):
        mail.from_path(folder)
    (folder / "0003-x.txt").unlink()
    (folder / "0000-link.patch").symlink_to("/etc/passwd")
    with pytest.raises(PatchError, match="a symbolic link"):
        mail.from_path(folder)
    (folder / "new").mkdir()  # a maildir then, for git am
    (folder / "new/1").write_bytes(message(2))
    assert [one.number for one in mail.from_path(folder)] == [2]
    box = mailbox.Maildir(tmp_path / "box")
    for number in (2, 1):
        box.add(message(number))
    found = chosen(mail.from_path(tmp_path / "box"))
    assert [one.number for one in found] == [1, 2]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no patch"),
        (b"From: a@b\nSubject: hello\n\nno patch here\n", "no patch"),
        (mbox(message(1), message(1, body=DIFF.replace("+b", "+c"))), "two different"),
        (b"x" * (mail.MAX_INPUT + 1), "MB"),
    ],
)
def test_what_is_no_series(data: bytes, words: str) -> None:
    with pytest.raises(PatchError, match=words):
        chosen(mail.from_bytes(data))


def test_hostile_headers_do_not_break_it() -> None:
    heads = [
        b"Subject: =?utf-8?b?!!!?=",
        b"Subject: =?no-such-charset?q?x?=",
        b"Subject: \xff\xfe\x00",
        b"Content-Type: text/plain; charset=zlib",
        b"Content-Type: text/plain; a*1*=b; a*=c",
        b"Content-Type: multipart/mixed",
        b"Content-Type: multipart/mixed; boundary=q; a*1*=b; a*=c",
        b"Content-Type: " + b"multipart/mixed; boundary=" * 500,
        b"Content-Transfer-Encoding: uuencode",
    ]
    for head in heads:
        with contextlib.suppress(PatchError):
            mail.from_bytes(b"From: a@b\n" + head + b"\n\n---\n" + DIFF.encode())


@pytest.mark.parametrize(
    "part",
    [
        'X: y\rContent-Type: multipart/mixed; boundary="b"\r\r--b',
        "X: y\rContent-Type: message/rfc822\r\r--a",
    ],
)
def test_lines_that_a_carriage_return_ends_count(part: str) -> None:
    """The parser of messages takes it for the end of a line, so a limit has to."""
    text = "".join(f"{part}\n".replace("b", f"b{n}") for n in range(mail.MAX_PARTS + 1))
    head = "Subject: x\nContent-Type: multipart/mixed; boundary=a\n\n--a\n"
    with pytest.raises(PatchError, match="parts, more than"):
        mail.from_bytes(f"{head}{text}\n\n{DIFF}".encode())
    long = f"{head}X: y\rContent-Type: text/plain{'; a=b' * 1000}\r\r{DIFF}"
    with pytest.raises(PatchError, match="content type of more than"):
        mail.from_bytes(long.encode())
