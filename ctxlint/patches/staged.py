# SPDX-License-Identifier: GPL-2.0-or-later
"""What a commit or a push changes, as contents: for git's hooks.

The index is read, not the work tree; what the disk has otherwise than the commit
before is part of the answer, so that nothing unstaged is mistaken for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ctxlint.base.errors import UsageError
from ctxlint.patches.git import Entry, Repository, raw_entries

_SOURCE = re.compile(r".*\.[ch]")
_REGULAR = ("100644", "100755")
_MOST_COMMITS = 500
_MOST_FILES = 4000


@dataclass(frozen=True, kw_only=True)
class Introduced:
    """Two states of the tree.

    ``base`` are the files that the earlier one has otherwise than the disk, ``changes``
    those that the later one has otherwise than the earlier (None: not there).
    ``commits`` is how many there are between them, 0 for what is only staged. ``links`` are
    names at which the later one makes a link or a submodule.
    """

    base: Mapping[str, bytes | None]
    changes: Mapping[str, bytes | None]
    commits: int = 0
    links: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The C files and headers that change."""
        return tuple(sorted(f for f in self.changes if _SOURCE.fullmatch(f)))


class TooMuchError(UsageError):
    """More differs than a hook looks at."""


class _WithIndex(Repository):
    """A repository with the index that git named to its hook: a commit of some files
    only (``git commit FILE``) has one of its own."""

    def __init__(self, tree: Path, index: Path | None) -> None:
        super().__init__(tree)
        if index is not None:
            self._extra["GIT_INDEX_FILE"] = str(index)

    def staged(self, commit: str) -> list[Entry]:
        """Files of the index that are other than in a commit."""
        done = self.git("diff-index", "--cached", "-z", "--raw", "--no-renames",
                        "--full-index", "--ignore-submodules=all", commit, "--")  # fmt: skip
        return raw_entries(self._good(done, "diff-index"))


def staged(tree: Path, index: str | None = None) -> Introduced | None:
    """What is staged, against HEAD; None for a repository without a commit.

    ``tree`` is the top of the work tree, ``index`` what git put into GIT_INDEX_FILE.
    """
    where = Path(os.path.normpath(tree / index)) if index else None
    repository = _open(tree, where)
    head = repository.commit("HEAD")
    if head is None:
        return None
    return _introduced(repository, head, repository.staged(head))


def between(tree: Path, old: str, new: str) -> Introduced:
    """What the commits of ``old..new`` change together; ``old`` counts from where the
    two parted. Raises :class:`UsageError` for a revision that is not there."""
    repository = _open(tree)
    first, last = repository.commit(old), repository.commit(new)
    if first is None or last is None:
        raise UsageError(f"{new if first else old}: no such commit here", hint="fetch it first")
    base = repository.text("merge-base", first, last)
    if not base:
        raise UsageError(f"{old} and {new} have no commit in common")
    count = repository.text("rev-list", "--count", f"{base}..{last}") or "0"
    entries = repository.differences(base, last)
    return _introduced(repository, base, entries, commits=int(count))


def start_of_branch(tree: Path, tip: str, remote: str) -> str | None:
    """The commit that a new branch starts from, of what the remote has as far as is
    known here; None when nothing of it is known, or too much is new."""
    repository = _open(tree)
    if re.fullmatch(r"[\w.+-]+(/[\w.+-]+)*", remote) is None:
        return None  # pushed to an address, not to a remote with a name
    new = repository.text(
        "rev-list", "--topo-order", f"--max-count={_MOST_COMMITS}", tip, "--not",
        f"--remotes={remote}",
    )  # fmt: skip
    commits = (new or "").splitlines()
    if not commits or len(commits) == _MOST_COMMITS:
        return None
    return repository.parent(commits[-1])


def _open(tree: Path, index: Path | None = None) -> _WithIndex:
    repository = _WithIndex(tree, index)
    top = repository.text("rev-parse", "--show-toplevel")
    if top is None or not Path(top).samefile(tree):
        raise UsageError(
            f"{tree} is not the top of a git work tree",
            hint="hooks work in a repository that is a kernel tree",
        )
    return repository


def _introduced(
    repository: _WithIndex, base: str, entries: Iterable[Entry], commits: int = 0
) -> Introduced:
    entries = tuple(entries)
    changed = {e.path: e for e in entries if not e.sha or e.mode in _REGULAR}
    links = tuple(sorted({e.path for e in entries}.difference(changed)))
    names = {*repository.against_disk(base), *changed}
    if len(names) > _MOST_FILES:
        raise TooMuchError(
            f"{len(names)} files differ from {base[:12]}, which is more than a hook checks",
            hint="ctxlint audit checks the result",
        )
    before = repository.modes(base, names)
    wanted = {sha for mode, sha in before.values() if mode in _REGULAR}
    blobs = repository.blobs({*wanted, *(e.sha for e in changed.values() if e.sha)})
    earlier = {
        name: blobs.get(before[name][1]) if name in before else None for name in sorted(names)
    }
    later = {name: blobs[e.sha] if e.sha else None for name, e in sorted(changed.items())}
    return Introduced(base=earlier, changes=later, commits=commits, links=links)
