# SPDX-License-Identifier: GPL-2.0-or-later
"""A git repository of the miniature tree, and everything in it that must stay."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from git_tree import committed

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures/tree"
ROSE = "drivers/irqchip/irq-rose.c"
READL = "	if (readl(rdist->base + ROSE_PENDBASER) & 1)\n"

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A. Author",
    "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05 +0000",
    "GIT_COMMITTER_NAME": "C. Committer",
    "GIT_COMMITTER_EMAIL": "committer@example.org",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05 +0000",
}


@dataclass
class Repo:
    """A work tree at ``path``."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> Repo:
        committed(path)
        return cls(path)

    def git(self, *words: str, stdin: bytes | None = None) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.path, input=stdin, capture_output=True,
            check=True, env=ENVIRONMENT,
        )  # fmt: skip
        return done.stdout.decode()

    def edit(self, file: str, *pairs: tuple[str, str]) -> None:
        text = (self.path / file).read_text()
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new)
        (self.path / file).write_text(text)

    def commit(self, subject: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", subject)
        return self.git("rev-parse", "HEAD").strip()

    def series(self) -> None:
        """Three commits: harmless; sleeps on a STARTING path; only half a fix."""
        self.edit(ROSE, ('what "lily" does, rightly', 'what "lily" does, but rightly'))
        self.commit("irqchip/rose: Reword a comment")
        self.edit(
            ROSE,
            ("#include <linux/io.h>\n", "#include <linux/io.h>\n#include <linux/slab.h>\n"),
            (READL, "	rdist->pending = (unsigned long)kzalloc(64, GFP_KERNEL);\n" + READL),
        )
        self.commit("irqchip/rose: Allocate the table late")
        self.edit(ROSE, ("GFP_KERNEL)", "GFP_ATOMIC)"))
        self.commit("irqchip/rose: Do not sleep")

    def mails(self, where: Path, *more: str) -> list[Path]:
        """The last three commits as mails; HEAD is set back to before them."""
        self.git("format-patch", "-q", "-o", str(where), *more, "HEAD~3")
        self.git("reset", "-q", "--hard", "HEAD~3")
        return sorted(where.iterdir())

    def state(self) -> dict[str, str]:
        """All that a tool could leave behind: files, index, refs, stash, work trees,
        hooks, configuration."""
        status = subprocess.run(
            ["git", "status", "--porcelain", "--ignored"], cwd=self.path, capture_output=True,
            check=True, env={**ENVIRONMENT, "GIT_OPTIONAL_LOCKS": "0"},
        ).stdout.decode()  # fmt: skip
        found = {
            "status": status,
            "refs": self.git("for-each-ref"),
            "stash": self.git("stash", "list"),
            "worktrees": self.git("worktree", "list"),
            "HEAD": (self.path / ".git/HEAD").read_text(),
        }
        for path in sorted(self.path.rglob("*")):
            name = path.relative_to(self.path).as_posix()
            if path.is_symlink():
                found[name] = "-> " + str(path.readlink())
            elif path.is_file():
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                found[name] = "directory"
        return found
