# SPDX-License-Identifier: GPL-2.0-or-later
"""git as a reader of objects and nothing else.

Neither the repository's configuration nor its content may start a program: no hooks, no
filters, no external diff, no file system monitor, no submodules, no network, no lazy
fetch. Nothing is written either: optional locks are off, so not even the index is
refreshed (sources: git(1), git-config(1), gitattributes(5)).
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctxlint.base.errors import ToolMissingError
from ctxlint.patches.model import MAX_FILE_BYTES, PatchError

_SECONDS = 120
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.pager": "cat",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.quotePath": "true",
    "core.alternateRefsCommand": "true",
    "diff.external": "",
    "diff.noprefix": "false",
    "diff.mnemonicPrefix": "false",
    "diff.orderFile": "/dev/null",
    "diff.renames": "false",
    "diff.ignoreSubmodules": "all",
    "diff.submodule": "short",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "log.showSignature": "false",
    "gpg.program": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
}


def environment() -> dict[str, str]:
    """The variables that git gets: none of git's own from outside, no user files."""
    kept = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")
    own = {name: os.environ[name] for name in kept if name in os.environ}
    return {
        **own,
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_ADVICE": "0",
        "GIT_PAGER": "cat",
        "GIT_EDITOR": "false",
        "GIT_ASKPASS": "false",
        "SSH_ASKPASS": "false",
    }


def run(
    arguments: Sequence[str],
    *,
    cwd: Path,
    stdin: bytes = b"",
    settings: Iterable[tuple[str, str]] = (),
    extra: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run git. Raises ToolMissingError without it, PatchError when it takes too long."""
    words = ["git", "--no-pager", "--literal-pathspecs"]
    for name, value in (*_SETTINGS.items(), *settings):
        words += ["-c", f"{name}={value}"]
    try:
        return subprocess.run(
            [*words, *arguments],
            cwd=cwd,
            input=stdin,
            capture_output=True,
            env={**environment(), **(extra or {})},
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise ToolMissingError(
            "git is not installed", hint="Install it (Debian and Fedora: git)."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise PatchError(f"git {arguments[0]} took more than {_SECONDS} s") from error


@dataclass(frozen=True)
class Entry:
    """A file of a difference: its new mode and object, ``""`` when it is gone."""

    path: str
    mode: str
    sha: str


class Repository:
    """Read-only access to the repository that a tree is the work tree of."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self._settings = (*_trusted(tree), *self._without_filters())

    def _without_filters(self) -> list[tuple[str, str]]:
        """Settings that take every configured filter and diff driver out of work."""
        done = run(
            ["config", "--list", "--name-only", "-z"],
            cwd=self.tree,
            settings=_trusted(self.tree),
        )
        found = []
        for name in sorted(set(done.stdout.decode("utf-8", "surrogateescape").split("\0"))):
            match = re.fullmatch(r"(filter\..*)\.(clean|smudge|process|required)", name, re.S)
            if match:
                found.append((name, "false" if match[2] == "required" else ""))
            elif re.fullmatch(r"diff\..*\.(command|textconv)", name, re.S):
                found.append((name, ""))
        return [(n, v) for n, v in found if "\n" not in n and "=" not in n]

    def git(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run git in the repository."""
        return run(arguments, cwd=self.tree, stdin=stdin, settings=self._settings)

    def text(self, *arguments: str) -> str | None:
        """What git prints, None when it fails."""
        done = self.git(*arguments)
        if done.returncode:
            return None
        return done.stdout.decode("utf-8", "replace").strip()

    def commit(self, name: str) -> str | None:
        """The commit that a revision means, None when there is none."""
        if name.startswith("-") or "\n" in name:
            return None
        found = self.text("rev-parse", "--verify", "--quiet", "--end-of-options",
                          f"{name}^{{commit}}")  # fmt: skip
        return found or None

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
        for line in sizes.decode("ascii", "replace").splitlines():
            words = line.split(" ")
            if len(words) != 3 or words[1] != "blob":
                raise PatchError(f"the repository lacks the object {words[0]}")
            if int(words[2]) > MAX_FILE_BYTES:
                raise PatchError(f"a file of {int(words[2]) >> 20} MB is not read")
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


def _trusted(tree: Path) -> list[tuple[str, str]]:
    """The user's own ``safe.directory`` settings: who else's repository is read is the
    user's decision, and the file that it stands in is not read otherwise."""
    try:
        done = subprocess.run(
            ["git", "config", "--global", "--get-all", "safe.directory"],
            cwd=tree.anchor or "/",
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env={k: v for k, v in os.environ.items() if not k.startswith("GIT_")},
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [("safe.directory", line) for line in done.stdout.splitlines() if line]


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
