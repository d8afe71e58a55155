# SPDX-License-Identifier: GPL-2.0-or-later
"""Git hooks on a repository made of the miniature tree, with the real git."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from git_tree import ROOT, Repository

ROSE = "drivers/irqchip/irq-rose.c"
ITS = "drivers/irqchip/irq-lily-its.c"
START = "	if (readl(rdist->base + ROSE_PENDBASER) & 1)\n"
BAD = "	free_pages(rdist->pending, ROSE_TABLE_ORDER);\n" + START
BAD_HEADER = "int lily_its_cpu_init(int wrong);\n"

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="NO GIT")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


# -- what is checked ---------------------------------------------------------------


def test_only_what_a_commit_introduces_stops_it(repository: Repository) -> None:
    repository.warm()
    assert repository.ctxlint("hook", "install").returncode == 0
    # The file has findings of its own, and they move.
    repository.edit(ITS, "\n#include", "\n\n\n#include")
    done = repository.commit("-a")
    assert done.returncode == 0, done.stderr
    assert "1 file checked, 0 findings introduced" in done.stderr

    repository.edit(ROSE, START, BAD)
    before = repository.git("rev-parse", "HEAD")
    done = repository.commit("-a")
    assert done.returncode == 1
    assert "1 finding introduced" in done.stderr
    report = done.stdout + done.stderr
    assert f"{ROSE}:31:2: error: free_pages() sleeps\n  on PREEMPT_RT, called" in report
    assert ITS not in report
    assert repository.git("rev-parse", "HEAD") == before


def test_what_is_staged_counts_and_not_the_disk(repository: Repository) -> None:
    repository.warm()
    repository.edit(ROSE, START, BAD)
    repository.git("add", ROSE)
    repository.edit(ROSE, BAD, START)
    before = repository.state()
    assert repository.ctxlint("hook", "run").returncode == 1
    assert repository.state() == before

    repository.git("add", ROSE)
    repository.edit(ITS, "\n#include", "\n/* staged */\n#include")
    repository.git("add", ITS)
    repository.edit(ROSE, START, BAD)  # on the disk only
    done = repository.ctxlint("hook", "run")
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 file checked" in done.stderr


@pytest.mark.slow
def test_a_commit_of_some_files_has_an_index_of_its_own(repository: Repository) -> None:
    repository.warm()
    repository.ctxlint("hook", "install")
    repository.edit(ROSE, START, BAD)
    repository.git("add", ROSE)
    repository.edit(ITS, "\n#include", "\n/* alone */\n#include")
    done = repository.commit(ITS)
    assert done.returncode == 0, done.stderr
    assert repository.commit(ROSE).returncode == 1


@pytest.mark.slow
def test_a_header_is_checked_through_its_units(repository: Repository) -> None:
    repository.warm()
    header = "drivers/irqchip/irq-lily.h"
    repository.edit(header, "int lily_its_probe", "/* probes */\nint lily_its_probe")
    repository.git("add", header)
    done = repository.ctxlint("hook", "run")
    assert done.returncode == 0
    assert "0 findings introduced" in done.stderr
    repository.edit(header, "int lily_its_probe", BAD_HEADER + "int lily_its_probe")
    repository.git("add", header)
    done = repository.ctxlint("hook", "run")
    assert done.returncode == 3
    assert "not checked: drivers/irqchip/irq-lily.c (arm64-rt): " in done.stderr
    assert repository.ctxlint("hook", "run", "--incomplete", "pass").returncode == 0


def test_a_new_file_is_read_as_its_neighbour(repository: Repository) -> None:
    """Which is a guess, and said."""
    repository.warm()
    fresh = "drivers/irqchip/irq-fresh.c"
    (repository.tree / fresh).write_text("int x;\n")
    repository.git("add", fresh)
    done = repository.ctxlint("hook", "run")
    assert done.returncode == 0
    assert f"{fresh} is new: read with the compile flags of drivers/irqchip/" in done.stderr
    assert "1 file checked" in done.stderr


def test_a_file_that_nothing_compiles_is_told(repository: Repository) -> None:
    """A hook lets it pass: it is the command that tells."""
    repository.warm()
    lone = repository.tree / "drivers/net/lone.c"
    lone.parent.mkdir()
    lone.write_text("int x;\n")
    repository.git("add", "drivers/net/lone.c")
    done = repository.ctxlint("hook", "run")
    assert done.returncode == 3
    assert "not checked: drivers/net/lone.c: " in done.stderr
    assert "0 files checked" in done.stderr
    assert repository.ctxlint("hook", "install").returncode == 0
    done = repository.commit()
    assert done.returncode == 0, done.stderr
    assert "not checked: drivers/net/lone.c: " in done.stderr


def test_code_that_is_no_c_is_told(repository: Repository) -> None:
    entry = repository.tree / "kernel/entry.S"
    entry.parent.mkdir(exist_ok=True)
    entry.write_text("nop\n")
    repository.git("add", "kernel/entry.S")
    done = repository.ctxlint("hook", "run")
    assert done.returncode == 3
    assert "not checked: kernel/entry.S: assembly, which is not analysed" in done.stderr
    assert repository.ctxlint("hook", "run", "--incomplete", "pass").returncode == 0


def test_a_makefile_alone_is_told(repository: Repository) -> None:
    makefile = repository.tree / "drivers/irqchip/Makefile"
    makefile.write_text("obj-y += irq-rose.o\n")
    repository.git("add", "drivers/irqchip/Makefile")
    done = repository.ctxlint("hook", "run")
    assert done.returncode == 3
    assert f"not checked: {ROSE}: drivers/irqchip/Makefile now builds it" in done.stderr
    assert repository.ctxlint("hook", "run", "--incomplete", "pass").returncode == 0
    assert repository.commit().returncode == 0
    makefile.write_text("# A comment.\nobj-y += irq-rose.o\n")
    repository.git("add", "drivers/irqchip/Makefile")
    assert repository.ctxlint("hook", "run").returncode == 0


@pytest.mark.slow
def test_what_is_allowed_in_the_staged_text_does_not_stop(repository: Repository) -> None:
    repository.warm()
    allowed = "\t/* ctxlint: allow(rt-sleep-in-atomic) a test */\n"
    repository.edit(ROSE, START, allowed + BAD)
    repository.git("add", ROSE)
    repository.edit(ROSE, allowed, "")  # on the disk only
    done = repository.ctxlint("hook", "run")
    assert done.returncode == 0, done.stderr
    assert "0 findings introduced" in done.stderr
    repository.git("add", ROSE)
    assert repository.ctxlint("hook", "run").returncode == 1
    assert repository.ctxlint("hook", "run", "--fail-on", "never").returncode == 0


def test_nothing_of_c_is_nothing_to_do(repository: Repository) -> None:
    (repository.tree / "notes.txt").write_text("text\n")
    repository.git("add", "notes.txt")
    done = repository.ctxlint("hook", "run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not Path(repository.environment["XDG_CACHE_HOME"], "ctxlint").exists()


# -- a cold index ------------------------------------------------------------------


@pytest.mark.slow
def test_a_cold_index_is_told_and_not_made(repository: Repository) -> None:
    repository.edit(ROSE, START, BAD)
    repository.git("add", ROSE)
    done = repository.ctxlint("hook", "run", "--max-units", "3")
    assert done.returncode == 0
    assert "the index is cold (10 of 10 units have not been read)" in done.stderr
    assert "this commit was not checked" in done.stderr
    assert "hint: run once: ctxlint audit drivers/firmware drivers/irqchip" in done.stderr
    again = repository.ctxlint("hook", "run", "--max-units", "3", "--cold", "fail")
    assert again.returncode == 3
    assert "10 of 10" in again.stderr  # the first call has read nothing
    built = repository.ctxlint("hook", "run", "--cold", "build")
    assert built.returncode == 1
    warm = repository.ctxlint("hook", "run", "--max-units", "3", "--cold", "fail")
    assert warm.returncode == 1


@pytest.mark.slow
def test_too_many_files_are_told(repository: Repository) -> None:
    for file in ROSE, ITS:
        repository.edit(file, "\n#include", "\n\n#include")
    repository.git("add", "-A")
    done = repository.ctxlint("hook", "run", "--max-units", "1")
    assert done.returncode == 0
    assert "it changes 2 C files, a hook reads at most 1" in done.stderr


# -- pushes ------------------------------------------------------------------------


@pytest.mark.slow
def test_a_push_is_checked_as_a_whole(repository: Repository, tmp_path: Path) -> None:
    repository.warm()
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "server"))
    repository.git("remote", "add", "server", str(tmp_path / "server"))
    repository.git("fetch", "-q", "server")
    repository.ctxlint("hook", "install", "--on", "push")
    repository.edit(ROSE, START, BAD)
    repository.commit("-a")
    done = repository.run("git", "push", "server", "main")
    assert done.returncode == 1
    assert "this push (1 commit): 1 file checked, 1 finding introduced" in done.stderr
    repository.edit(ROSE, BAD, START)
    repository.commit("-a")
    repository.edit(ROSE, START, BAD)  # not committed
    done = repository.run("git", "push", "server", "main:topic")
    assert done.returncode == 0, done.stderr
    assert "this push (2 commits): " not in done.stderr  # nothing is left of the change
    repository.git("checkout", "-q", ROSE)
    repository.edit(ROSE, START, "	/* a word */\n" + START)
    repository.commit("-a")
    done = repository.run("git", "push", "server", "main:other")
    assert done.returncode == 0
    assert "1 file checked, 0 findings introduced" in done.stderr


def test_what_cannot_be_compared_is_told(repository: Repository) -> None:
    head = repository.git("rev-parse", "HEAD")
    for old in "1" * 40, "0" * 40:
        line = f"refs/heads/main {head} refs/heads/main {old}\n"
        done = repository.ctxlint("hook", "run", "--push", "server", stdin=line)
        assert done.returncode == 0
        assert "refs/heads/main was not checked: " in done.stderr
        strict = ("--cold", "fail", "--push")
        assert repository.ctxlint("hook", "run", *strict, stdin=line).returncode == 3
    gone = f"(delete) {'0' * 40} refs/heads/old {head}\n"
    assert repository.ctxlint("hook", "run", "--push", stdin=gone).stderr == ""
    repository.git("checkout", "-q", "--orphan", "new")
    done = repository.ctxlint("hook", "run")
    assert done.returncode == 0
    assert "the first commit was not checked" in done.stderr


@pytest.mark.slow
def test_a_range_comes_from_the_pre_commit_program(repository: Repository) -> None:
    repository.warm()
    repository.edit(ROSE, START, BAD)
    repository.commit("-a")
    both = {"PRE_COMMIT_FROM_REF": "HEAD~1", "PRE_COMMIT_TO_REF": "HEAD"}
    done = repository.ctxlint("hook", "run", "--push", **both)
    assert done.returncode == 1
    wrong = repository.ctxlint("hook", "run", **both | {"PRE_COMMIT_FROM_REF": "nowhere"})
    assert wrong.returncode == 2
    assert "nowhere: no such commit" in wrong.stderr


# -- installing --------------------------------------------------------------------


def test_install_and_uninstall(repository: Repository) -> None:
    hook = repository.tree / ".git/hooks/pre-commit"
    assert repository.ctxlint("hook", "install").returncode == 0
    assert os.access(hook, os.X_OK)
    assert repository.ctxlint("hook", "install", "--cold", "fail").returncode == 0
    assert "hook run --cold fail" in hook.read_text()
    assert repository.ctxlint("hook", "uninstall").returncode == 0
    assert not hook.exists()
    done = repository.ctxlint("hook", "uninstall")
    assert done.returncode == 0
    assert "there is no" in done.stdout


def foreign(repository: Repository, code: int = 0) -> Path:
    hook = repository.tree / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho other >&2\nexit {code}\n")
    hook.chmod(0o755)
    return hook


def test_another_hook_is_not_overwritten(repository: Repository) -> None:
    hook = foreign(repository)
    text = hook.read_text()
    done = repository.ctxlint("hook", "install")
    assert done.returncode == 2
    assert "--chain" in done.stderr
    assert "--force" in done.stderr
    assert repository.ctxlint("hook", "uninstall").returncode == 2
    assert hook.read_text() == text


@pytest.mark.slow
@pytest.mark.parametrize("code", [0, 4])
def test_a_chained_hook_runs_first(repository: Repository, code: int) -> None:
    hook = foreign(repository, code)
    text = hook.read_text()
    done = repository.ctxlint("hook", "install", "--chain")
    assert "runs first" in done.stdout
    repository.edit(ROSE, START, BAD)
    done = repository.commit("-a")
    assert "other" in done.stderr
    assert ("1 finding introduced" in done.stderr) == (code == 0)
    assert done.returncode == 1
    # Once more does not chain ours to itself, and the other comes back at the end.
    assert repository.ctxlint("hook", "install").returncode == 0
    assert 'if [ -x "$before" ]' in hook.read_text()
    repository.ctxlint("hook", "uninstall")
    assert hook.read_text() == text


@pytest.mark.slow
def test_force_puts_another_hook_aside(repository: Repository) -> None:
    hook = foreign(repository, 4)
    text = hook.read_text()
    done = repository.ctxlint("hook", "install", "--force")
    assert "no longer runs" in done.stdout
    repository.edit(ROSE, START, START + "\n")
    assert repository.commit("-a").returncode == 0
    repository.ctxlint("hook", "uninstall")
    assert hook.read_text() == text


@pytest.mark.slow
def test_hooks_path_and_work_trees(repository: Repository, tmp_path: Path) -> None:
    repository.git("config", "core.hooksPath", "my hooks")
    repository.git("worktree", "add", "-q", str(tmp_path / "second"))
    second = tmp_path / "second"
    done = repository.ctxlint("hook", "install", "--cold", "build", at=second)
    assert done.returncode == 0, done.stderr
    assert (second / "my hooks/pre-commit").is_file()
    repository.git("config", "--unset", "core.hooksPath")
    done = repository.ctxlint("hook", "install", "--cold", "build", at=second)
    assert (repository.tree / ".git/hooks/pre-commit").is_file()
    repository.edit(ROSE, START, BAD, at=second)
    assert repository.commit("-a", at=second).returncode == 1


def test_hooks_path_of_all_repositories_is_left_alone(repository: Repository) -> None:
    repository.git("config", "--global", "core.hooksPath", str(repository.home / "hooks"))
    done = repository.ctxlint("hook", "install")
    assert done.returncode == 2
    assert "more than this repository (global)" in done.stderr
    assert not (repository.home / "hooks").exists()
    assert repository.ctxlint("hook", "install", "--force").returncode == 0
    assert (repository.home / "hooks/pre-commit").is_file()


def test_a_tool_that_is_gone_stops_no_commit(repository: Repository) -> None:
    repository.ctxlint("hook", "install")
    hook = repository.tree / ".git/hooks/pre-commit"
    hook.write_text(hook.read_text().replace(sys.executable, "/nowhere/python"))
    repository.edit(ROSE, START, BAD)
    done = repository.commit("-a")
    assert done.returncode == 0
    assert "nothing was checked" in done.stderr


def test_outside_of_a_repository(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "fixtures/tree", tmp_path / "linux")
    done = subprocess.run(
        [sys.executable, "-m", "ctxlint", "hook", "install"],
        cwd=tmp_path / "linux",
        env=os.environ | {"GIT_CEILING_DIRECTORIES": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "not a git repository" in done.stderr


def test_a_link_is_not_looked_at(repository: Repository) -> None:
    """It may stand where a file was that the kernel is built from."""
    repository.warm()
    link = repository.tree / ROSE
    link.unlink()
    link.symlink_to("irq-snail.c")
    repository.git("add", "-A")
    done = repository.ctxlint("hook", "run")
    assert done.returncode == 3 and f"not checked: {ROSE}: a link" in done.stderr
    assert repository.ctxlint("hook", "run", "--incomplete", "pass").returncode == 0
