# SPDX-License-Identifier: GPL-2.0-or-later
"""What a patch and a series are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ctxlint.base.errors import UsageError

MAX_PATCHES = 500
MAX_PATCH_BYTES = 16 << 20
MAX_FILES = 4000
"""Files that one patch may touch."""
MAX_HUNKS = 100_000
MAX_FILE_BYTES = 16 << 20
"""Size of a file after a patch; the largest header of the kernel has 15 MB."""
MAX_CONTENT = 512 << 20
"""Size of all files that a patch names, and of all that a series changes: a short patch
can make many copies of a large file."""
MAX_NAME = 1024
MAX_COMPONENT = 255
"""Bytes of a name and of one part of it; the latter is the limit of file systems."""


_LONGEST = 500


def _harmless(text: str) -> str:
    short = text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in short
    )


class PatchError(UsageError):
    """A patch that is malformed, unsafe or does not apply.

    ``number`` is its place in the series from 1, 0 when it is not known. Words of the
    sender in the message are made fit for a terminal, and cut.
    """

    def __init__(self, message: str, *, hint: str = "", number: int = 0) -> None:
        super().__init__(_harmless(message), hint=hint)
        self.number = number


@dataclass(frozen=True, kw_only=True)
class Hunk:
    """One hunk; ``lines`` are with their first character, without the line break.

    ``old_start`` and ``new_start`` count from 1 as in the patch.
    """

    header: str
    old_start: int
    new_start: int
    lines: tuple[str, ...]

    def new_lines(self) -> dict[int, int]:
        """Number in the new file -> index in ``lines`` of what is added or kept."""
        found: dict[int, int] = {}
        number = self.new_start
        for index, line in enumerate(self.lines):
            if line[:1] in ("+", " ", ""):
                found[number] = index
                number += 1
        return found


@dataclass(frozen=True, kw_only=True)
class FilePatch:
    """What a patch does to one file. ``old`` is None for a new file, ``new`` for a
    deleted one; names are relative to the tree."""

    old: str | None
    new: str | None
    hunks: tuple[Hunk, ...]


@dataclass(frozen=True, kw_only=True)
class Mail:
    """The headers that an answer needs. ``subject`` is with its ``[PATCH 1/2]``."""

    subject: str = ""
    message_id: str = ""
    references: str = ""
    to: str = ""
    cc: str = ""
    date: str = ""


@dataclass(frozen=True, kw_only=True)
class Patch:
    """One patch of a series.

    ``contents`` are the files that it changes, as they are after it (None: not there).
    ``commit`` is known for patches that come from git. ``subject`` and ``author`` are as
    the sender wrote them: clean them before showing them.
    """

    number: int
    total: int
    subject: str
    author: str
    files: tuple[FilePatch, ...]
    contents: Mapping[str, bytes | None]
    commit: str | None = None
    mail: Mail = field(default_factory=Mail)


@dataclass(frozen=True, kw_only=True)
class Series:
    """Patches in their order, over a base.

    ``base`` is a commit, None for a tree without git; ``base_from`` says how it was
    chosen, in words. ``difference`` are the files in which the base differs from what
    is on the disk. ``notes`` are sentences for the reader, ``gaps`` are those on what is
    not analysed though somebody may apply it. ``senders_base``: the base is one that the
    mail names and that HEAD does not come from, so its makefiles may be anybody's.
    """

    base: str | None
    base_from: str
    difference: Mapping[str, bytes | None]
    patches: tuple[Patch, ...]
    notes: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    senders_base: bool = False
