# SPDX-License-Identifier: GPL-2.0-or-later
"""The miniature kernel tree as a git repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import program
from once import once
from warm_cache import TREE, warmed

ROOT = Path(__file__).parents[1]
_GIT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05 +0000",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05 +0000",
}


def _commit(folder: Path) -> None:
    shutil.copytree(TREE, folder / "tree")
    who = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.org")
    for words in (
        ["init", "-q", "-b", "main", "--template="],
        ["add", "-A", "--force"],
        [*who, "commit", "-q", "-m", "base"],
        ["gc", "-q"],
    ):
        subprocess.run(["git", *words], cwd=folder / "tree", env=_GIT, check=True)
    (folder / "tree/.git/hooks").mkdir()


def committed(tree: Path) -> None:
    """Let ``tree`` be the miniature tree under git, with one commit on ``main``."""
    shutil.copytree(once("committed", _commit) / "tree", tree)
    subprocess.run(["git", "update-index", "-q", "--refresh"], cwd=tree, env=_GIT, check=True)


class Repository:
    """A git repository that is a kernel tree, with a cache of its own beside it."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "linux"
        self.home = folder / "home"
        self.home.mkdir()
        committed(self.tree)
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("GIT_")
        } | {
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_CONFIG_HOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        for name in "author", "committer":
            self.environment[f"GIT_{name.upper()}_NAME"] = "A Tester"
            self.environment[f"GIT_{name.upper()}_EMAIL"] = "tester@example.org"

    def run(
        self, *words: str, at: Path | None = None, stdin: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=at or self.tree,
            env=self.environment | environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    def git(self, *words: str, at: Path | None = None) -> str:
        done = self.run("git", *words, at=at)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ctxlint(
        self, *words: str, at: Path | None = None, stdin: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        given = self.environment | environment
        return program.ctxlint(*words, at=at or self.tree, environment=given, stdin=stdin)

    def warm(self) -> None:
        """As after an audit of what is committed."""
        warmed(Path(self.environment["XDG_CACHE_HOME"], "ctxlint"))

    def edit(self, file: str, old: str, new: str, at: Path | None = None) -> None:
        path = (at or self.tree) / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def commit(self, *words: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
        return self.run("git", "commit", "-m", "a change", *words, at=at)

    def state(self) -> list[str]:
        """Everything of the user's that a check must leave alone."""
        return [
            self.git("status", "--porcelain"),
            self.git("for-each-ref"),
            self.git("stash", "list"),
            self.git("worktree", "list"),
            self.git("diff", "--cached"),
            self.git("diff"),
        ]
