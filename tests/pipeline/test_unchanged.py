# SPDX-License-Identifier: GPL-2.0-or-later
"""A kept result is given only while a new run would say the same."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from warm_cache import warmed

from ctxlint.findings.model import Result
from ctxlint.pipeline import Quiet, Request, audit, unchanged
from ctxlint.report import json_report
from ctxlint.store import Store

ROOT = Path(__file__).parents[2]
SNAIL = "drivers/irqchip/irq-snail.c"
HEADER = "include/linux/mutex.h"
PATHS = ("drivers/irqchip", "drivers/firmware")
RULE = """functions:
  - prototype: void petrel(void)
    operation: wait
    requires: [{level: sleep, why: it waits}]
    source: drivers/irqchip/irq-snail.c:petrel
"""


class Tree:
    """A copy of the miniature tree, last changed a moment before it is looked at."""

    def __init__(self, folder: Path) -> None:
        self.tree, self.cache = folder / "tree", folder / "cache"
        self.rules = folder / "rules"
        (self.rules / "apis").mkdir(parents=True)
        shutil.copytree(ROOT / "fixtures/tree", self.tree)
        time.sleep(0.05)

    def request(self, **more: Any) -> Request:
        builds = tuple(self.tree / "builds" / name for name in ("rt", "nort"))
        base: dict[str, Any] = {"paths": PATHS, "builds": builds, "rules": (self.rules,)}
        return Request(tree=self.tree, **{**base, "cache": self.cache, "jobs": 1, **more})

    def kept(self, **more: Any) -> Result | None:
        return unchanged.recall(self.request(**more), Quiet())

    def file(self, name: str) -> Path:
        return self.tree / name


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path)
    warmed(made.cache)
    return made


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """After an audit, and not to be changed."""
    made = Tree(tmp_path_factory.mktemp("audited"))
    warmed(made.cache)
    audit(made.request(), Quiet())
    return made


def edit(path: Path, old: str, new: str) -> None:
    """Another text of the same length and time of change, in the same file."""
    before = path.stat()
    text = path.read_text(encoding="utf-8")
    assert old in text and len(old) == len(new)
    path.write_text(text.replace(old, new), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_the_same_result(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    first = audit(tree.request(), Quiet())
    monkeypatch.setattr("ctxlint.pipeline.run.audit", lambda *_: pytest.fail("analysed again"))
    again = audit(tree.request(jobs=2, timeout=5.0), Quiet())
    assert again == first
    assert json_report.render(again) == json_report.render(first)


CHANGES: dict[str, Callable[[Tree], object]] = {
    "source": lambda t: edit(t.file(SNAIL), "snail", "SNAIL"),
    "header": lambda t: edit(t.file(HEADER), "mutex", "MUTEX"),
    "header gone": lambda t: t.file(HEADER).unlink(),
    "new file": lambda t: t.file("drivers/irqchip/new.c").write_text("int x;\n"),
    "build": lambda t: t.file("builds/rt/.config").write_text("CONFIG_PREEMPT_RT=y\n"),
    "commands": lambda t: edit(t.file("builds/nort/compile_commands.json"), "-D", "-U"),
    "version": lambda t: edit(t.file("Makefile"), "SUBLEVEL = 0", "SUBLEVEL = 1"),
    "rule": lambda t: (t.rules / "apis/petrel.yaml").write_text(RULE),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change(tree: Tree, change: str) -> None:
    audit(tree.request(), Quiet())
    assert tree.kept() is not None
    CHANGES[change](tree)
    assert tree.kept() is None


@pytest.mark.parametrize(
    "other",
    [
        {"paths": PATHS[:1]}, {"rt": "rt"}, {"possible": True}, {"reach": 1}, {"rules": ()},
        {"verify": True},
    ],
)  # fmt: skip
def test_another_question(audited: Tree, other: dict[str, Any]) -> None:
    assert audited.kept() is not None
    assert audited.kept(**other) is None


def test_other_programs(audited: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    assert audited.kept() is not None
    monkeypatch.setenv("PATH", f"{audited.tree}:{os.environ['PATH']}")
    assert audited.kept() is None


def test_a_caller_somewhere(tree: Tree) -> None:
    """Where callers are searched for, a file anywhere counts."""
    audit(tree.request(paths=(SNAIL,), reach=1), Quiet())
    audit(tree.request(paths=(SNAIL,)), Quiet())
    assert tree.kept(paths=(SNAIL,), reach=1) is not None
    tree.file("arch/arm64/caller.c").parent.mkdir(parents=True, exist_ok=True)
    tree.file("arch/arm64/caller.c").write_text("void f(void) { snail_mask(0); }\n")
    assert tree.kept(paths=(SNAIL,), reach=1) is None
    assert tree.kept(paths=(SNAIL,)) is not None


def test_what_is_not_whole_is_tried_again(tree: Tree) -> None:
    with tree.file(SNAIL).open("a", encoding="utf-8") as out:
        out.write("\nint broken(void) { return what_is_this; }\n")
    time.sleep(0.05)
    first = audit(tree.request(), Quiet())
    assert [item.file for item in first.incomplete] == [SNAIL, SNAIL]
    assert tree.kept() is None
    assert audit(tree.request(), Quiet()).incomplete == first.incomplete


def test_a_unit_that_was_not_stored(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows what it was read from."""
    put = Store.put
    edit(tree.file(SNAIL), "snail", "SNAIL")
    monkeypatch.setattr(Store, "put", lambda *a, **k: SNAIL not in a and put(*a, **k))
    audit(tree.request(), Quiet())
    assert tree.kept() is None
    monkeypatch.undo()
    audit(tree.request(), Quiet())
    assert tree.kept() is not None


def test_changed_meanwhile(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows which of both texts the result is of."""
    from ctxlint.pipeline import run

    assemble = run.assemble

    def late(*args: Any, **more: Any) -> Result:
        tree.file("drivers/irqchip/other.c").write_text("int other;\n")
        return assemble(*args, **more)

    monkeypatch.setattr(run, "assemble", late)
    audit(tree.request(), Quiet())
    assert tree.kept() is None
