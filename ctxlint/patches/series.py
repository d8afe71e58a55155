# SPDX-License-Identifier: GPL-2.0-or-later
"""From what the user names to a series: which patches, on which base."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ctxlint.patches import diff, revisions
from ctxlint.patches import mail as letters_of
from ctxlint.patches.apply import apply, left_out
from ctxlint.patches.git import Repository
from ctxlint.patches.mail import MailMessage
from ctxlint.patches.mailinfo import as_git_reads
from ctxlint.patches.model import (
    MAX_CONTENT,
    MAX_FILE_BYTES,
    MAX_PATCHES,
    Patch,
    PatchError,
    Series,
)
from ctxlint.patches.order import choose

MAX_DIFFERENT = 5000
"""Files in which the base may differ from the disk."""


MAX_SECONDS = 600
"""Time for applying a series: hunks can be made so that git searches long for each."""
_SENDERS = "the series' base-commit"


def open_series(
    source: str,
    *,
    tree: Path,
    base: str | None = None,
    stdin: bytes | None = None,
    tracking: bytes | None = None,
    singly: bool = False,
) -> Series:
    """The series that ``source`` names, applied to its base.

    ``source`` is a file or a folder (an mbox, a patch, a folder of patches, a maildir),
    ``"-"`` for ``stdin``, or a range or branch of the repository that ``tree`` is the
    work tree of. ``base`` is a commit. ``tracking`` is what b4 review says of the series
    that the input belongs to (the file in B4_TRACKING_FILE). ``singly``: messages of a
    series are handed over one by one, so a lone one is not a series that lacks the rest.
    Raises :class:`PatchError` for a patch that is malformed, unsafe or does not apply.
    """
    repository = Repository(tree) if (tree / ".git").exists() else None
    if base is not None and repository is None:
        raise PatchError(
            f"{tree}: not a git repository, so there is no commit {base!r}",
            hint="Leave --base out: the series is applied to the files as they are.",
        )
    if source == "-":
        messages = letters_of.from_bytes(stdin or b"")
    elif os.path.exists(source):  # noqa: PTH110 - Path.exists() fails for a long name
        messages = letters_of.from_path(Path(source))
    elif repository is None:
        raise PatchError(
            f"{source!r}: no such file, and the tree is not a git repository",
            hint="Give an mbox, a .patch file, a folder of patches, a maildir or '-'.",
        )
    else:
        return _of_range(repository, source, base)
    review = _under_review(repository, tracking)
    if repository is not None and review is not None and not any(x.diff for x in messages):
        return _of_range(repository, "..".join(review), None)  # a cover letter alone
    return _of_mail(repository, tree, messages, base, review, singly or tracking is not None)


def _under_review(
    repository: Repository | None, tracking: bytes | None
) -> tuple[str, str] | None:
    """The commits of the series that b4 review has on a branch (the last commit of that
    is b4's own). The file is data: names in it are checked."""
    if repository is None or not tracking:
        return None
    try:
        about = json.loads(tracking)["series"]
        first, change = str(about["first-patch-commit"]), str(about["change-id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not re.fullmatch(r"[0-9a-f]{7,64}", first) or not re.fullmatch(r"[\w.-]+", change):
        return None
    start = repository.commit(f"{first}~1")
    end = repository.commit(f"refs/heads/b4/review/{change}~1")
    return (start, end) if start and end else None


def _of_range(repository: Repository, spec: str, base: str | None) -> Series:
    start, end = revisions.resolve(repository, spec, base)
    first, patches, notes, gaps = revisions.patches(repository, start, end)
    return Series(
        base=first,
        base_from="the commit before the range",
        difference=difference(repository, first),
        patches=tuple(patches),
        notes=tuple(notes),
        gaps=tuple(gaps),
    )


def _of_mail(
    repository: Repository | None,
    tree: Path,
    messages: Sequence[MailMessage],
    base: str | None,
    review: tuple[str, str] | None,
    singly: bool,
) -> Series:
    if sum(1 for message in messages if message.diff) > MAX_PATCHES:
        raise PatchError(f"more than {MAX_PATCHES} patches in the input")
    messages = as_git_reads(messages)
    chosen = choose(messages, singly=singly)
    patches = chosen.patches
    notes: list[str] = []
    if any(message.needs_others for message in messages):
        notes.append("the series names prerequisite patches, which are not applied")
    files: _Disk | _Commit = _Disk(tree)
    commit, words = None, "the files as they are (no git repository)"
    if repository is not None:
        commit, words = _base(repository, messages, base, notes)
        files = _Commit(repository, commit)
    try:
        done = _applied(patches, files)
    except PatchError as error:
        there = None
        if repository is not None and base is None and len(patches) == 1:
            there = revisions.commit_of(repository, patches[0], review)
        parent = there and repository and repository.parent(there)
        if not there or not parent or repository is None:
            if error.number == patches[0].number and patches[0].number > 1:
                error.hint = "It is not the first of its series: give all patches, or --base."
            raise
        commit, words = parent, f"the parent of {there[:12]}, which is this patch"
        files = _Commit(repository, commit)
        done = _applied(patches, files)
        chosen = choose(messages, singly=True)  # the rest of the series is in the tree
    gaps = [*chosen.gaps, *_other_order(messages, patches, done, files)]
    notes += [
        f"patch {patch.number}/{patch.total} changes {name}, which is left out"
        for patch in done
        for name in left_out(patch.files)
    ]
    return Series(
        base=commit,
        base_from=words,
        difference=difference(repository, commit) if repository and commit else {},
        patches=done,
        notes=tuple(notes),
        gaps=tuple(gaps),
        senders_base=(
            repository is not None
            and commit is not None
            and words == _SENDERS
            and not repository.is_ancestor(commit, "HEAD")
        ),
    )


def _other_order(
    messages: Sequence[MailMessage],
    patches: Sequence[MailMessage],
    done: Sequence[Patch],
    files: _Disk | _Commit,
) -> list[str]:
    """``git am`` takes the patches as they come, not by number: a sentence when that makes
    other files."""
    taken = {id(message) for message in patches}
    come = [message for message in messages if id(message) in taken]
    if all(one is other for one, other in zip(come, patches, strict=True)):
        return []
    try:
        other = _applied(come, files)
    except PatchError:
        return []  # so it cannot be done
    if _end(other) == _end(done):
        return []
    return ["the messages are not in the order of their numbers, and git am, which takes them "
            "as they come, would make other files"]  # fmt: skip


def _end(patches: Sequence[Patch]) -> dict[str, bytes | None]:
    """What a series leaves behind."""
    return {name: data for patch in patches for name, data in patch.contents.items()}


def _base(
    repository: Repository, messages: Sequence[MailMessage], base: str | None, notes: list[str]
) -> tuple[str, str]:
    if base is not None:
        commit = repository.commit(base)
        if commit is None:
            raise PatchError(f"{base!r}: no such commit in the tree's repository")
        return commit, "--base"
    named = next((message.base for message in messages if message.base), "")
    if named:
        commit = repository.commit(named)
        if commit is not None:
            return commit, _SENDERS
        notes.append(
            f"the series' base-commit {named[:12]} is not in the repository: HEAD is used"
        )
    commit = repository.commit("HEAD")
    if commit is None:
        raise PatchError(
            "the repository has no commit that patches could apply to",
            hint="Commit the tree first: git add -A, git commit.",
        )
    return commit, "HEAD"


class _Disk:
    """Files of a tree without git. Symbolic links are not followed."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree

    def prefetch(self, names: list[str]) -> None:
        """Nothing to do: files are read one by one."""

    def read(self, name: str) -> bytes | None:
        path = self._tree
        parts = name.split("/")
        for part in parts:
            path = path / part
            if os.path.islink(path):  # noqa: PTH114 - Path.is_symlink() fails for a long name
                raise PatchError(
                    f"{name}: {path.relative_to(self._tree)} is a symbolic link",
                    hint="What a link points to is not patched.",
                )
        try:
            if not path.is_file():
                if path.exists():
                    raise PatchError(f"{name}: not a regular file in the tree")
                return None
            if path.stat().st_size > MAX_FILE_BYTES:
                raise PatchError(f"{name}: larger than {MAX_FILE_BYTES >> 20} MB")
            return path.read_bytes()
        except OSError as error:
            if isinstance(error, NotADirectoryError):
                return None
            raise PatchError(f"{name}: {error.strerror}") from error


class _Commit:
    """Files of a commit, from the object store."""

    def __init__(self, repository: Repository, commit: str) -> None:
        self._repository = repository
        self._commit = commit
        self._known: dict[str, bytes | None] = {}

    def prefetch(self, names: list[str]) -> None:
        """Read several files with a few calls of git."""
        names = [n for n in names if n not in self._known]
        above = {
            "/".join(p[:i]) for n in names for p in [n.split("/")] for i in range(1, len(p))
        }
        modes = self._repository.modes(self._commit, [*names, *above]) if names else {}
        for folder in sorted(above):
            if modes.get(folder, ("040000", ""))[0] != "040000":
                raise PatchError(
                    f"{folder}: a link, a file or a submodule, not a directory",
                    hint="What a link points to is not patched.",
                )
        for name in names:
            if name in modes and modes[name][0] not in ("100644", "100755"):
                raise PatchError(f"{name}: not a regular file in the tree")
        blobs = self._repository.blobs(modes[n][1] for n in names if n in modes)
        for name in names:
            self._known[name] = blobs[modes[name][1]] if name in modes else None

    def read(self, name: str) -> bytes | None:
        if name not in self._known:
            self.prefetch([name])
        return self._known[name]


def _applied(messages: Sequence[MailMessage], base: _Disk | _Commit) -> tuple[Patch, ...]:
    now: dict[str, bytes | None] = {}
    found = []
    size = 0
    end = time.monotonic() + MAX_SECONDS
    for place, message in enumerate(messages, 1):
        number = message.number or place
        total = message.total or len(messages)
        try:
            files = diff.parse(message.diff)
            names = [n for f in files for n in (f.old, f.new) if n is not None]
            base.prefetch(sorted({n for n in names if n not in now}))
            contents = apply(
                message.diff, files, lambda n: now[n] if n in now else base.read(n)
            )
        except PatchError as error:
            raise PatchError(
                f"patch {number}/{total}: {error}", hint=error.hint, number=number
            ) from error
        if time.monotonic() > end:
            raise PatchError(f"git needs more than {MAX_SECONDS} s to apply the series")
        now.update(contents)
        size += sum(len(data or b"") for data in contents.values())
        if size > MAX_CONTENT:
            raise PatchError(f"the series makes files of more than {MAX_CONTENT >> 20} MB")
        found.append(
            Patch(
                number=number,
                total=total,
                subject=message.subject,
                author=message.author,
                files=files,
                contents=contents,
                mail=message.mail,
            )
        )
    return tuple(found)


def difference(repository: Repository, commit: str) -> Mapping[str, bytes | None]:
    """The files in which a commit differs from the disk, as the commit has them."""
    names = repository.against_disk(commit)
    if len(names) > MAX_DIFFERENT:
        raise PatchError(
            f"the tree differs from {commit[:12]} in {len(names)} files",
            hint="Check out that commit elsewhere (git worktree add) and name it with --tree.",
        )
    modes = repository.modes(commit, names)
    wanted = {n: modes[n] for n in names if n in modes and modes[n][0] in ("100644", "100755")}
    blobs = repository.blobs(sha for _, sha in wanted.values())
    found: dict[str, bytes | None] = {}
    for name in names:
        if any(ord(c) < 32 for c in name) or "\udc80" <= max(name) <= "\udcff":
            continue  # no kernel file; it cannot be named to the parser either
        found[name] = blobs[wanted[name][1]] if name in wanted else None
    return found
