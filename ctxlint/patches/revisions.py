# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches that are commits of the tree's own repository."""

from __future__ import annotations

import re

from ctxlint.patches import diff
from ctxlint.patches.git import Entry, Repository
from ctxlint.patches.mail import MailMessage
from ctxlint.patches.model import MAX_PATCHES, FilePatch, Mail, Patch, PatchError

_REGULAR = ("100644", "100755")
_SEARCHED = 1000


def resolve(repository: Repository, spec: str, base: str | None) -> tuple[str, str]:
    """First (excluded) and last commit of a range, or of a branch over its base.

    Raises :class:`PatchError` when ``spec`` is neither.
    """
    if ".." in spec:
        first, dots, last = spec.partition("..")
        if last.startswith("."):
            last, dots = last[1:], "..."
        ends = [repository.commit(name or "HEAD") for name in (first, last)]
        if ends[0] is None or ends[1] is None:
            raise _unknown(spec)
        start = _merge_base(repository, ends[0], ends[1]) if dots == "..." else ends[0]
        return start, ends[1]
    end = repository.commit(spec)
    if end is None:
        raise _unknown(spec)
    if base is not None:
        named = repository.commit(base)
        if named is None:
            raise _unknown(base)
        return named, end
    for other in (f"{spec}@{{upstream}}", "HEAD"):
        commit = repository.commit(other)
        if commit is not None:
            start = _merge_base(repository, commit, end)
            if start != end:
                return start, end
    raise PatchError(
        f"{spec}: has no commit that HEAD lacks",
        hint=f"Name the base of the series: --base COMMIT, or {spec}~3..{spec}.",
    )


def _merge_base(repository: Repository, one: str, other: str) -> str:
    found = repository.text("merge-base", one, other)
    if not found:
        raise PatchError("the two ends of the range have no common ancestor")
    return found


def _unknown(spec: str) -> PatchError:
    return PatchError(
        f"{spec!r}: neither a file or folder nor a revision of the tree's repository",
        hint="Give an mbox, a .patch file, a folder, a maildir, '-', A..B or a branch.",
    )


def patches(
    repository: Repository, start: str, end: str
) -> tuple[str, list[Patch], list[str], list[str]]:
    """The base, the commits of ``start..end`` along first parents, notes, and sentences on
    what is not analysed of them.

    A merge counts as one patch, with what it brings in.
    """
    text = repository.text(
        "rev-list", "--first-parent", "--reverse", f"--max-count={MAX_PATCHES + 1}",
        f"{start}..{end}",
    )  # fmt: skip
    commits = (text or "").split()
    if not commits:
        raise PatchError(
            "the range has no commit", hint="A..B means the commits of B that A lacks."
        )
    if len(commits) > MAX_PATCHES:
        raise PatchError(f"the range has more than {MAX_PATCHES} commits")
    base = before = repository.parent(commits[0]) or start
    found = []
    notes: list[str] = []
    gaps: list[str] = []
    for number, commit in enumerate(commits, 1):
        if repository.commit(f"{commit}^2"):
            notes.append(f"{commit[:12]} is a merge, taken as one patch")
        patch, odd = _patch(repository, before, commit, number, len(commits))
        found.append(patch)
        gaps += odd
        before = commit
    return base, found, notes, gaps


def _patch(
    repository: Repository, before: str, commit: str, number: int, total: int
) -> tuple[Patch, list[str]]:
    entries = repository.differences(before, commit)
    contents, gaps = contents_of(repository, entries)
    head = repository.text("show", "-s", "--format=%s%x00%an <%ae>%x00%aD", commit, "--")
    subject, author, date = ((head or "") + "\0\0").split("\0")[:3]
    try:
        files: tuple[FilePatch, ...] = diff.parse(repository.patch(before, commit))
    except PatchError:
        # The commit is there already; only the quotation in a report is lost.
        files = tuple(FilePatch(old=e.path, new=e.path, hunks=()) for e in entries)
    return Patch(
        number=number,
        total=total,
        subject=subject,
        author=author,
        files=files,
        contents=contents,
        commit=commit,
        mail=Mail(date=date),
    ), gaps


def contents_of(
    repository: Repository, entries: list[Entry]
) -> tuple[dict[str, bytes | None], list[str]]:
    """Contents of changed files (None: gone), and sentences on what is no regular file: a
    link may stand where a file was that the kernel is built from."""
    blobs = repository.blobs(e.sha for e in entries if e.mode in _REGULAR)
    contents: dict[str, bytes | None] = {}
    gaps = []
    for entry in entries:
        if entry.mode in _REGULAR:
            contents[entry.path] = blobs[entry.sha]
        else:
            contents[entry.path] = None
            if entry.mode:
                gaps.append(f"{entry.path}: a link or a submodule, not followed")
    return contents, gaps


def commit_of(
    repository: Repository, message: MailMessage, span: tuple[str, str] | None = None
) -> str | None:
    """The commit of a range, or of HEAD's recent history, that a mailed patch became.

    Review tools hand over the patches of a series one by one while the whole series is
    checked out. Same subject and same changed lines make it the same patch.
    """
    text = repository.text("log", "-z", f"-{_SEARCHED}", "--format=%H %s",
                           "..".join(span) if span else "HEAD", "--")  # fmt: skip
    wanted = _plain(message.subject)
    if not wanted:
        return None
    for row in (text or "").split("\0"):
        commit, _, subject = row.strip().partition(" ")
        if _plain(subject) != wanted:
            continue
        parent = repository.parent(commit)
        if parent is None:
            continue
        try:
            same = _changed_lines(diff.parse(repository.patch(parent, commit)))
        except PatchError:
            continue
        if same == _changed_lines(diff.parse(message.diff)):
            return commit
    return None


def _plain(subject: str) -> str:
    return re.sub(r"\s+", " ", subject).strip().casefold()


def _changed_lines(files: tuple[FilePatch, ...]) -> list[tuple[str, tuple[str, ...]]]:
    return sorted(
        (
            file.new or file.old or "",
            tuple(line for h in file.hunks for line in h.lines if line[:1] in ("+", "-")),
        )
        for file in files
    )
