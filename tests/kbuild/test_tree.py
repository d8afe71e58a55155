# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ctxlint.base.errors import TreeError, UsageError
from ctxlint.kbuild import find_tree
from ctxlint.kbuild.tree import c_files, included_c_files, normal_paths


def test_found_from_below(toy_tree: Path) -> None:
    tree = find_tree(toy_tree / "drivers/a")
    assert (tree.path, tree.version, tree.commit) == (toy_tree.resolve(), "6.12.3", None)


def test_extraversion(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(
        "VERSION = 6\nPATCHLEVEL = 13\nSUBLEVEL = 0\nEXTRAVERSION = -rc2\n"
    )
    assert find_tree(tmp_path).version == "6.13.0-rc2"


@pytest.mark.parametrize("makefile", [None, "all:\n", "VERSION = 1.0\nPATCHLEVEL = x\n"])
def test_not_a_tree(tmp_path: Path, makefile: str | None) -> None:
    if makefile is not None:
        (tmp_path / "Makefile").write_text(makefile)
    with pytest.raises(TreeError) as caught:
        find_tree(tmp_path)
    assert str(tmp_path) in str(caught.value) and caught.value.hint


def test_start_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match="no such directory"):
        find_tree(tmp_path / "missing")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_commit(toy_tree: Path) -> None:
    git = ["git", "-C", str(toy_tree), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert find_tree(toy_tree).commit is None
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    commit = find_tree(toy_tree).commit
    assert commit is not None and len(commit) == 40


def test_paths_are_relative_to_the_tree(toy_tree: Path) -> None:
    tree = find_tree(toy_tree)
    given = ["drivers/a/", str(toy_tree / "drivers/b"), "./drivers/a/../a/one.c"]
    assert normal_paths(tree, given) == ("drivers/a", "drivers/a/one.c", "drivers/b")


@pytest.mark.parametrize("path", ["drivers/none", "../outside", "/"])
def test_wrong_paths(toy_tree: Path, path: str) -> None:
    with pytest.raises(UsageError):
        normal_paths(find_tree(toy_tree), [path])


def test_c_files_and_included_ones(toy_tree: Path) -> None:
    tree = find_tree(toy_tree)
    files = c_files(tree, ["drivers/a", "drivers/a/one.c", "drivers/b/Makefile"])
    assert files == [f"drivers/a/{n}.c" for n in ("one", "part", "sub/two", "three")]
    assert included_c_files(tree, files) == {"drivers/a/part.c"}
