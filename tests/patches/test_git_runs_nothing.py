# SPDX-License-Identifier: GPL-2.0-or-later
"""git is started in one way, and no configuration or file of a stranger starts more.

Each trap leaves a marker when it is sprung; that they can be is tested too.
"""

from __future__ import annotations

import ast
import contextlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import ctxlint
from ctxlint.base import git
from ctxlint.base.errors import CtxlintError
from ctxlint.cli import githooks
from ctxlint.kbuild.tree import find_tree, origin
from ctxlint.patches import open_series, staged
from ctxlint.patches.apply import git_free_directory
from ctxlint.patches.git import Repository
from ctxlint.pipeline import since

from .repository import ENVIRONMENT, ROSE, Repo

ZERO = "From 0123456789 Mon Sep 17 00:00:00 2001\n"


def test_nobody_else_starts_git() -> None:
    """The word "git" as a program stands in one module."""
    root = Path(ctxlint.__file__).parent
    found = set()
    for file in root.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "git" not in text or ("subprocess" not in text and "os." not in text):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.List | ast.Tuple | ast.Call):
                words = node.args if isinstance(node, ast.Call) else node.elts
                first = words[0] if words else None
                if isinstance(first, ast.Constant) and first.value == "git":
                    found.add(file.relative_to(root).as_posix())
    assert found == {"base/git.py"}


def mail(number: int, body: str) -> str:
    return (
        f"{ZERO}From: A <a@example.org>\nSubject: [PATCH {number}/2] x\n\nx\n---\n{body}"
        "-- \n2.40\n\n"
    )


def made(name: str, text: str) -> str:
    lines = text.splitlines()
    return (
        f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n"
        f"@@ -0,0 +1,{len(lines)} @@\n" + "".join(f"+{line}\n" for line in lines)
    )


def touched(names: list[str]) -> str:
    """The files are on the disk when git starts on the second patch."""
    return "".join(
        f"diff --git a/{name} b/{name}\nold mode 100644\nnew mode 100755\n" for name in names
    )


def repository_of(folder: str, marker: Path, more: str = "") -> str:
    """A series whose first patch makes a git directory with traps in it."""
    trap = f'"touch {marker}; cat"'
    config = (
        f'[core]\n\trepositoryformatversion = 0\n\tbare = false\n{more}[filter "e"]\n'
        f"\tclean = {trap}\n\tsmudge = {trap}\n\tprocess = {trap}\n"
        f"[diff]\n\texternal = {trap}\n"
    )
    files = {
        "HEAD": "ref: refs/heads/x\n",
        "config": config,
        "commondir": ".\n",
        "config.worktree": config,
        "info/attributes": "* filter=e diff=e\n",
        "objects/a": "a\n",
        "refs/a": "a\n",
        "hooks/post-index-change": f"#!/bin/sh\ntouch {marker}\n",
    }
    names = {f"{folder}{name}": text for name, text in files.items()}
    first = "".join(made(name, text) for name, text in names.items())
    return mail(1, first) + mail(2, touched(list(names)) + made("drivers/n.c", "int n;"))


FOLDERS = [
    "none/",
    "no-repository/",
    "",
    "tree/",
    "git/",
    "0" * 200 + "/",
    "a.git/",
    "objects/",
]


@pytest.mark.parametrize("with_git", [True, False])
def test_a_git_directory_in_a_series(repo: Repo, tmp_path: Path, with_git: bool) -> None:
    marker, elsewhere = tmp_path / "MARKER", tmp_path / "elsewhere"
    elsewhere.mkdir()
    if not with_git:
        (repo.path / ".git").rename(tmp_path / "dot-git")
    for folder in FOLDERS:
        more = f"\tworktree = {elsewhere}\n" if folder == FOLDERS[0] else ""
        data = repository_of(folder, marker, more).encode()
        (tmp_path / "series.mbox").write_bytes(data)
        source, stdin = ("-", data) if with_git else (str(tmp_path / "series.mbox"), None)
        found = open_series(source, tree=repo.path, stdin=stdin)
        assert found.patches[1].contents == {"drivers/n.c": b"int n;\n"}
    assert not marker.exists() and not list(elsewhere.iterdir())


def test_that_trap_works(tmp_path: Path) -> None:
    """With the series' directory as git's own, the filter runs."""
    marker = tmp_path / "MARKER"
    root = tmp_path / "root"
    (root / "none/info").mkdir(parents=True)
    (root / "none/objects").mkdir()
    (root / "none/refs").mkdir()
    (root / "none/HEAD").write_text("ref: refs/heads/x\n")
    trap = f'"touch {marker}; cat"'
    (root / "none/config").write_text(
        f'[core]\n\trepositoryformatversion = 0\n[filter "e"]\n\tclean = {trap}\n'
    )
    (root / "none/info/attributes").write_text("* filter=e\n")
    (root / "a.c").write_text("a\n")
    diff = b"--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-a\n+b\n"
    git.run(["apply", "-"], cwd=root, stdin=diff, extra={"GIT_DIR": str(root / "none")})
    assert marker.exists()


def test_what_must_not_exist_is_looked_for() -> None:
    with (
        pytest.raises(CtxlintError, match="may have read"),
        git_free_directory("x-") as (
            place,
            variables,
        ),
    ):
        assert not os.path.lexists(variables["GIT_DIR"])
        assert place.stat().st_mode & 0o077 == 0
        Path(variables["GIT_DIR"]).parent.mkdir()
    for name in ("0" * 256,):
        with pytest.raises(OSError, match="too long"):
            Path(f"/tmp/{name}").touch()


KEYS = (
    "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.gitProxy",
    "diff.external", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process",
    "diff.evil.command", "diff.evil.textconv", "gpg.program", "gpg.ssh.program", "core.askPass",
    "core.alternateRefsCommand", "credential.helper", "pager.log", "pager.diff", "pager.show",
    "alias.diff", "alias.log", "alias.cat-file", "sequence.editor", "interactive.diffFilter",
    "uploadpack.packObjectsHook", "remote.origin.uploadpack", "trailer.sign.command",
    "merge.evil.driver", "difftool.x.cmd", "browser.x.cmd",
)  # fmt: skip


def trapped(repo: Repo, tmp_path: Path, into: Path | None = None) -> Path:
    """Fills the configuration with programs; the file that shows that one ran."""
    trap, marker = tmp_path / "trap", tmp_path / "MARKER"
    trap.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    trap.chmod(0o755)
    where = ["--file", str(into)] if into is not None else []
    for key in KEYS:
        repo.git("config", *where, key, str(trap))
    repo.git("config", *where, "filter.evil.required", "true")
    for name in ("post-index-change", "post-checkout", "pre-auto-gc", "reference-transaction"):
        hook = repo.path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(trap.read_text())
        hook.chmod(0o755)
    (repo.path / ".git/info").mkdir(exist_ok=True)
    (repo.path / ".git/info/attributes").write_text("* filter=evil diff=evil merge=evil\n")
    return marker


def mails_of(repo: Repo, tmp_path: Path) -> str:
    repo.git("format-patch", "-q", "-o", str(tmp_path / "mails"), "HEAD~3")
    return str(tmp_path / "mails")


USES: dict[str, Callable[[Repo, str], object]] = {
    "since": lambda repo, _: since.contents_at(repo.path, "HEAD~1"),
    "range": lambda repo, _: open_series("HEAD~3..", tree=repo.path),
    "mail": lambda repo, mails: open_series(mails, tree=repo.path, base="HEAD~3"),
    "applied": lambda repo, mails: open_series(mails + "/x.patch", tree=repo.path),
    "staged": lambda repo, _: staged.staged(repo.path),
    "pushed": lambda repo, _: staged.between(repo.path, "HEAD~2", "HEAD"),
    "branch": lambda repo, _: staged.start_of_branch(repo.path, "HEAD", "origin"),
    "tree": lambda repo, _: (find_tree(repo.path), origin(repo.path)),
    "hooks": lambda repo, _: githooks.place(repo.path, "pre-commit"),
}


@pytest.mark.parametrize("use", USES)
def test_configuration_runs_nothing(repo: Repo, tmp_path: Path, use: str) -> None:
    repo.series()
    mails = mails_of(repo, tmp_path)
    third = sorted(Path(mails).iterdir())[2]
    (Path(mails) / "x.patch").write_bytes(third.read_bytes()) if use == "applied" else None
    repo.edit(ROSE, ("ROSE_PENDBASER", "ROSE_OTHER"))
    (repo.path / "new.c").write_text("int x;\n")
    marker = trapped(repo, tmp_path)
    os.utime(repo.path / ROSE, (1, 1))
    USES[use](repo, mails)
    assert not marker.exists()


@pytest.mark.parametrize("how", ["include", "includeIf", "worktree"])
def test_configuration_from_elsewhere_runs_nothing(
    repo: Repo, tmp_path: Path, how: str
) -> None:
    repo.series()
    mails_of(repo, tmp_path)
    other = tmp_path / "other-config"
    if how == "worktree":
        repo.git("config", "extensions.worktreeConfig", "true")
        other = repo.path / ".git/config.worktree"
    elif how == "include":
        repo.git("config", "include.path", str(other))
    else:
        repo.git("config", "includeIf.onbranch:main.path", str(other))
    marker = trapped(repo, tmp_path, other)
    os.utime(repo.path / ROSE, (1, 1))
    for use in ("since", "mail", "staged"):
        USES[use](repo, str(tmp_path / "mails"))
    assert not marker.exists()


@pytest.mark.parametrize("name", ["e=x", "=", "e.clean=x"])
def test_a_driver_that_cannot_be_switched_off_is_refused(
    repo: Repo, tmp_path: Path, name: str
) -> None:
    marker = tmp_path / "MARKER"
    with (repo.path / ".git/config").open("a") as file:
        file.write(f'[filter "{name}"]\n\tclean = "touch {marker}; cat"\n')
    (repo.path / ".git/info").mkdir(exist_ok=True)
    (repo.path / ".git/info/attributes").write_text(f"* filter={name}\n")
    os.utime(repo.path / ROSE, (1, 1))
    with pytest.raises(CtxlintError, match="driver of the name"):
        since.contents_at(repo.path, "HEAD")
    assert not marker.exists()


def test_too_many_drivers(repo: Repo) -> None:
    with (repo.path / ".git/config").open("a") as file:
        file.writelines(f'[filter "e{n}"]\n\tclean = x\n' for n in range(20_000))
    with pytest.raises(CtxlintError, match="20000 filters"):
        Repository(repo.path)


@pytest.mark.parametrize("file", ["refs/heads/main", "HEAD", "index", "info/attributes"])
def test_files_without_an_end(repo: Repo, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    monkeypatch.setattr(git, "MEMORY", 64 << 20)
    path = repo.path / ".git" / file
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")
    os.utime(repo.path / ROSE, (1, 1))
    for use in ("tree", "since"):
        with contextlib.suppress(CtxlintError):
            USES[use](repo, "")


def test_the_work_tree_is_the_one_that_was_named(repo: Repo, tmp_path: Path) -> None:
    """core.worktree would have files of the machine compared, and told."""
    other = tmp_path / "private"
    (other / "drivers/irqchip").mkdir(parents=True)
    (other / ROSE).write_text("secret\n")
    repo.git("config", "core.worktree", str(other))
    assert Repository(repo.path).against_disk("HEAD") == []
    assert since.contents_at(repo.path, "HEAD") == {}


def test_the_environment_leads_nowhere(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.series()
    marker = tmp_path / "MARKER"
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {marker}\n")
    trap.chmod(0o755)
    for name in ("GIT_EXTERNAL_DIFF", "GIT_SSH", "GIT_PAGER", "GIT_ASKPASS", "GIT_EDITOR"):
        monkeypatch.setenv(name, str(trap))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(trap))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.fsmonitor={trap}'")
    for use in ("since", "range", "staged", "tree", "hooks"):
        assert USES[use](repo, "") is not None
    assert find_tree(repo.path).commit == repo.git("rev-parse", "HEAD").strip()
    assert not marker.exists()


def test_nothing_is_fetched_for_a_partial_clone(repo: Repo, tmp_path: Path) -> None:
    repo.series()
    marker = tmp_path / "MARKER"
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {marker}\n")
    trap.chmod(0o755)
    blob = repo.git("rev-parse", f"HEAD~1:{ROSE}").strip()
    (repo.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "extensions.partialClone", "origin")
    for key, value in (
        ("promisor", "true"), ("url", str(tmp_path / "tree")), ("uploadpack", str(trap)),
        ("vcs", "evil"), ("partialclonefilter", "blob:none"),
    ):  # fmt: skip
        repo.git("config", f"remote.origin.{key}", value)
    for key in ("protocol.allow", "protocol.file.allow"):
        repo.git("config", key, "always")
    for bad in (lambda: since.contents_at(repo.path, "HEAD~1"),
                lambda: open_series("HEAD~3..", tree=repo.path)):  # fmt: skip
        with pytest.raises(CtxlintError, match="lacks the object"):
            bad()
    assert not marker.exists()


def test_hooks_are_found_where_the_user_has_them(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    subprocess.run(
        ["git", "config", "--global", "core.hooksPath", str(tmp_path / "shared")],
        env=ENVIRONMENT | {"HOME": str(tmp_path / "home")}, check=True,
    )  # fmt: skip
    place = githooks.place(repo.path, "pre-commit")
    assert place.path == tmp_path / "shared/pre-commit" and place.shared == "global"
