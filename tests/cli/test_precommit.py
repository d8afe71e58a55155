# SPDX-License-Identifier: GPL-2.0-or-later
"""The hooks of ``.pre-commit-hooks.yaml``, by the real pre-commit program.

It makes an environment of its own and installs ctxlint there, as it would for a user.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from git_tree import ROOT, Repository

BIN = Path(sys.executable).parent / "pre-commit"
PROGRAM = str(BIN) if BIN.exists() else shutil.which("pre-commit")
ROSE = "drivers/irqchip/irq-rose.c"
START = "\tif (readl(rdist->base + ROSE_PENDBASER) & 1)\n"
BAD = "\tfree_pages(rdist->pending, ROSE_TABLE_ORDER);\n" + START
SHIPPED = ("ctxlint", "rules", "fixtures", "pyproject.toml", "README.md", "LICENSE")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="NO PRE-COMMIT: pip install pre-commit"),
]


@pytest.fixture
def hooks(tmp_path: Path) -> tuple[Path, str]:
    """A repository of ctxlint as it is on the disk, and its commit."""
    where = tmp_path / "ctxlint"
    where.mkdir()
    for name in (*SHIPPED, ".pre-commit-hooks.yaml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, where / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, where / name)
    who = ["-c", "user.name=A Tester", "-c", "user.email=tester@example.org"]
    for words in ["init", "-q"], ["add", "-A", "-f"], [*who, "commit", "-q", "-m", "all"]:
        subprocess.run(["git", *words], cwd=where, check=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=where, check=True, capture_output=True, text=True
    )
    return where, head.stdout.strip()


def test_commits_and_pushes(tmp_path: Path, hooks: tuple[Path, str]) -> None:
    assert PROGRAM is not None
    repository = Repository(tmp_path)
    repository.environment["PRE_COMMIT_HOME"] = str(tmp_path / "pre-commit")
    repository.environment["PRE_COMMIT_COLOR"] = "never"
    (repository.tree / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hooks[0]}\n  rev: {hooks[1]}\n"
        "  hooks:\n  - id: ctxlint\n    verbose: true\n  - id: ctxlint-patch\n"
    )
    repository.git("add", "-A")
    repository.git("commit", "-q", "-m", "hooks")
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "server"))
    repository.git("remote", "add", "origin", str(tmp_path / "server"))
    repository.git("fetch", "-q", "origin")
    types = ("--hook-type", "pre-commit", "--hook-type", "pre-push")
    done = repository.run(PROGRAM, "install", "--install-hooks", *types)
    assert done.returncode == 0, done.stdout + done.stderr

    repository.edit(ROSE, START, "\t/* a word */\n" + START)
    repository.git("add", "-A")
    repository.edit(ROSE, START, BAD)  # not staged
    done = repository.commit()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "this commit: 1 file checked, 0 findings introduced" in done.stdout + done.stderr
    assert BAD in (repository.tree / ROSE).read_text()

    done = repository.commit("-a")
    assert done.returncode == 1
    assert "error: free_pages() sleeps\n" in done.stdout + done.stderr
    assert "1 finding introduced" in done.stdout + done.stderr

    assert repository.commit("-a", "--no-verify").returncode == 0
    done = repository.run("git", "push", "origin", "main")
    assert done.returncode == 1
    assert "this push (2 commits): 1 file checked, 1 finding" in done.stdout + done.stderr
    repository.edit(ROSE, BAD, START)
    assert repository.commit("-a").returncode == 0
    done = repository.run("git", "push", "origin", "main")
    assert done.returncode == 0, done.stdout + done.stderr
