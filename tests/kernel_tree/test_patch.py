# SPDX-License-Identifier: GPL-2.0-or-later
"""A series on a real kernel: harmless, a new bug, half a fix of it."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from ctxlint.base.request import Quiet
from ctxlint.findings.series import SeriesResult
from ctxlint.kbuild import find_tree, prepare
from ctxlint.patches import open_series
from ctxlint.pipeline import Request
from ctxlint.pipeline.series import run

from .scratch import Bench, Overlay

pytestmark = pytest.mark.slow

GIC = "drivers/irqchip/irq-gic-v3.c"
OTHERS = ("drivers/irqchip/irq-gic.c", "drivers/irqchip/irq-gic-v2m.c")
UNITS = (GIC, *OTHERS, "drivers/irqchip/irq-gic-v3-its.c", "drivers/irqchip/irq-gic-common.c")
START = "static int gic_starting_cpu(unsigned int cpu)\n{\n"

WARM_SECONDS = 10.0
"""Processor time for a patch that changes three drivers, under two profiles: five
seconds on two processors."""


def git(root: Path, *words: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    for who in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{who}_NAME": "A", f"GIT_{who}_EMAIL": "a@example.org"}
    done = subprocess.run(
        ["git", "-C", str(root), *words], capture_output=True, check=True, env=environment
    )
    return done.stdout.decode()


@pytest.fixture(scope="module")
def series(bench: Bench) -> tuple[Path, list[Path]]:
    """A tree whose drivers/irqchip is under git, and build directories for it."""
    overlay = Overlay(bench.tree.path, bench.fresh("patched"))
    for path in sorted((bench.tree.path / "drivers/irqchip").iterdir()):
        if path.suffix in (".c", ".h"):
            file = f"drivers/irqchip/{path.name}"
            overlay.write(file, path.read_text())
    builds = [
        bench.build(
            overlay, bench.commands("arm64", "defconfig", rt, UNITS), {u: u for u in UNITS}
        )
        for rt in (True, False)
    ]
    root = overlay.root
    git(root, "init", "-q", "-b", "main", ".")
    git(root, "add", "-f", "drivers/irqchip/*.c", "drivers/irqchip/*.h")
    git(root, "commit", "-q", "-m", "base")

    def edit(file: str, old: str, new: str) -> None:
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new, 1))

    def commit(number: int, subject: str) -> None:
        for file in OTHERS:
            edit(file, "\n#include", f"\n/* part {number} */\n#include")
        git(root, "commit", "-q", "-a", "-m", subject)

    edit(GIC, START, "/* Every CPU comes by here. */\n" + START)
    commit(1, "irqchip/gic: Say what happens")
    edit(GIC, "\n#include", "\n#include <linux/slab.h>\n#include")
    edit(
        GIC,
        START,
        f"static void *gic_scratch;\n\n{START}\tgic_scratch = kzalloc(64, GFP_KERNEL);\n",
    )
    commit(2, "irqchip/gic-v3: Use a scratch buffer")
    edit(GIC, "kzalloc(64, GFP_KERNEL)", "kzalloc(64, GFP_ATOMIC)")
    commit(3, "irqchip/gic-v3: Do not sleep")
    git(root, "checkout", "-q", "-b", "topic")
    git(root, "checkout", "-q", "main")
    git(root, "reset", "-q", "--hard", "HEAD~3")
    return root, builds


def judged(bench: Bench, series: tuple[Path, list[Path]], cache: Path) -> SeriesResult:
    root, builds = series
    request = Request(
        tree=root, paths=UNITS, builds=tuple(builds), cache=cache, jobs=bench.jobs, timeout=300
    )
    return run(request, open_series("topic", tree=root), Quiet())


def processor_time() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def test_series(bench: Bench, series: tuple[Path, list[Path]], tmp_path: Path) -> None:
    root, builds = series
    request = Request(
        tree=root, paths=UNITS, builds=tuple(builds), cache=tmp_path, jobs=bench.jobs,
        timeout=300,
    )  # fmt: skip
    before = git(root, "status", "--porcelain"), git(root, "for-each-ref")
    base = run(request, open_series("topic~2", tree=root, base="main"), Quiet())
    assert not base.introduces and not base.incomplete
    started, clock = processor_time(), time.monotonic()
    result = judged(bench, series, tmp_path)
    spent = (processor_time() - started) / 3
    print(f"{spent:.1f} s CPU, {(time.monotonic() - clock) / 3:.1f} s a patch")
    first, second, third = result.patches
    assert not (first.introduced or first.fixed or first.partly_fixed)
    (found,) = second.introduced
    assert (found.function, found.callee) == ("gic_starting_cpu", "kzalloc")
    assert not found.rt_only and len(found.profiles) == 2
    assert found.entry.state == "CPUHP_AP_IRQ_GIC_STARTING"
    assert not third.introduced and not third.fixed
    (pair,) = third.partly_fixed
    assert pair.after.rt_only and (pair.after.function, pair.after.callee) == (
        found.function,
        found.callee,
    )
    assert result.introduced == (pair.after,)
    assert not result.incomplete
    assert (git(root, "status", "--porcelain"), git(root, "for-each-ref")) == before
    assert spent < WARM_SECONDS


def test_the_build_system_does_not_see_the_patches(bench: Bench, tmp_path: Path) -> None:
    """A checkout with a series in it: makefiles and scripts are run as the base has them."""
    overlay = Overlay(bench.tree.path, bench.fresh("checked-out"))
    trap = tmp_path / "sprung"
    names = ("drivers/irqchip/Makefile", "scripts/Kbuild.include")
    overrides: dict[str, bytes | None] = {n: (bench.tree.path / n).read_bytes() for n in names}
    for name, data in overrides.items():
        assert data is not None
        evil = f"\n$(shell touch {trap})\nccflags-y += -DEVIL\n"
        overlay.write(name, data.decode() + evil)
    done = prepare(
        find_tree(overlay.root),
        arch="arm64",
        config="defconfig",
        rt=True,
        paths=[OTHERS[0]],
        cache=tmp_path / "cache",
        jobs=bench.jobs,
        overrides=overrides,
    )
    assert [command.file for command in done.commands] == [OTHERS[0]]
    assert "-DEVIL" not in done.commands[0].arguments
    assert not any(".src" in argument for argument in done.commands[0].arguments)
    assert not trap.exists()
