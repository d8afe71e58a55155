# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches in mail: an mbox, a message, a bare diff, a folder of patches, a maildir."""

from __future__ import annotations

import codecs
import contextlib
import email
import email.errors
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from pathlib import Path

from ctxlint.patches import diff
from ctxlint.patches.model import MAX_PATCH_BYTES, Mail, PatchError
from ctxlint.patches.split import MAX_MAILS, split

MAX_INPUT = 4 * MAX_PATCH_BYTES
MAX_SUBJECT = 2000
MAX_HEADER = 16 << 10
MAX_FIELDS = 500
MAX_ADDRESS = 254
MAX_PARTS = 60
"""Parts of a message, nested ones included; git itself takes five levels."""
MAX_NUMBER = 9999
"""Largest number, total or version in the tag of a patch."""

# git takes them for headers, with what is folded below them.
_ENVELOPES = re.compile(rb"(?:>?From [^\n]*\n(?:[ \t][^\n]*\n)*)+")
# For Python's parser of messages a carriage return alone ends a line, too.
_LINE_END = re.compile(rb"\r\n?")
_FIELD = re.compile(rb"^[!-9;-~]+:[^\n]*(?:\n[ \t][^\n]*)*", re.M)
_CONTENT = re.compile(rb"^content-type:[^\n]*(?:\n[ \t][^\n]*)*", re.M | re.I)
_ANSWER = re.compile(r"\s*(?:re|aw|antw|fwd?|sv|wg)\s*(?:\[\d+\])?\s*:", re.I)
_VERSION = re.compile(r"(?:patch)?v(\d+)", re.I | re.A)
_ADDRESS = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@[A-Za-z0-9.-]+", re.A)
_PLAIN = re.compile(r"[\w !#$%&'*+/=?^`{|}~-]+")
_BASE = re.compile(rb"^base-commit: *([0-9a-f]{7,64})\b", re.M)
_NEEDS = re.compile(rb"^prerequisite-patch-id:", re.M)
_CHARSET = re.compile(
    r"utf-(?:7|8-sig|16|32)(?:-[lb]e)?|iso8859-\d+|cp\d+|koi8-[rtu]|gb\w+|big5\w*"
    r"|euc_\w+|shift_jis\w*|iso2022_\w+|mac-\w+|hz|johab|tis-620"
)


@dataclass(frozen=True, kw_only=True)
class MailMessage:
    """A message: its number in the series (0: cover letter, or no number), and its diff.

    ``raw`` is all of it; ``mailed`` distinguishes a message from a bare diff. ``answer``:
    its subject begins with "Re:". ``problem`` is a sentence on what it holds and was not
    read, ``doubt`` one on why what was read may not be all.
    """

    number: int
    total: int
    version: int
    subject: str
    author: str
    mail: Mail
    diff: bytes
    base: str
    needs_others: bool
    raw: bytes
    mailed: bool
    answer: bool = False
    problem: str = ""
    doubt: str = ""

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        if self.number or self.total:
            version = f"v{self.version} " if self.version > 1 else ""
            return f"patch {version}{self.number}/{self.total}"
        words = self.mail.subject or self.subject
        return f'"{words[:60]}"' if words else "a message without a subject"


def from_bytes(data: bytes) -> list[MailMessage]:
    """The letters of an mbox, a single message or a bare diff.

    Raises :class:`PatchError` for what is beyond a limit."""
    if len(data) > MAX_INPUT:
        raise PatchError(f"the input has {len(data) >> 20} MB, more than {MAX_INPUT >> 20}")
    return [_message(raw) for raw in split(data)]


def from_path(path: Path) -> list[MailMessage]:
    """The letters of a file, a folder of patches (in the order of their names), or a
    maildir (likewise, as ``git am`` reads one)."""
    if not path.is_dir():
        return from_bytes(_read(path))
    boxes = [path / name for name in ("cur", "new") if (path / name).is_dir()]
    if boxes:
        files = sorted(
            (entry for box in boxes for entry in _entries(box)),
            key=lambda entry: entry.name,
        )
    else:
        suffixes = (".patch", ".eml", ".mbox", ".diff")
        files = []
        for entry in _entries(path):
            if entry.suffix in suffixes:
                files.append(entry)
            elif diff.has_diff(_head(entry)):
                raise PatchError(
                    f"{entry}: has a diff but is not named like a patch",
                    hint=f"git am takes any file; call it {entry.stem}.patch, or move it away.",
                )
    messages: list[MailMessage] = []
    size = 0
    for entry in files:
        data = _read(entry)
        size += len(data)
        if size > MAX_INPUT:
            raise PatchError(f"{path}: more than {MAX_INPUT >> 20} MB of messages")
        messages += from_bytes(data)
        if len(messages) > MAX_MAILS:
            raise PatchError(f"{path}: more than {MAX_MAILS} messages")
    return messages


def _entries(folder: Path) -> list[Path]:
    entries = sorted(folder.iterdir())
    for entry in entries:
        if entry.is_symlink() and not entry.is_dir():
            raise PatchError(
                f"{entry}: a symbolic link", hint="git am follows it; name the file itself."
            )
    return [entry for entry in entries if _regular(entry)]


def _head(path: Path) -> bytes:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(1 << 16)
    return b""


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_INPUT + 1)
    except OSError as error:
        raise PatchError(f"{path}: {error.strerror}") from error
    if len(data) > MAX_INPUT:
        raise PatchError(f"{path}: larger than {MAX_INPUT >> 20} MB")
    return data


def _regular(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _message(raw: bytes) -> MailMessage:
    raw = raw.replace(b"\r\n", b"\n")  # as git mailsplit does
    top = _ENVELOPES.match(raw)
    headers = raw[top.end() :].lstrip() if top is not None else raw
    if not re.match(rb"[!-9;-~]+:", headers[:1000]):
        return MailMessage(
            number=0, total=0, version=0, subject="", author="", mail=Mail(),
            diff=raw if diff.has_diff(raw) else b"", base=_base(raw), needs_others=False,
            raw=raw, mailed=False,
        )  # fmt: skip
    _check_size(headers)
    try:
        message = email.message_from_bytes(headers)
    except TypeError as exc:  # numbered parameters beside others: Python sorts None and int
        raise PatchError("a content type that cannot be read", hint=_HINT_LIMIT) from exc
    subject = header(message, "Subject")
    if len(subject) > MAX_SUBJECT:
        raise PatchError(f"a subject of {len(subject)} characters", hint=_HINT_LIMIT)
    body, unread = _body(message)
    answer, words, title = _tag(subject)
    number, total, version = _numbers(words)
    return MailMessage(
        number=number,
        total=total,
        version=version,
        subject=title or subject.strip(),
        author=_author(message),
        mail=Mail(
            subject=subject,
            message_id=header(message, "Message-ID").strip(),
            references=" ".join([*header(message, "References").split(), *_replied(message)]),
            to=", ".join(_people(message, "To")),
            cc=", ".join(_people(message, "Cc")),
            date=header(message, "Date"),
        ),
        diff=diff.diff_of(body) if diff.has_diff(body) else b"",
        base=_base(body),
        needs_others=_NEEDS.search(body) is not None,
        raw=raw,
        mailed=True,
        answer=answer,
        problem=f"it has a diff in a part of type {unread}, which is not read"
        if unread
        else "",
    )


_HINT_LIMIT = "No message on a kernel list has one like that; it is not read."


def _check_size(raw: bytes) -> None:
    """Limits on what the parser of messages needs more than linear time or memory for."""
    raw = _LINE_END.sub(b"\n", raw)
    top = raw[: (re.search(rb"\n\n", raw) or re.search(rb"\Z", raw)).start()]  # type: ignore[union-attr]
    fields = 0
    for field in _FIELD.finditer(top):
        fields += 1
        if len(field[0]) > MAX_HEADER:
            name = field[0][:40].partition(b":")[0].decode("ascii", "replace")
            raise PatchError(
                f"a header ({name}) of {len(field[0]) >> 10} kB, more than {MAX_HEADER >> 10}",
                hint=_HINT_LIMIT,
            )
    if fields > MAX_FIELDS:
        raise PatchError(f"a message with {fields} headers", hint=_HINT_LIMIT)
    parts = 0
    for field in _CONTENT.finditer(raw):
        parts += 1
        if len(field[0]) > MAX_SUBJECT:
            raise PatchError("a content type of more than 2 kB", hint=_HINT_LIMIT)
    if parts > MAX_PARTS:
        raise PatchError(
            f"a message with {parts} parts, more than {MAX_PARTS}", hint=_HINT_LIMIT
        )


def _tag(subject: str) -> tuple[bool, list[str], str]:
    """Whether a subject is that of an answer, the words in its brackets, and the rest."""
    answer = False
    words: list[str] = []
    at = 0
    while True:
        while at < len(subject) and subject[at].isspace():
            at += 1
        match = _ANSWER.match(subject, at)
        if match is not None:
            answer = True
            at = match.end()
            continue
        end = subject.find("]", at) if subject.startswith("[", at) else -1
        if end < 0:
            return answer, words, subject[at:].strip()
        words += subject[at + 1 : end].replace(",", " ").split()
        at = end + 1


def _numbers(words: Iterable[str]) -> tuple[int, int, int]:
    """Number, total and version out of the words of a tag (0, 0, 1 by default)."""
    number = total = 0
    version = 1
    for word in words:
        first, slash, second = word.partition("/")
        if slash and _digits(first) and _digits(second):
            number, total = _number(first), _number(second)
        elif match := _VERSION.fullmatch(word):
            version = _number(match[1])
        elif _digits(word) and len(word) > 100:
            _number(word)
    return number, total, version


def _digits(word: str) -> bool:
    return word.isascii() and word.isdigit()


def _number(word: str) -> int:
    short = word.lstrip("0") or "0"
    if len(word) > 100 or len(short) > len(str(MAX_NUMBER)):
        raise PatchError(
            f"a number of {len(word)} digits in the tag of a patch", hint=_HINT_LIMIT
        )
    return int(short)


def _replied(message: Message) -> list[str]:
    known = set(header(message, "References").split())
    return [i for i in header(message, "In-Reply-To").split() if i not in known]


def header(message: Message, name: str) -> str:
    """A header as one line of text; what cannot be decoded stays as it is."""
    return _decoded(_raw(message, name))


def _raw(message: Message, name: str) -> str:
    raw = next((v for k, v in message.raw_items() if k.lower() == name.lower()), "")
    # Bytes that are not ASCII come as lone surrogates; people send plain UTF-8.
    return str(raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _decoded(value: str) -> str:
    if "=?" in value:
        with contextlib.suppress(
            LookupError, UnicodeError, ValueError, email.errors.MessageError
        ):
            value = str(make_header(decode_header(value)))
    return " ".join(value.split())


def _people(message: Message, name: str) -> list[str]:
    """The addresses of a header, each with its name in a form that is read again as the
    same. They are told apart before names are decoded: an encoded name may hold what
    looks like another address."""
    try:
        pairs = getaddresses([_raw(message, name)])
    except RecursionError:
        return []
    found = []
    for who, address in pairs:
        if len(address) > MAX_ADDRESS or not _ADDRESS.fullmatch(address):
            continue
        person = _decoded(who)
        if not person:
            found.append(address)
        elif _PLAIN.fullmatch(person):
            found.append(f"{person} <{address}>")
        else:
            quoted = re.sub(r'(["\\])', r"\\\1", person)
            found.append(f'"{quoted}" <{address}>')
    return found


def _author(message: Message) -> str:
    """One person; without an address, words that are none."""
    people = _people(message, "From")
    if people:
        return people[0]
    return " ".join(re.sub(r"[^\w .'-]", " ", header(message, "From")[:200]).split())


def _base(body: bytes) -> str:
    found = _BASE.search(body)
    return found[1].decode("ascii") if found else ""


def _body(message: Message) -> tuple[bytes, str]:
    """The text parts, as UTF-8, with plain line ends, and the type of a part that has a
    diff too and is no text (``""``: there is none)."""
    parts = []
    unread = ""
    for part in message.walk():
        if part.is_multipart():
            continue
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes):
            continue
        kind = part.get_content_type()
        if not kind.startswith("text/") or kind == "text/html":
            if diff.has_diff(data):
                unread = unread or kind[:80]
            continue
        text = _utf8(data, part)
        if text.count(b"\r\n") == text.count(b"\n"):
            text = text.replace(b"\r\n", b"\n")
        parts.append(text)
    return b"\n".join(parts), unread


def _utf8(data: bytes, part: Message) -> bytes:
    """Text of a part in UTF-8; as it is in a charset that is not known."""
    with contextlib.suppress(LookupError, ValueError, TypeError, email.errors.MessageError):
        charset = part.get_content_charset() or "utf-8"
        # Names of other codecs of Python are no charsets of mail, and some are slow.
        if len(charset) <= 40 and _CHARSET.fullmatch(codecs.lookup(charset).name):
            return data.decode(charset).encode("utf-8")
    return data
