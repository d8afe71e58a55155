# SPDX-License-Identifier: GPL-2.0-or-later
"""What is new since a revision, on a git tree made of the miniature one."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from git_tree import committed
from warm_cache import warmed

from ctxlint.base.errors import UsageError
from ctxlint.cli.main import main
from ctxlint.pipeline import since

MINIATURE = Path(__file__).parents[2] / "fixtures" / "tree"
SNAIL = "drivers/irqchip/irq-snail.c"
LILY = "drivers/irqchip/irq-lily.c"
ITS = "drivers/irqchip/irq-lily-its.c"
HEADER = "drivers/irqchip/irq-lily.h"
TULIP = "drivers/firmware/tulip_sdei.c"

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


class Tree:
    """A git tree with everything committed."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tree"
        self.cache = warmed(folder / "cache")
        committed(self.path)

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", *words],
            cwd=self.path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def use_msleep(self, file: str) -> None:
        """The file may call it; line numbers change."""
        path = self.path / file
        path.write_text("#include <linux/delay.h>\n" + path.read_text())

    def commit(self, message: str) -> None:
        self.git("add", "-A", "--force")
        self.git("commit", "-q", "-m", message)

    def edit(self, file: str, old: str, new: str) -> None:
        text = (self.path / file).read_text()
        assert old in text
        (self.path / file).write_text(text.replace(old, new, 1))

    def audit(self, *options: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
        base = ["audit", "-q", "--tree", str(self.path), "--cache", str(self.cache)]
        code = main([*base, "-f", "json", *options])
        return code, json.loads(capsys.readouterr().out or "null")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return Tree(tmp_path_factory.mktemp("since"))


@pytest.fixture
def tree(original: Tree) -> Tree:
    """With nothing changed; the cache is warm from the test before."""
    original.git("reset", "-q", "--hard", "main")
    original.git("clean", "-q", "-d", "-f")
    return original


def test_nothing_changed_nothing_new(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    code, data = tree.audit("--new-since", "HEAD", capsys=capsys)
    assert (code, data["findings"]) == (0, [])
    assert data["statistics"]["not_new"] == 4


def test_only_what_is_new(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    """Not committed, in a file that has a finding already, which moves."""
    tree.use_msleep(SNAIL)
    tree.edit(
        SNAIL, "\tmutex_lock(&snail->lock);", "\n\tmsleep(1);\n\tmutex_lock(&snail->lock);"
    )
    before = tree.git("status", "--porcelain")
    code, data = tree.audit("--new-since", "HEAD", capsys=capsys)
    assert [(one["file"], one["callee"]) for one in data["findings"]] == [(SNAIL, "msleep")]
    assert (code, data["statistics"]["not_new"]) == (1, 4)
    assert tree.git("status", "--porcelain") == before


def test_a_change_elsewhere_counts(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    """The call is old and in an unchanged file; its caller is new."""
    tree.use_msleep(ITS)
    tree.edit(HEADER, "int lily_its_cpu_init(", "void lily_slow(void);\nint lily_its_cpu_init(")
    tree.edit(
        ITS,
        "int lily_its_cpu_init(",
        "void lily_slow(void)\n{\n\tmsleep(1);\n}\n\nint lily_its_cpu_init(",
    )
    tree.git("switch", "-q", "-c", "topic")
    tree.commit("a function that sleeps, in no context that forbids it")
    try:
        code, data = tree.audit("--new-since", "main", capsys=capsys)
        assert (code, data["findings"]) == (0, [])
        tree.edit(LILY, "\tif (lily_its_cpu_init(", "\tlily_slow();\n\tif (lily_its_cpu_init(")
        code, data = tree.audit("--new-since", "HEAD", capsys=capsys)
        assert [(one["file"], one["function"]) for one in data["findings"]] == [
            (ITS, "lily_slow")
        ]
    finally:
        tree.git("reset", "-q", "--hard", "HEAD")
        tree.git("switch", "-q", "main")


def test_a_removed_comment_uncovers(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    tree.edit(
        SNAIL,
        "\tmutex_lock(&snail->lock);",
        "\tmutex_lock(&snail->lock); /* ctxlint: allow(sleep-in-atomic) for now */",
    )
    tree.git("switch", "-q", "-c", "allowed")
    tree.commit("allow")
    try:
        tree.edit(SNAIL, " /* ctxlint: allow(sleep-in-atomic) for now */", "")
        _, data = tree.audit("--new-since", "HEAD", capsys=capsys)
        assert [one["callee"] for one in data["findings"]] == ["mutex_lock"]
        _, data = tree.audit("--new-since", "main", capsys=capsys)
        assert data["findings"] == []
    finally:
        tree.git("reset", "-q", "--hard", "HEAD")
        tree.git("switch", "-q", "main")


def test_selection_and_paths(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    tree.use_msleep(SNAIL)
    tree.edit(SNAIL, "\tmutex_lock(&snail->lock);", "\tmsleep(1);\n\tmutex_lock(&snail->lock);")
    code, data = tree.audit("--new-since", "HEAD", "--rt-only", capsys=capsys)
    assert (code, data["findings"]) == (0, [])
    code, data = tree.audit("drivers/firmware", "--new-since", "HEAD", capsys=capsys)
    assert (code, data["findings"], data["paths"]) == (0, [], ["drivers/firmware"])


def test_a_unit_that_did_not_parse_then(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    """Its findings may not be new, so the run does not pass for a whole one."""
    text = (tree.path / TULIP).read_text()
    (tree.path / TULIP).write_text("this is no C\n" + text)
    tree.git("switch", "-q", "-c", "broken")
    tree.commit("broken")
    try:
        (tree.path / TULIP).write_text(text)
        code, data = tree.audit("--new-since", "HEAD", capsys=capsys)
        assert code == 3
        assert {one["file"] for one in data["incomplete"]} == {TULIP}
        assert all(one["reason"].startswith("at HEAD: ") for one in data["incomplete"])
    finally:
        tree.git("reset", "-q", "--hard", "HEAD")
        tree.git("switch", "-q", "main")


def test_contents(tree: Tree) -> None:
    """Changed, removed, added and untracked files; links and other kinds are not read."""
    (tree.path / SNAIL).write_text("/* other */\n")
    (tree.path / TULIP).unlink()
    (tree.path / "drivers/irqchip/new one.c").write_text("int x;\n")
    (tree.path / "drivers/irqchip/added.h").write_text("int y;\n")
    (tree.path / "Makefile.txt").write_text("x\n")
    tree.git("add", "drivers/irqchip/added.h")
    assert since.contents_at(tree.path, "HEAD") == {
        SNAIL: (MINIATURE / SNAIL).read_bytes(),
        TULIP: (MINIATURE / TULIP).read_bytes(),
        "drivers/irqchip/added.h": None,
        "drivers/irqchip/new one.c": None,
    }
    tree.git("reset", "-q", "--hard", "HEAD")


@pytest.mark.parametrize("revision", ["no-such", "--output=x", "HEAD:Makefile", ""])
def test_no_revision(revision: str, tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = tree.audit(f"--new-since={revision}", capsys=capsys)
    assert code == 2
    assert not (tree.path / "x").exists()


def test_without_git(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not the top of a git work tree"):
        since.contents_at(tmp_path, "HEAD")


def test_too_much_differs(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree.path / SNAIL).write_text("/* other */\n")
    monkeypatch.setattr(since, "MAX_FILES", 0)
    with pytest.raises(UsageError, match="1 files differ from HEAD"):
        since.contents_at(tree.path, "HEAD")


def test_git_runs_nothing_of_the_tree(tree: Tree, tmp_path: Path) -> None:
    """An external diff and a file system monitor of the repository stay off."""
    marker = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    script.chmod(0o755)
    tree.git("config", "diff.external", str(script))
    tree.git("config", "core.fsmonitor", str(script))
    try:
        (tree.path / SNAIL).write_text("/* other */\n")
        assert set(since.contents_at(tree.path, "HEAD")) == {SNAIL}
        assert not marker.exists()
    finally:
        tree.git("config", "--unset", "diff.external")
        tree.git("config", "--unset", "core.fsmonitor")
