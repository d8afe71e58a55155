# SPDX-License-Identifier: GPL-2.0-or-later
"""From what the user names to contents, without touching the repository."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ctxlint.patches import PatchError, open_series
from ctxlint.patches.git import Repository

from .repository import ROSE, Repo


def texts(repo: Repo, *revisions: str) -> list[bytes]:
    return [repo.git("show", f"{r}:{ROSE}").encode() for r in revisions]


def test_mail_and_range_agree(repo: Repo, tmp_path: Path) -> None:
    repo.series()
    wanted = texts(repo, "HEAD~2", "HEAD~1", "HEAD")
    start = repo.git("rev-parse", "HEAD~3").strip()
    before = repo.state()
    by_range = open_series("HEAD~3..", tree=repo.path)
    assert repo.state() == before
    assert [p.contents[ROSE] for p in by_range.patches] == wanted
    assert by_range.base == start
    assert by_range.difference[ROSE] == texts(repo, start)[0]
    mails = repo.mails(tmp_path / "mails")
    before = repo.state()
    by_mail = open_series(str(tmp_path / "mails"), tree=repo.path)
    assert repo.state() == before
    assert [p.contents[ROSE] for p in by_mail.patches] == wanted
    assert by_mail.base == start and not by_mail.difference
    assert [p.subject for p in by_mail.patches] == [p.subject for p in by_range.patches]
    stdin = b"".join(path.read_bytes() for path in mails)
    assert open_series("-", tree=repo.path, stdin=stdin).patches == by_mail.patches


def test_a_branch_is_taken_from_where_it_left(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "topic")
    repo.series()
    repo.git("checkout", "-q", "main")
    found = open_series("topic", tree=repo.path)
    assert [p.number for p in found.patches] == [1, 2, 3]
    assert [p.commit for p in open_series("topic", tree=repo.path, base="topic~1").patches] == [
        repo.git("rev-parse", "topic").strip()
    ]
    with pytest.raises(PatchError, match="no commit that HEAD lacks"):
        open_series("main", tree=repo.path)
    with pytest.raises(PatchError, match="neither a file"):
        open_series("--output=/tmp/x", tree=repo.path)


def test_base_commit_of_the_series(repo: Repo, tmp_path: Path) -> None:
    repo.series()
    mails = repo.mails(tmp_path / "mails", "--base=HEAD~3")
    (repo.path / ROSE).write_text("int other;\n")
    repo.commit("another state")
    found = open_series(str(tmp_path / "mails"), tree=repo.path)
    assert found.base_from == "the series' base-commit"
    assert found.difference[ROSE] == texts(repo, "HEAD~1")[0]
    with pytest.raises(PatchError, match=r"hunk 1 .*does not fit"):
        open_series(str(mails[0]), tree=repo.path, base="HEAD")
    text = mails[0].read_text().replace("base-commit: ", "base-commit: 0000000")
    mails[0].write_text(text)
    repo.git("reset", "-q", "--hard", "HEAD~1")
    found = open_series(str(tmp_path / "mails"), tree=repo.path)
    assert found.base_from == "HEAD" and any("not in the rep" in n for n in found.notes)


def test_uncommitted_changes_are_not_the_base(repo: Repo, tmp_path: Path) -> None:
    repo.series()
    repo.mails(tmp_path / "mails")
    clean = (repo.path / ROSE).read_bytes()
    repo.edit(ROSE, ("ROSE_PENDBASER", "ROSE_OTHER"))
    found = open_series(str(tmp_path / "mails"), tree=repo.path)
    assert found.difference == {ROSE: clean}


def test_one_of_a_series_that_is_checked_out(repo: Repo, tmp_path: Path) -> None:
    """Review tools hand over single patches with the whole series applied."""
    repo.series()
    head = repo.git("rev-parse", "HEAD").strip()
    mails = repo.mails(tmp_path / "mails")
    with pytest.raises(PatchError) as caught:
        open_series(str(mails[2]), tree=repo.path)
    assert "not the first of its series" in caught.value.hint
    repo.git("reset", "-q", "--hard", head)
    found = open_series(str(mails[1]), tree=repo.path)
    assert found.base == repo.git("rev-parse", "HEAD~2").strip()
    assert found.patches[0].number == 2


def test_a_series_under_review(repo: Repo, tmp_path: Path) -> None:
    """b4 keeps it on a branch of its own, with a commit of b4's at the tip."""
    repo.git("checkout", "-q", "-b", "b4/review/2026-rose")
    repo.series()
    first = repo.git("rev-parse", "HEAD~2").strip()
    repo.git("format-patch", "-q", "-o", str(tmp_path / "m"), "HEAD~3")
    repo.git("commit", "-q", "--allow-empty", "-m", "cover letter")
    repo.git("checkout", "-q", "main")
    tracking = (
        f'{{"series": {{"first-patch-commit": "{first}", "change-id": "2026-rose"}}}}'.encode()
    )
    cover = b"From: a@b\nSubject: [PATCH 0/3] rose\n\nHello\n"
    found = open_series("-", tree=repo.path, stdin=cover, tracking=tracking)
    assert [p.number for p in found.patches] == [1, 2, 3]
    third = (tmp_path / "m").glob("0003*").__next__().read_bytes()
    found = open_series("-", tree=repo.path, stdin=third, tracking=tracking)
    assert found.base == repo.git("rev-parse", "b4/review/2026-rose~2").strip()
    for bad in (b"{", b"[]", tracking.replace(first.encode(), b"--upload-pack=x")):
        with pytest.raises(PatchError):
            open_series("-", tree=repo.path, stdin=cover, tracking=bad)


def test_without_git(tmp_path: Path) -> None:
    made = Repo.make(tmp_path / "one")
    made.series()
    wanted = texts(made, "HEAD")[0]
    made.mails(tmp_path / "mails")
    (made.path / ".git").rename(tmp_path / "elsewhere")
    found = open_series(str(tmp_path / "mails"), tree=made.path)
    assert found.base is None
    assert found.patches[-1].contents == {ROSE: wanted}
    with pytest.raises(PatchError, match="not a git repository"):
        open_series("HEAD~1..", tree=made.path)


def test_renames_new_and_deleted_files(repo: Repo, tmp_path: Path) -> None:
    repo.git("mv", ROSE, "drivers/irqchip/irq-daisy.c")
    repo.git("rm", "-q", "drivers/irqchip/irq-snail.c")
    (repo.path / "include/linux/new.h").write_text("int x;")
    repo.commit("all of it")
    repo.git("format-patch", "-q", "-M", "-o", str(tmp_path / "mails"), "HEAD~1")
    wanted = (repo.path / "drivers/irqchip/irq-daisy.c").read_bytes()
    repo.git("reset", "-q", "--hard", "HEAD~1")
    (patch,) = open_series(str(tmp_path / "mails"), tree=repo.path).patches
    assert patch.contents == {
        ROSE: None,
        "drivers/irqchip/irq-daisy.c": wanted,
        "drivers/irqchip/irq-snail.c": None,
        "include/linux/new.h": b"int x;",
    }


def test_a_hunk_that_does_not_fit_is_named(repo: Repo, tmp_path: Path) -> None:
    repo.series()
    mails = repo.mails(tmp_path / "mails")
    repo.edit(ROSE, ("ROSE_PENDBASER) & 1", "ROSE_PENDBASER) & 2"))
    repo.commit("in the way")
    before = repo.state()
    with pytest.raises(PatchError) as caught:
        open_series(str(tmp_path / "mails"), tree=repo.path)
    assert caught.value.number == 2
    assert "patch 2/3" in str(caught.value) and f"{ROSE}, hunk 2 (@@ -28," in str(caught.value)
    assert repo.state() == before
    assert len(mails) == 3


def hostile(repo: Repo, trap: Path) -> None:
    """Configuration and attributes that start programs wherever git lets them."""
    trap.write_text("#!/bin/sh\ntouch " + str(trap) + ".sprung\ncat\n")
    trap.chmod(0o755)
    for name in ("post-checkout", "post-index-change", "pre-auto-gc", "reference-transaction"):
        hook = repo.path / ".git/hooks" / name
        hook.write_text(trap.read_text())
        hook.chmod(0o755)
    for key in (
        "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "diff.external",
        "filter.evil.clean", "filter.evil.smudge", "filter.evil.process",
        "diff.evil.command", "diff.evil.textconv", "gpg.program", "core.askPass",
        "core.alternateRefsCommand", "credential.helper", "pager.log", "pager.diff",
    ):  # fmt: skip
        repo.git("config", key, str(trap))
    repo.git("config", "filter.evil.required", "true")
    repo.git("config", "log.showSignature", "true")
    (repo.path / ".git/info").mkdir(exist_ok=True)
    (repo.path / ".git/info/attributes").write_text("* filter=evil diff=evil\n")


def test_configuration_and_attributes_run_nothing(repo: Repo, tmp_path: Path) -> None:
    repo.series()
    repo.git("format-patch", "-q", "-o", str(tmp_path / "mails"), "HEAD~3")
    trap = tmp_path / "trap"
    hostile(repo, trap)
    (repo.path / ROSE).touch()
    before = sorted(p for p in repo.path.rglob("*"))
    open_series("HEAD~3..", tree=repo.path)
    open_series(str(tmp_path / "mails"), tree=repo.path, base="HEAD~3")
    assert not Path(f"{trap}.sprung").exists()
    assert sorted(p for p in repo.path.rglob("*")) == before


def test_the_trap_works(repo: Repo, tmp_path: Path) -> None:
    """Plain git would have run it: the test above can fail."""
    trap = tmp_path / "trap"
    hostile(repo, trap)
    (repo.path / ROSE).touch()
    os.utime(repo.path / ROSE, (1, 1))
    with contextlib.suppress(subprocess.CalledProcessError):
        repo.git("diff", "--stat", "HEAD")
    assert Path(f"{trap}.sprung").exists()


def test_attributes_in_the_patch_do_nothing(repo: Repo, tmp_path: Path) -> None:
    (repo.path / ".gitattributes").write_text("*.c filter=evil text eol=crlf ident\n")
    (repo.path / "drivers/.gitattributes").write_text("* working-tree-encoding=UTF-16\n")
    repo.edit(ROSE, ("ROSE_PENDBASER", "ROSE_OTHER"))
    wanted = (repo.path / ROSE).read_bytes()
    repo.git("-c", "core.attributesFile=/dev/null", "add", "-A", "-f", ".gitattributes")
    diff = (
        b"diff --git a/.gitattributes b/.gitattributes\nnew file mode 100644\n--- /dev/null\n"
        b"+++ b/.gitattributes\n@@ -0,0 +1 @@\n+* working-tree-encoding=UTF-16 eol=crlf\n"
    )
    (repo.path / ".gitattributes").unlink()
    (repo.path / "drivers/.gitattributes").unlink()
    repo.git("reset", "-q")
    change = repo.git("diff", "HEAD").encode()
    repo.git("checkout", "-q", "--", ".")
    (patch,) = open_series("-", tree=repo.path, stdin=diff + change).patches
    assert patch.contents == {ROSE: wanted}


def test_links_are_not_followed(repo: Repo, tmp_path: Path) -> None:
    secret = tmp_path / "secret.c"
    secret.write_text("a\n")
    (repo.path / "link.c").symlink_to(secret)
    (repo.path / "folder").symlink_to(tmp_path)
    repo.commit("links")
    for name in ("link.c", "folder/secret.c"):
        text = f"--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-a\n+b\n".encode()
        for tree in (repo.path, without_git(repo, tmp_path / name.replace("/", "-"))):
            with pytest.raises(PatchError, match=r"link|regular"):
                open_series("-", tree=tree, stdin=text)
    assert secret.read_text() == "a\n"


def without_git(repo: Repo, where: Path) -> Path:
    shutil.copytree(repo.path, where, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    return where


def test_a_submodule_is_not_entered(repo: Repo) -> None:
    sha = repo.git("rev-parse", "HEAD").strip()
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{sha},sub")
    repo.git("commit", "-q", "-m", "submodule")
    found = open_series("HEAD~1..", tree=repo.path)
    assert found.patches[0].contents == {}


def test_the_environment_of_a_hook_is_not_taken_over(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.series()
    other = Repo.make(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-index"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(tmp_path / "no-such-program"))
    assert len(open_series("HEAD~3..", tree=repo.path).patches) == 3


def test_a_linked_work_tree(repo: Repo, tmp_path: Path) -> None:
    repo.series()
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"), "HEAD~3")
    before = repo.state()
    found = open_series("main", tree=tmp_path / "linked")
    assert len(found.patches) == 3 and not found.difference
    assert repo.state() == before


def test_objects_that_are_missing_are_not_fetched(repo: Repo) -> None:
    with pytest.raises(PatchError, match="lacks the object"):
        Repository(repo.path).blobs(["0" * 39 + "1"])


def test_a_tree_that_is_far_from_the_base(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctxlint.patches.series.MAX_DIFFERENT", 0)
    repo.series()
    with pytest.raises(PatchError, match="differs from"):
        open_series("HEAD~3..", tree=repo.path)
