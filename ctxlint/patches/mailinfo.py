# SPDX-License-Identifier: GPL-2.0-or-later
"""The diff that ``git am`` takes from a message.

git's reader of mail takes every part for text and knows little of MIME; Python's
``email`` (and b4 with it) knows more. Usually they agree. Where they do not, a message
can show one patch to a checker and another to who applies it: then git's is analysed and
the difference is reported.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ctxlint.base import git
from ctxlint.patches import diff
from ctxlint.patches.apply import git_free_directory
from ctxlint.patches.mail import MailMessage
from ctxlint.patches.model import PatchError

_ENCODED = re.compile(rb"base64|quoted-printable|flowed", re.I)
# git's library may know a charset that Python does not, and decodes line by line.
_CHARSET = re.compile(rb'charset(?!\s*=\s*"?(?:us-ascii|utf-8)(?:[";\s]|$))', re.I)
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")


def as_git_reads(messages: Iterable[MailMessage]) -> list[MailMessage]:
    """The letters, with the diff that git takes where it is another one."""
    with git_free_directory("ctxlint-mail-") as (place, no_repository):
        return list(_compared(messages, place, no_repository))


def _compared(
    messages: Iterable[MailMessage], place: Path, no_repository: dict[str, str]
) -> Iterator[MailMessage]:
    for message in messages:
        gits = _patch(message.raw, place, no_repository) if _may_have_one(message) else None
        yield message if gits is None else _agreed(message, gits)


def _may_have_one(message: MailMessage) -> bool:
    """Whether there can be a diff: one that is to be seen, or an encoding or a charset that
    git undoes. git reads encoded words in the headers that name the encoding, too."""
    return (
        diff.has_diff(message.raw)
        or b"=?" in message.raw
        or _ENCODED.search(message.raw) is not None
        or _CHARSET.search(message.raw) is not None
    )


def _patch(raw: bytes, place: Path, no_repository: dict[str, str]) -> bytes | None:
    """What ``git am`` gives to ``git apply``; None when it takes nothing."""
    patch = place / "patch"
    patch.unlink(missing_ok=True)
    done = git.run(
        ["mailinfo", "-u", str(place / "message"), str(patch)],
        cwd=place,
        stdin=raw,
        extra=no_repository,
    )
    if done.returncode or not patch.exists():
        return None
    found = patch.read_bytes()
    return found if diff.has_diff(found) else None


def _agreed(message: MailMessage, gits: bytes) -> MailMessage:
    if not message.diff:
        problem = message.problem or "git am takes a diff from it that is in no text part"
        return dataclasses.replace(message, problem=problem)
    if _same(message.diff, gits) or not _changes(gits):
        return message
    if not message.mailed:
        doubt = "read as a message, it has different changes than read as a diff"
        return dataclasses.replace(message, doubt=doubt)
    return dataclasses.replace(
        message,
        diff=gits,
        problem="",
        doubt="git am takes other changes from it than a reader of MIME does; analysed are "
        "those that git am takes",
    )


def _same(one: bytes, other: bytes) -> bool:
    """Whether the changes are the same, but for the encoding of what is not ASCII."""
    one, other = (
        _NOT_ASCII.sub(b"?", text.replace(b"\r\n", b"\n")).strip() for text in (one, other)
    )
    if one == other:
        return True
    try:
        return diff.parse(one) == diff.parse(other)
    except PatchError:
        return False


def _changes(text: bytes) -> bool:
    """Whether a diff does more than to make empty files and to change modes."""
    try:
        files = diff.parse(text)
    except PatchError:
        return True
    return any(f.hunks or f.new is None or f.old not in (None, f.new) for f in files)
