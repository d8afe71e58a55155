# SPDX-License-Identifier: GPL-2.0-or-later
"""Applying a diff to contents, in a directory of its own outside of any repository.

git decides whether a hunk fits, as it does for ``git am``. The directory holds the files
that the diff names and nothing else, and is gone afterwards. ``.gitattributes``, which git
would obey, stays out of it.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ctxlint.base import git
from ctxlint.base.processes import scratch
from ctxlint.patches.model import MAX_CONTENT, MAX_FILE_BYTES, FilePatch, Hunk, PatchError

Read = Callable[[str], bytes | None]
"""The content of a file before the patch; None when there is none."""

_ATTRIBUTES = re.compile(r"(?:^|/)\.gitattributes$", re.I)


def apply(diff: bytes, files: Sequence[FilePatch], read: Read) -> dict[str, bytes | None]:
    """Contents of the files that a diff changes, after it (None: deleted).

    ``files`` are what :func:`ctxlint.patches.diff.parse` found in ``diff``. Raises
    :class:`PatchError` that names the file and the hunk when it does not apply.
    """
    names = dict.fromkeys(n for f in files for n in (f.old, f.new) if n is not None)
    before = {name: read(name) for name in names if not _ATTRIBUTES.search(name)}
    skipped = left_out(files)
    if not before:
        return {}
    size = len(diff) + sum(len(before.get(file.old or "") or b"") for file in files)
    if size > MAX_CONTENT:
        raise PatchError(
            f"the patch makes files of {size >> 20} MB, more than {MAX_CONTENT >> 20}",
            hint="Patches of that size are not read.",
        )
    with git_free_directory("ctxlint-apply-") as (place, no_repository):
        root = place / "tree"
        root.mkdir()
        for name, data in before.items():
            if data is not None:
                _write(root, name, data)
        done = git.run(
            ["apply", "--whitespace=nowarn", *(f"--exclude={n}" for n in skipped), "-"],
            cwd=root,
            stdin=diff,
            extra=no_repository,
        )
        if done.returncode:
            raise _does_not_apply(done.stderr.decode("utf-8", "replace"), files)
        after = _collect(root)
    unknown = sorted(set(after) - set(before))
    if unknown:
        raise PatchError(f"{unknown[0]!r}: the patch wrote a file that it does not name")
    return {name: after.get(name) for name in sorted(before) if after.get(name) != before[name]}


def left_out(files: Sequence[FilePatch]) -> list[str]:
    """Names in a patch that are not patched, as git would obey these files.

    Raises :class:`PatchError` when one becomes another file or another becomes it."""
    found = set()
    for file in files:
        both = {name for name in (file.old, file.new) if name is not None}
        attributes = {name for name in both if _ATTRIBUTES.search(name)}
        if attributes and len(both) > 1:
            raise PatchError(f"{min(attributes)}: renamed or copied, which is not supported")
        found |= attributes
    return sorted(found)


_NO_NAME = "0" * 256
"""A name that no file has: the file systems of Linux end at 255 bytes."""


@contextlib.contextmanager
def git_free_directory(prefix: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """An empty directory of the user's alone, and variables with which git, started
    below it, finds no repository anywhere.

    GIT_DIR lies beside what is written for a series, never in it: whatever a series
    makes there, git must not take it for its own configuration.
    """
    try:
        with scratch(prefix) as place:
            nowhere = place / "no-repository"
            if os.path.lexists(nowhere):
                raise PatchError(f"{nowhere} exists, and git would read it")
            yield (
                place,
                {
                    "GIT_DIR": str(nowhere / _NO_NAME),
                    "GIT_CEILING_DIRECTORIES": str(place),
                },
            )
            if os.path.lexists(nowhere):
                raise PatchError(f"{nowhere} was made, and git may have read it")
    except OSError as error:
        raise PatchError(
            f"a temporary directory cannot be used: {error}",
            hint="Set TMPDIR to use another directory.",
        ) from error


def _write(root: Path, name: str, data: bytes) -> None:
    path = root / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise PatchError(f"{name}: {error.strerror}") from error


def _collect(root: Path) -> dict[str, bytes]:
    """All files below ``root``; nothing but directories and regular files may be there."""
    found = {}
    for folder, directories, names in os.walk(root):
        for name in (*directories, *names):
            path = Path(folder, name)
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode):
                continue
            shown = path.relative_to(root).as_posix()
            if not stat.S_ISREG(status.st_mode):
                raise PatchError(f"{shown!r}: the patch makes something other than a file")
            if status.st_size > MAX_FILE_BYTES:
                raise PatchError(f"{shown}: {status.st_size >> 20} MB after the patch")
            found[shown] = path.read_bytes()
    return found


_FAILED = re.compile(r"^error: patch failed: (.+):(\d+)$", re.M)
_ERROR = re.compile(r"^error: (.+)$", re.M)


def _does_not_apply(output: str, files: Sequence[FilePatch]) -> PatchError:
    failed = _FAILED.search(output)
    if failed is not None:
        hunk = _hunk_at(files, failed[1], int(failed[2]))
        which = f", hunk {hunk[0]} ({hunk[1].header})" if hunk else f", line {failed[2]}"
        return PatchError(
            f"{failed[1]}{which} does not fit",
            hint="Is the base right? --base names another commit.",
        )
    error = _ERROR.search(output)
    return PatchError(
        error[1] if error else "git apply failed",
        hint="Is the base right? --base names another commit.",
    )


def _hunk_at(files: Sequence[FilePatch], name: str, line: int) -> tuple[int, Hunk] | None:
    """The hunk that git means; its line is that of the hunk in the old file."""
    for file in files:
        if name in (file.old, file.new):
            for number, hunk in enumerate(file.hunks, 1):
                if hunk.old_start == line:
                    return number, hunk
    return None
