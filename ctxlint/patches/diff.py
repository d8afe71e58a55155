# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading the diff of a patch, and refusing what is not fit to be applied.

git applies the patch later. This reading comes first, so that every name and mode in
it is known and checked, and a report can quote the hunks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ctxlint.patches.model import (
    MAX_COMPONENT,
    MAX_FILES,
    MAX_HUNKS,
    MAX_NAME,
    MAX_PATCH_BYTES,
    FilePatch,
    Hunk,
    PatchError,
)

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)$", re.S | re.A)
# git takes a mode with blanks or anything else behind it for that mode.
_MODE = re.compile(r"^(?:old mode|new mode|new file mode|deleted file mode) (.*)$", re.S)
_INDEX = re.compile(r"^index [^ .]*\.\.\S* (.*)$", re.S)
_FILE_MODES = {"100644", "100755", "100664"}
_KINDS = {"120000": "a symbolic link", "160000": "a submodule", "040000": "a directory"}
# As mailinfo.c of git has it.
_START = re.compile(rb"^(?:diff -|Index: |--- \S|---[ \t\r\f\v]*$)", re.M)
_DIFF = re.compile(rb"^(?:diff --git |---[ \t].*\n\+\+\+[ \t])", re.M)


def diff_of(body: bytes) -> bytes:
    """The part of a message after the commit's text (as ``git mailinfo`` divides it)."""
    found = _START.search(body)
    return body[found.start() :] if found else b""


def has_diff(body: bytes) -> bool:
    """Whether a message holds a patch at all."""
    return _DIFF.search(diff_of(body)) is not None


def parse(diff: bytes) -> tuple[FilePatch, ...]:
    """The files of a diff, in its order.

    Raises :class:`PatchError` for what is malformed, binary, too large, names something
    outside the tree, or makes anything but a regular file.
    """
    if len(diff) > MAX_PATCH_BYTES:
        raise PatchError(
            f"the patch has {len(diff) >> 20} MB, more than {MAX_PATCH_BYTES >> 20}",
            hint="A patch of that size is not read.",
        )
    if b"\0" in diff:
        raise PatchError("the patch has NUL bytes: it is binary or damaged")
    lines = diff.decode("utf-8", "surrogateescape").split("\n")
    files = [f.done() for f in _files(lines)]
    if len(files) > MAX_FILES:
        raise PatchError(f"the patch touches {len(files)} files, more than {MAX_FILES}")
    return tuple(files)


@dataclass
class _File:
    """A file whose headers are being read. Names are None until they are met,
    ``""`` is /dev/null."""

    old: str | None = None
    new: str | None = None
    git: tuple[str, str] | None = None
    hunks: list[Hunk] = field(default_factory=list)
    added: bool = False
    deleted: bool = False

    def done(self) -> FilePatch:
        if self.old is None and self.new is None and self.git is not None:
            self.old, self.new = self.git  # a change of mode, or an empty file
        if self.old is None or self.new is None:
            raise PatchError("a file header of the patch is incomplete")
        old = None if self.added or not self.old else self.old
        new = None if self.deleted or not self.new else self.new
        if old is None and new is None:
            raise PatchError("a file header of the patch names no file")
        return FilePatch(old=old, new=new, hunks=tuple(self.hunks))


def _files(lines: list[str]) -> Iterator[_File]:
    at = hunks = 0
    current: _File | None = None
    while at < len(lines):
        line = lines[at].removesuffix("\r")
        if line.startswith("diff --git "):
            if current is not None:
                yield current
            current = _File(git=_git_names(line, at))
        elif line.startswith("--- ") and at + 1 < len(lines):
            following = lines[at + 1].removesuffix("\r")
            if following.startswith("+++ "):
                if current is None or current.hunks:
                    if current is not None:
                        yield current
                    current = _File()
                _take_names(current, line, following, at)
                at += 2
                while at < len(lines) and (match := _HUNK.match(lines[at].removesuffix("\r"))):
                    hunk, at = _hunk(lines, at, match)
                    current.hunks.append(hunk)
                    hunks += 1
                    if hunks > MAX_HUNKS:
                        raise PatchError(f"the patch has more than {MAX_HUNKS} hunks")
                if not current.hunks:
                    raise PatchError(f"line {at}: a file of the patch has no hunk")
                continue
        elif line.startswith(("GIT binary patch", "Binary files ")) and current is not None:
            name = current.git[1] if current.git else "a file"
            raise PatchError(
                f"{_shown(name)}: binary",
                hint="Only text patches are read; leave this file out.",
            )
        elif current is not None:
            _header(current, line, at)
        at += 1
    if current is not None:
        yield current


def _header(current: _File, line: str, at: int) -> None:
    found = _MODE.match(line) or _INDEX.match(line)
    if found is not None:
        mode = found[1].strip()
        if mode not in _FILE_MODES:
            kind = _KINDS.get(mode[:6], f"a file of mode {_shown(mode)}")
            name = current.git[1] if current.git else "a file"
            raise PatchError(
                f"{_shown(name)}: the patch makes or changes {kind}",
                hint="Only regular files are patched; leave this part out.",
            )
        current.added |= line.startswith("new file mode")
        current.deleted |= line.startswith("deleted file mode")
    for word in ("rename", "copy"):
        if line.startswith(f"{word} from "):
            current.old = checked_name(_unquote(line[len(word) + 6 :], at))
        elif line.startswith(f"{word} to "):
            current.new = checked_name(_unquote(line[len(word) + 4 :], at))


def _take_names(current: _File, old: str, new: str, at: int) -> None:
    for attribute, line in (("old", old), ("new", new)):
        name = _unquote(line[4:].split("\t")[0], at)
        short = "" if name == "/dev/null" else checked_name(_without_prefix(name, at))
        known = getattr(current, attribute)
        if known is not None and known != short:
            raise PatchError(
                f"line {at + 1}: the patch contradicts itself about {_shown(short)}"
            )
        setattr(current, attribute, short)
    if current.git is not None and current.new and current.new != current.git[1]:
        raise PatchError(f"line {at + 1}: the patch contradicts itself about its file")


def _hunk(lines: list[str], at: int, match: re.Match[str]) -> tuple[Hunk, int]:
    if any(len(match[n] or "") > 9 for n in (1, 2, 3, 4)):
        raise PatchError(f"line {at + 1}: a number of more than 9 digits in a hunk")
    old_start, new_start = int(match[1]), int(match[3])
    old = int(match[2]) if match[2] else 1
    new = int(match[4]) if match[4] else 1
    header, first = lines[at].removesuffix("\r"), at
    taken: list[str] = []
    at += 1
    while old > 0 or new > 0:
        if at >= len(lines):
            raise PatchError(f"line {first + 1}: the hunk is cut short")
        line = lines[at]
        kind = line[:1]
        if kind == "\\":
            at += 1
            continue
        if kind not in ("+", "-", " ", "", "\r") or (at == len(lines) - 1 and not line):
            raise PatchError(
                f"line {at + 1}: not a line of a hunk", hint="The patch is damaged."
            )
        old -= kind != "+"
        new -= kind != "-"
        taken.append(line.removesuffix("\r"))
        at += 1
    if old < 0 or new < 0:
        raise PatchError(f"line {first + 1}: the hunk does not match its header")
    if at < len(lines) and lines[at].startswith("\\"):
        at += 1
    return Hunk(header=header, old_start=old_start, new_start=new_start, lines=tuple(taken)), at


def _git_names(line: str, at: int) -> tuple[str, str]:
    """Both names of a ``diff --git`` line. Unquoted names with blanks are taken only
    when both are the same, as git does."""
    rest = line[len("diff --git ") :]
    if len(rest) > 8 * MAX_NAME + 20:
        raise PatchError(f"line {at + 1}: names of {len(rest)} characters")
    if rest.startswith('"'):
        end = re.match(r'"(?:[^"\\]|\\.)*"', rest)
        if end is None:
            raise PatchError(f"line {at + 1}: a quoted name is not terminated")
        old, new = end[0], rest[end.end() + 1 :]
    elif ' "' in rest:
        old, _, new = rest.partition(' "')
        new = '"' + new
    else:
        half = len(rest) // 2
        if (
            len(rest) % 2
            and rest[half] == " "
            and (rest[:half].partition("/")[2] == rest[half + 1 :].partition("/")[2])
        ):
            old, new = rest[:half], rest[half + 1 :]
        else:
            old, _, new = rest.partition(" ")
    names = [checked_name(_without_prefix(_unquote(n, at), at)) for n in (old, new)]
    return names[0], names[1]


_ESCAPES = {"n": 10, "t": 9, "r": 13, "a": 7, "b": 8, "f": 12, "v": 11, '"': 34, "\\": 92}


def _unquote(name: str, at: int) -> str:
    """A name as git quotes it (C escapes, octal bytes)."""
    if len(name) > 4 * MAX_NAME + 10:
        raise PatchError(f"line {at + 1}: a name of {len(name)} characters")
    if not name.startswith('"'):
        return name
    if len(name) < 2 or not name.endswith('"'):
        raise PatchError(f"line {at + 1}: a quoted name is not terminated")
    out = bytearray()
    for part in re.finditer(r"\\([0-3][0-7]{2}|.)|([^\\]+)", name[1:-1]):
        if part[2] is not None:
            out += part[2].encode("utf-8", "surrogateescape")
        elif len(part[1]) == 3:
            out.append(int(part[1], 8))
        elif part[1] in _ESCAPES:
            out.append(_ESCAPES[part[1]])
        else:
            raise PatchError(f"line {at + 1}: a quoted name is malformed")
    return out.decode("utf-8", "surrogateescape")


def _without_prefix(name: str, at: int) -> str:
    """``a/`` or ``b/`` (or any first directory) taken off, as ``patch -p1`` does."""
    if name.startswith("/"):
        raise PatchError(
            f"{_shown(name)}: an absolute name", hint="Names in a patch start with a/ and b/."
        )
    _, slash, rest = name.partition("/")
    if not slash or not rest:
        raise PatchError(
            f"line {at + 1}: {_shown(name)} has no directory to strip",
            hint="Names in a patch start with a/ and b/ (git diff without --no-prefix).",
        )
    return rest


def checked_name(name: str) -> str:
    """``name`` when it is a plain name of a file below the tree.

    Raises :class:`PatchError` for absolute names, ``..``, anything of git's own
    (``.git`` in any spelling that a file system may take for it), and characters that
    no file of a kernel has.
    """
    if any(not c.isprintable() or c == "\\" or "\ud800" <= c <= "\udfff" for c in name):
        raise PatchError(f"{_shown(name)}: a file name with unprintable characters")
    parts = name.split("/")
    if name.startswith("/") or any(p in ("", ".", "..") for p in parts):
        raise PatchError(
            f"{_shown(name)}: not a name below the tree",
            hint="The patch reaches outside of the tree; it is not applied.",
        )
    for part in parts:
        plain = part.lower().rstrip(". ").partition(":")[0].rstrip(". ")
        if plain == ".git" or re.fullmatch(r"git~\d+", plain) or plain == ".gitmodules":
            raise PatchError(f"{_shown(name)}: one of git's own files")
    if len(name.encode()) > MAX_NAME or len(parts) > 64:
        raise PatchError(f"{_shown(name)}: a name of {len(name)} characters")
    if any(len(part.encode()) > MAX_COMPONENT for part in parts):
        raise PatchError(
            f"{_shown(name)}: a part of a name with more than {MAX_COMPONENT} bytes"
        )
    return name


def _shown(name: str) -> str:
    """Fit for a terminal: the name comes from a stranger."""
    if len(name) > 80:
        return _shown(name[:60]) + "..."
    return name.encode("unicode_escape", "surrogatepass").decode("ascii").replace("\\\\", "\\")
