# SPDX-License-Identifier: GPL-2.0-or-later
"""Compile commands of a real tree: how many, how soon, and does the parser take them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from clang.cindex import Index

from ctxlint.kbuild import (
    NoRealTimeError,
    Prepared,
    Tree,
    commands_for,
    find_tree,
    prepare,
    use_build,
)
from ctxlint.kbuild.arch import srcarch
from ctxlint.kbuild.config import may_have_rt, read_config

pytestmark = pytest.mark.slow

DIRECTORIES = ("drivers/irqchip", "drivers/firmware")
#: Fewest units of the two directories; the counts on 6.12 were 154, 31, 49 and 133.
AT_LEAST = {"arm64": 130, "x86_64": 25, "riscv": 25, "arm": 110}


@pytest.fixture(scope="module")
def tree(kernel_tree: Path) -> Tree:
    return find_tree(kernel_tree)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("CTXLINT_TEST_CACHE")
    return Path(named) if named else tmp_path_factory.mktemp("cache")


def profile(tree: Tree, cache: Path, arch: str, rt: bool, *paths: str) -> Prepared:
    if rt and not may_have_rt(tree.path, srcarch(arch)):
        pytest.skip(f"{tree.version} has no PREEMPT_RT on {arch}")
    return prepare(
        tree,
        arch=arch,
        config="defconfig",
        rt=rt,
        paths=paths or DIRECTORIES,
        cache=cache,
        jobs=int(os.environ.get("CTXLINT_TEST_JOBS", "1")),
    )


@pytest.mark.parametrize(
    ("arch", "rt"),
    [("arm64", True), ("arm64", False), ("x86_64", True), ("riscv", True), ("arm", False)],
)
def test_defconfig(
    tree: Tree, cache: Path, arch: str, rt: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree.path.stat().st_mtime_ns
    done = profile(tree, cache, arch, rt)
    assert tree.path.stat().st_mtime_ns == before
    assert len(done.commands) >= AT_LEAST[arch]
    files = [command.file for command in done.commands]
    assert files == sorted(files) and not set(files) & set(done.uncovered)
    assert all((tree.path / file).is_file() for file in (*files, *done.uncovered))
    options = read_config(done.build / ".config")
    assert (options.get("PREEMPT_RT") == "y") == rt
    assert options.get("PREEMPTION") == options.get("DEBUG_ATOMIC_SLEEP") == "y"
    assert "PROVE_LOCKING" not in options

    start = time.monotonic()
    assert profile(tree, cache, arch, rt) == done
    assert time.monotonic() - start < 1.0

    index = Index.create()
    for command in done.commands[:: max(1, len(files) // 4)]:
        monkeypatch.chdir(command.directory)
        unit = index.parse(str(tree.path / command.file), args=list(command.arguments))
        worst = [d.spelling for d in unit.diagnostics if d.severity >= d.Error]
        assert not worst, command.file


def test_more_directories_and_an_existing_build(tree: Tree, cache: Path) -> None:
    done = profile(tree, cache, "arm64", False, "drivers/irqchip/irq-gic.c")
    assert [command.file for command in done.commands] == ["drivers/irqchip/irq-gic.c"]
    more = commands_for(tree, done, ["kernel/irq", "arch/arm64/kernel/smp.c"])
    assert len(more.commands) > 12 and done.commands[0] in more.commands
    other = use_build(tree, done.build, more.paths)
    assert (other.arch, other.rt) == ("arm64", False)
    assert other.commands == more.commands


def test_no_rt_on_arm(tree: Tree, cache: Path) -> None:
    if may_have_rt(tree.path, "arm"):
        pytest.skip("this tree has PREEMPT_RT on arm")
    with pytest.raises(NoRealTimeError):
        prepare(
            tree,
            arch="arm",
            config="defconfig",
            rt=True,
            paths=["drivers/irqchip"],
            cache=cache,
        )
