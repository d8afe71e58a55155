# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches in mail: an mbox, a message, a bare diff, a folder of patches, a maildir."""

from __future__ import annotations

import contextlib
import email
import mailbox
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

from ctxlint.patches import diff
from ctxlint.patches.model import MAX_PATCH_BYTES, MAX_PATCHES, Mail, PatchError

MAX_INPUT = 4 * MAX_PATCH_BYTES

_FROM = re.compile(rb"^From \S+ +.*\d\d:\d\d:\d\d.* \d{4}\s*$", re.M)
_PREFIX = re.compile(r"^\s*\[([^\]]*)\]\s*")
_COUNT = re.compile(r"(?:^|\s)0*(\d+)/0*(\d+)(?:\s|$)")
_VERSION = re.compile(r"(?:^|[\s])v(\d+)(?:\s|$)|PATCHv(\d+)", re.I)
_BASE = re.compile(rb"^base-commit: *([0-9a-f]{7,64})\b", re.M)
_NEEDS = re.compile(rb"^prerequisite-patch-id:", re.M)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message: its number in the series (0: cover letter), and its diff."""

    number: int
    total: int
    version: int
    subject: str
    author: str
    mail: Mail
    diff: bytes
    base: str
    needs_others: bool


def from_bytes(data: bytes) -> list[Letter]:
    """The letters of an mbox, a single message or a bare diff."""
    if len(data) > MAX_INPUT:
        raise PatchError(f"the input has {len(data) >> 20} MB, more than {MAX_INPUT >> 20}")
    return [letter for raw in _split(data) if (letter := _letter(raw)) is not None]


def from_path(path: Path) -> list[Letter]:
    """The letters of a file, a folder of patches (in the order of their names), or a
    maildir."""
    if not path.is_dir():
        return from_bytes(_read(path))
    if all((path / name).is_dir() for name in ("cur", "new")):
        box = mailbox.Maildir(path, create=False)
        found = []
        for key in sorted(box.keys()):
            found += from_bytes(box.get_bytes(key))
        return found
    letters: list[Letter] = []
    for entry in sorted(path.iterdir()):
        if entry.suffix in (".patch", ".eml", ".mbox", ".diff") and _regular(entry):
            letters += from_bytes(_read(entry))
    return letters


def in_order(letters: list[Letter]) -> list[Letter]:
    """The patches of one series, by number, without answers and older versions.

    Raises :class:`PatchError` when there is none, or they are not one series.
    """
    patches = [letter for letter in letters if letter.diff]
    if not patches:
        raise PatchError(
            "no patch in the input",
            hint="Give an mbox, a .patch file, a folder of them, a maildir, or a git range.",
        )
    if len(patches) > MAX_PATCHES:
        raise PatchError(f"{len(patches)} patches, more than {MAX_PATCHES}")
    newest = max(letter.version for letter in patches)
    patches = [letter for letter in patches if letter.version == newest]
    if all(letter.number for letter in patches):
        unique: dict[int, Letter] = {}
        for letter in patches:
            known = unique.setdefault(letter.number, letter)
            if known is not letter and known.diff != letter.diff:
                raise PatchError(
                    f"two different patches are number {letter.number}",
                    hint="Give the messages of one series (b4 am makes such an mbox).",
                )
        patches = [unique[number] for number in sorted(unique)]
    return patches


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_INPUT:
            raise PatchError(f"{path}: larger than {MAX_INPUT >> 20} MB")
        return path.read_bytes()
    except OSError as error:
        raise PatchError(f"{path}: {error.strerror}") from error


def _regular(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _split(data: bytes) -> Iterator[bytes]:
    """Messages of an mbox. A line of a commit's text that starts with "From " divides
    nothing unless it looks like an envelope with a date."""
    starts = [m for m in _FROM.finditer(data) if _begins(data, m.start())]
    if not starts or data[: starts[0].start()].strip():
        yield data
        return
    ends = [m.start() for m in starts[1:]] + [len(data)]
    for match, end in zip(starts, ends, strict=True):
        yield re.sub(rb"^>(>*From )", rb"\1", data[match.end() + 1 : end], flags=re.M)


def _begins(data: bytes, at: int) -> bool:
    before = data[:at]
    return not before or before.endswith((b"\n\n", b"\n\r\n"))


def _letter(raw: bytes) -> Letter | None:
    head = raw.lstrip().split(b"\n", 1)[0]
    if not re.match(rb"[A-Za-z][\w-]*:", head):
        if not diff.has_diff(raw):
            return None
        return Letter(
            number=0, total=0, version=0, subject="", author="", mail=Mail(),
            diff=diff.diff_of(raw), base=_base(raw), needs_others=False,
        )  # fmt: skip
    message = email.message_from_bytes(raw.lstrip())
    subject = header(message, "Subject")
    body = _body(message)
    answer = re.match(r"\s*(?:re|aw|fwd?)\s*:", subject, re.I) is not None
    text = diff.diff_of(body) if diff.has_diff(body) and not answer else b""
    words, title = "", subject
    while match := _PREFIX.match(title):
        words += " " + match[1]
        title = title[match.end() :]
    count, version = _COUNT.search(words), _VERSION.search(words)
    return Letter(
        number=int(count[1]) if count else 0,
        total=int(count[2]) if count else 0,
        version=int(version[1] or version[2]) if version else 1,
        subject=title.strip() or subject.strip(),
        author=header(message, "From"),
        mail=Mail(
            subject=subject,
            message_id=header(message, "Message-ID").strip(),
            references=" ".join([*header(message, "References").split(), *_replied(message)]),
            to=header(message, "To"),
            cc=header(message, "Cc"),
            date=header(message, "Date"),
        ),
        diff=text,
        base=_base(body),
        needs_others=_NEEDS.search(body) is not None,
    )


def _replied(message: Message) -> list[str]:
    known = header(message, "References").split()
    return [i for i in header(message, "In-Reply-To").split() if i not in known]


def header(message: Message, name: str) -> str:
    """A header as one line of text; what cannot be decoded stays as it is."""
    raw = next((v for k, v in message.raw_items() if k.lower() == name.lower()), "")
    # Bytes that are not ASCII come as lone surrogates; people send plain UTF-8.
    value = str(raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    with contextlib.suppress(LookupError, UnicodeError, ValueError):
        value = str(make_header(decode_header(value)))
    return re.sub(r"\s+", " ", value).strip()


def _base(body: bytes) -> str:
    found = _BASE.search(body)
    return found[1].decode("ascii") if found else ""


def _body(message: Message) -> bytes:
    """The text parts, as UTF-8, with plain line ends."""
    parts = []
    for part in message.walk():
        if part.get_content_maintype() != "text" or part.get_content_subtype() == "html":
            continue
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes):
            continue
        charset = (part.get_content_charset() or "utf-8").lower()
        if charset not in ("utf-8", "us-ascii", "ascii", "unknown-8bit"):
            with contextlib.suppress(LookupError, UnicodeError):
                data = data.decode(charset).encode("utf-8")
        parts.append(data)
    body = b"\n".join(parts)
    lines = body.split(b"\n")
    if len(lines) > 1 and all(line.endswith(b"\r") for line in lines[:-1]):
        body = body.replace(b"\r\n", b"\n")
    return body
