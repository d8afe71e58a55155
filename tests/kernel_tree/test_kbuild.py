# SPDX-License-Identifier: GPL-2.0-or-later
"""Compile commands of a real tree: how many, how soon, and does the parser take them."""

from __future__ import annotations

import os
import re
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
from ctxlint.kbuild import commands as reading
from ctxlint.kbuild.arch import srcarch
from ctxlint.kbuild.config import may_have_rt, read_config
from ctxlint.kbuild.flags import parser_flags
from ctxlint.kbuild.model import Step

from .scratch import Bench

pytestmark = pytest.mark.slow

DIRECTORIES = ("drivers/irqchip", "drivers/firmware")
#: Fewest units of the two directories; the counts on 6.12 were 154, 31, 49 and 133.
AT_LEAST = {"arm64": 130, "x86_64": 25, "riscv": 25, "arm": 110}


@pytest.fixture(scope="module")
def tree(kernel_tree: Path) -> Tree:
    return find_tree(kernel_tree)


@pytest.fixture(scope="module")
def cache(bench: Bench) -> Path:
    return bench.cache


def profile(
    tree: Tree, cache: Path, arch: str, rt: bool, *paths: str, step: Step | None = None
) -> Prepared:
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
        progress=step,
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

    steps: list[str] = []
    assert profile(tree, cache, arch, rt, step=steps.append) == done
    assert not steps

    index = Index.create()
    for command in done.commands[:: max(1, len(files) // 4)]:
        monkeypatch.chdir(command.directory)
        unit = index.parse(str(tree.path / command.file), args=list(command.arguments))
        worst = [d.spelling for d in unit.diagnostics if d.severity >= d.Error]
        assert not worst, command.file


def test_a_profile_that_begins_as_a_copy_is_the_same(
    tree: Tree, cache: Path, tmp_path: Path
) -> None:
    profile(tree, cache, "arm64", True, "drivers/irqchip/irq-gic.c")
    one = profile(tree, cache, "arm64", False, "drivers/irqchip/irq-gic.c")
    alone = profile(tree, tmp_path, "arm64", False, "drivers/irqchip/irq-gic.c")
    assert (one.build / ".config").read_text() == (alone.build / ".config").read_text()
    for folder in ("include/generated", "arch/arm64/include/generated"):
        found = [
            {
                path.relative_to(build): path.read_bytes()
                for path in sorted((build / folder).rglob("*.h"))
                if path.name not in ("compile.h", "utsversion.h")
            }
            for build in (one.build, alone.build)
        ]
        assert found[0] == found[1]


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


#: Machine flags that only change the code that is made. Not all compilers know them.
CODE_ONLY = (
    "indirect-branch", "function-return", "record-mcount", "nop-mcount", "fentry",
    "stack-protector-guard", "preferred-stack-boundary", "stack-alignment", "skip-rax-setup",
    "accumulate-outgoing-args", "no-accumulate-outgoing-args", "no-fp-ret-in-387", "retpoline",
    "harden-sls", "tune=", "tls-dialect", "apcs", "no-sched-prolog", "tp=", "fix-", "no-fix-",
    "no-global-merge", "no-outline", "direct-extern-access", "strict-align", "no-strict-align",
    "no-relax", "relax", "save-restore", "no-save-restore", "no-riscv-attribute",
    "force-no-pic", "long-calls", "no-explicit-reloc", "explicit-reloc", "call-", "eabi",
)  # fmt: skip
MATTERS = re.compile(
    r"-(D|U|I|std|O|ansi|undef|nostdinc|include|imacros|isystem|iquote|idirafter|x$|target"
    r"|-target|f(no-)?(short|signed|unsigned|ms-|freestanding|builtin|wrapv|strict|common))"
)


@pytest.mark.parametrize("arch", ["arm64", "x86_64", "riscv", "arm"])
def test_no_flag_that_matters_is_left_out(tree: Tree, cache: Path, arch: str) -> None:
    """The list of allowed flags has all that the kernel uses."""
    done = profile(tree, cache, arch, False)
    within = reading._Within(tree.path, done.build)
    left_out: set[str] = set()
    for raw in reading.read_records(done.build, ["."]):
        allowed = within.from_there(raw.directory)
        left_out.update(parser_flags(raw.arguments, allowed=allowed)[1])
    lost = {flag for flag in left_out if MATTERS.match(flag)}
    machine = {flag for flag in left_out if flag.startswith("-m")}
    lost |= {flag for flag in machine if not flag[2:].startswith(CODE_ONLY)}
    assert not lost
