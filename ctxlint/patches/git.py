# SPDX-License-Identifier: GPL-2.0-or-later
"""git as a reader of objects and nothing else; :mod:`ctxlint.base.git` starts it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from ctxlint.base.git import WorkTree
from ctxlint.patches.model import MAX_FILE_BYTES, PatchError

MAX_READ = 512 << 20
"""Bytes of objects that are read at once."""


@dataclass(frozen=True)
class Entry:
    """A file of a difference: its new mode and object, ``""`` when it is gone."""

    path: str
    mode: str
    sha: str


class Repository(WorkTree):
    """Read-only access to the repository that a tree is the work tree of."""

    def commit(self, name: str) -> str | None:
        """The commit that a revision means, None when there is none."""
        if name.startswith("-") or "\n" in name:
            return None
        found = self.text("rev-parse", "--verify", "--quiet", "--end-of-options",
                          f"{name}^{{commit}}")  # fmt: skip
        return found or None

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Whether ``of`` has the commit in its history."""
        return self.git("merge-base", "--is-ancestor", commit, of).returncode == 0

    def parent(self, commit: str) -> str | None:
        """The first parent of a commit."""
        return self.commit(f"{commit}^1")

    def differences(self, old: str, new: str) -> list[Entry]:
        """Files of ``new`` that are other than in ``old`` (both commits)."""
        done = self.git("diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index",
                        "--no-ext-diff", "--ignore-submodules=all", old, new)  # fmt: skip
        return raw_entries(self._good(done, "diff-tree"))

    def against_disk(self, commit: str) -> list[str]:
        """Tracked files that are on the disk other than in a commit."""
        done = self.git("diff", "-z", "--name-only", "--no-renames", "--no-ext-diff",
                        "--no-textconv", "--ignore-submodules=all", commit, "--")  # fmt: skip
        return _names(self._good(done, "diff"))

    def untracked(self) -> list[str]:
        """Files of the work tree that are neither in the index nor ignored."""
        done = self.git("ls-files", "-z", "--full-name", "--others", "--exclude-standard")
        return _names(self._good(done, "ls-files"))

    def patch(self, old: str, new: str) -> bytes:
        """The difference of two commits as text."""
        done = self.git("diff-tree", "-r", "-p", "--no-renames", "--no-ext-diff",
                        "--no-textconv", "--ignore-submodules=all", "--full-index",
                        "--src-prefix=a/", "--dst-prefix=b/", "-U3", old, new)  # fmt: skip
        return self._good(done, "diff-tree")

    def modes(self, commit: str, paths: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Mode and object of those ``paths`` that a commit has."""
        names = sorted(set(paths))
        found: dict[str, tuple[str, str]] = {}
        for start in range(0, len(names), 500):
            done = self.git("ls-tree", "-z", "--full-tree", commit, "--",
                            *names[start : start + 500])  # fmt: skip
            for row in self._good(done, "ls-tree").split(b"\0"):
                if row:
                    meta, _, name = row.partition(b"\t")
                    mode, _kind, sha = meta.decode("ascii").split(" ")
                    found[os.fsdecode(name)] = (mode, sha)
        return found

    def blobs(self, shas: Iterable[str]) -> dict[str, bytes]:
        """Contents of objects. Raises PatchError for one that is missing or too large."""
        wanted = sorted(set(shas))
        if not wanted:
            return {}
        question = "".join(f"{sha}\n" for sha in wanted).encode()
        sizes = self._good(self.git("cat-file", "--batch-check", stdin=question), "cat-file")
        total = 0
        for line in sizes.decode("ascii", "replace").splitlines():
            words = line.split(" ")
            if len(words) != 3 or words[1] != "blob":
                raise PatchError(f"the repository lacks the object {words[0]}")
            if int(words[2]) > MAX_FILE_BYTES:
                raise PatchError(f"a file of {int(words[2]) >> 20} MB is not read")
            total += int(words[2])
        if total > MAX_READ:
            raise PatchError(f"{len(wanted)} files of {total >> 20} MB are not read")
        data = self._good(self.git("cat-file", "--batch", stdin=question), "cat-file")
        found = {}
        at = 0
        while at < len(data):
            end = data.index(b"\n", at)
            sha, _kind, size = data[at:end].decode("ascii").split(" ")
            found[sha] = data[end + 1 : end + 1 + int(size)]
            at = end + int(size) + 2
        return found

    def _good(self, done: subprocess.CompletedProcess[bytes], what: str) -> bytes:
        if done.returncode:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["failed"]
            raise PatchError(f"git {what}: {lines[0]}")
        return done.stdout


def _names(data: bytes) -> list[str]:
    return [os.fsdecode(name) for name in data.split(b"\0") if name]


def raw_entries(data: bytes) -> list[Entry]:
    """``:OLDMODE NEWMODE OLD NEW STATUS`` and a path, each ended by NUL."""
    parts = data.split(b"\0")
    found = []
    for meta, name in zip(parts[::2], parts[1::2], strict=False):
        _old, mode, _sha, sha, status = meta.decode("ascii").lstrip(":").split(" ")
        gone = status.startswith("D")
        found.append(Entry(os.fsdecode(name), "" if gone else mode, "" if gone else sha))
    return found
