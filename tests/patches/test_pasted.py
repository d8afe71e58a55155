# SPDX-License-Identifier: GPL-2.0-or-later
"""The command in an answer by mail shows the same, pasted into a shell in the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from warm_cache import warmed

from ctxlint.cli.main import main

from .repository import FIXTURE, Repo

FINDING = "kzalloc() sleeps"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """With the series, a cache that has read the tree, and programs on the PATH."""
    repo = Repo.make(tmp_path / "tree")
    repo.series()
    warmed(tmp_path / "caches/ctxlint")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "ctxlint").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ctxlint "$@"\n')
    # b4 fetches the series by the message's id; this one has it.
    (bin_ / "b4").write_text('#!/bin/sh\necho "$@" >asked\nexec cat "$SERIES"\n')
    for program in bin_.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(repo.path)
    return repo


def command_of(mail: str) -> str:
    """The indented lines after "To reproduce this"."""
    said = re.search(r"^To reproduce this.*\n\n((?: .*\n)+)", mail, re.M)
    assert said is not None, mail
    return said.group(1)


def pasted(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the command of an answer says that was made with these words."""
    assert main(["patch", *words, "-q", "-j", "1", "--format", "mail"]) == 1
    line = command_of(capsys.readouterr().out)
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, env=os.environ, check=False
    )
    assert done.returncode == 1, (line, done.stderr)
    assert FINDING in done.stdout
    return line


@pytest.mark.slow
def test_a_range(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    builds = ("--build", "builds/rt", "--build", "builds/nort")
    line = pasted(capsys, "HEAD~3..HEAD~1", *builds)
    commit = repo.git("rev-parse", "HEAD~1").strip()[:12]
    assert f"ctxlint patch {commit}~..{commit} " in line
    assert "--build builds/rt" in line and "--build builds/nort" in line


@pytest.mark.slow
def test_a_file_and_a_build_elsewhere(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names are quoted, and as from the root of the tree."""
    shutil.copytree(FIXTURE / "builds/rt", tmp_path / "my build")
    database = tmp_path / "my build/compile_commands.json"
    database.write_text(database.read_text().replace("../../", f"{repo.path}/"))
    series = repo.git("format-patch", "--stdout", "HEAD~3..HEAD~1")
    repo.git("reset", "-q", "--hard", "HEAD~3")
    (tmp_path / "the series.mbox").write_text(series)
    line = pasted(
        capsys, str(tmp_path / "the series.mbox"), "--build", str(tmp_path / "my build"),
        "--path", "drivers/irqchip",
    )  # fmt: skip
    assert "'../the series.mbox'" in line and "--build '../my build'" in line
    assert "--path drivers/irqchip" in line


@pytest.mark.slow
def test_a_mail_that_b4_can_fetch(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    series = repo.git("format-patch", "--stdout", "--thread", "--base=HEAD~3", "HEAD~3..HEAD~1")
    repo.git("reset", "-q", "--hard", "HEAD~3")
    (tmp_path / "all.mbox").write_text(series)
    monkeypatch.setenv("SERIES", str(tmp_path / "all.mbox"))
    line = pasted(capsys, str(tmp_path / "all.mbox"), "--build", "builds/rt")
    own = re.findall(r"^Message-I[dD]: <(.*)>", series, re.M)[1]
    assert (repo.path / "asked").read_text() == f"am -o - {own}\n"
    assert f"--base {repo.git('rev-parse', 'HEAD').strip()[:12]}" in line
