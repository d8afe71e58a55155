# SPDX-License-Identifier: GPL-2.0-or-later
"""Audits of the miniature tree: the same answer however it is come by."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fixture_harness import BELOW, make_tree
from warm_cache import warmed

from ctxlint.findings.model import Result
from ctxlint.pipeline import Request
from ctxlint.pipeline.run import audit  # not what was kept
from ctxlint.report import json_report

ROOT = Path(__file__).parents[2]
PATHS = ("drivers/irqchip", "drivers/firmware")
SNAIL = "drivers/irqchip/irq-snail.c"
ROSE = "drivers/irqchip/irq-rose.c"
LILY = ("drivers/irqchip/irq-lily-its.c", "drivers/irqchip/irq-lily.c")


class Watcher:
    """A progress that notes which units were read, and what was said."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.said: list[tuple[str, str]] = []

    def start(self, stage: str, total: int) -> None: ...

    def advance(self, stage: str, text: str = "") -> None:
        if stage.startswith("reading"):
            self.read.append(text)

    def finish(self, stage: str) -> None: ...

    def log(self, level: Any, message: str) -> None:
        self.said.append((level, message))


class Miniature:
    """A copy of the miniature tree with a cache beside it."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self.cache = folder / "cache"
        shutil.copytree(ROOT / "fixtures/tree", self.tree)
        self.builds = tuple(self.tree / "builds" / name for name in ("rt", "nort"))

    def run(self, paths: tuple[str, ...] = PATHS, **more: Any) -> tuple[Result, Watcher]:
        watcher = Watcher()
        request = Request(
            tree=self.tree,
            paths=paths,
            builds=self.builds,
            **{"cache": self.cache, "jobs": 1, **more},
        )
        return audit(request, watcher), watcher

    def warm(self) -> Result:
        """As after a run of the tree as it is here; what that run said."""
        warmed(self.cache)
        result, watcher = self.run()
        assert watcher.read == []
        return result

    def report(self, **more: Any) -> str:
        return json_report.render(self.run(**more)[0])

    def command(self) -> list[str]:
        """The same audit as a process."""
        words = [sys.executable, "-m", "ctxlint", "audit", "-f", "json", "-j", "1", *PATHS]
        for build in self.builds:
            words += ["--build", str(build)]
        return [*words, "--tree", str(self.tree), "--cache", str(self.cache)]

    def append(self, file: str, text: str) -> None:
        with (self.tree / file).open("a", encoding="utf-8") as out:
            out.write(text)


@pytest.fixture
def mini(tmp_path: Path) -> Miniature:
    return Miniature(tmp_path)


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a first run says. No path of the tree is in it."""
    return Miniature(tmp_path_factory.mktemp("first")).report()


def test_the_answer_is_worth_comparing(answer: str) -> None:
    found = json.loads(answer)
    assert len(found["findings"]) == 4
    assert found["incomplete"] == []


def test_jobs_and_a_second_run(mini: Miniature, answer: str) -> None:
    assert mini.report(jobs=2) == answer
    result, watcher = mini.run()
    assert json_report.render(result) == answer
    assert watcher.read == []


def test_order_of_units(mini: Miniature, answer: str) -> None:
    for build in mini.builds:
        database = build / "compile_commands.json"
        commands = json.loads(database.read_text(encoding="utf-8"))
        random.Random(1).shuffle(commands)
        database.write_text(json.dumps(commands), encoding="utf-8")
    assert mini.report(paths=PATHS[::-1]) == answer


@pytest.mark.slow
def test_one_unit_after_the_other(mini: Miniature, answer: str) -> None:
    """Header functions then come from the store, in another order of arrival."""
    for file in (ROSE, SNAIL, LILY[0]):
        mini.run(paths=(file,))
    result, watcher = mini.run()
    assert json_report.render(result) == answer
    assert {ROSE, SNAIL, LILY[0]}.isdisjoint(watcher.read)
    assert LILY[1] in watcher.read


def test_an_edit_costs_one_unit(mini: Miniature) -> None:
    before = mini.warm()
    mini.append(SNAIL, "\nvoid snail_more(void) { }\n")
    after, watcher = mini.run()
    assert watcher.read == [SNAIL, SNAIL]  # once for each profile
    assert after.findings == before.findings


def test_an_edited_header_costs_the_units_that_include_it(mini: Miniature) -> None:
    mini.warm()
    mini.append("drivers/irqchip/irq-lily.h", "int lily_more(void);\n")
    _, watcher = mini.run()
    assert sorted(watcher.read) == sorted([*LILY, *LILY])


def test_an_edited_header_function_is_not_the_old_one(mini: Miniature) -> None:
    """The unit that calls it has not changed, only what it includes."""
    warmed(mini.cache)
    header = mini.tree / "drivers/irqchip/irq-lily.h"
    text = header.read_text(encoding="utf-8")
    calm = "static inline void lily_note(void) { }\n"
    wild = "static inline void lily_note(void) { msleep(1); }\n"
    header.write_text(text + calm, encoding="utf-8")
    mini.append(
        LILY[0],
        """
        #include <linux/spinlock.h>
        static DEFINE_RAW_SPINLOCK(raw);
        void lily_under_lock(void)
        {
            raw_spin_lock(&raw);
            lily_note();
            raw_spin_unlock(&raw);
        }
        """,
    )
    before, _ = mini.run()
    header.write_text(text + "void msleep(unsigned int ms);\n" + wild, encoding="utf-8")
    after, _ = mini.run()
    new = [f for f in after.findings if f not in before.findings]
    assert {(f.function, f.callee) for f in new} == {("lily_under_lock", "lily_note")}
    header.write_text(text + calm, encoding="utf-8")
    assert mini.run()[0] == before


def test_broken_c_costs_its_unit(mini: Miniature, answer: str) -> None:
    mini.warm()
    mini.append(ROSE, "\nint rose_broken(void) { return nowhere; }\n")
    done = subprocess.run(mini.command(), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert [(i["file"], i["reason"]) for i in found["incomplete"]] == [
        (ROSE, "does not parse without errors")
    ] * 2
    assert "nowhere" in found["incomplete"][0]["detail"]
    others = [f for f in json.loads(answer)["findings"] if f["file"] != ROSE]
    assert [f for f in found["findings"] if f["file"] != ROSE] == others
    result, watcher = mini.run()
    assert set(watcher.read) == {ROSE}, "a broken unit is tried again, and only that one"
    assert len(result.incomplete) == 2


def test_a_repaired_unit_is_complete_again(mini: Miniature, answer: str) -> None:
    text = (mini.tree / ROSE).read_text(encoding="utf-8")
    mini.warm()
    mini.append(ROSE, "}\n")
    assert mini.run()[0].incomplete
    (mini.tree / ROSE).write_text(text, encoding="utf-8")
    assert mini.report() == answer


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from pipeline.test_audit import PATHS, Watcher
from ctxlint.pipeline import Request, audit

class Killer(Watcher):
    def advance(self, stage, text=""):
        super().advance(stage, text)
        if len(self.read) == {after}:
            os.kill(os.getpid(), signal.SIGKILL)

tree = Path({tree!r})
builds = (tree / "builds/rt", tree / "builds/nort")
audit(Request(tree=tree, paths=PATHS, builds=builds, cache=Path({cache!r}), jobs=2), Killer())
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 4, 7])
def test_killed_and_run_again(mini: Miniature, answer: str, after: int) -> None:
    script = KILLED.format(
        tests=str(ROOT / "tests"), after=after, tree=str(mini.tree), cache=str(mini.cache)
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    result, watcher = mini.run()
    assert json_report.render(result) == answer
    assert len(watcher.read) <= 11 - after


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "noise", "foreign"])
def test_a_damaged_store_is_made_anew(mini: Miniature, answer: str, damage: str) -> None:
    mini.warm()
    store = mini.cache / "store.sqlite"
    data = bytearray(store.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "noise":
        data[4096:] = random.Random(2).randbytes(len(data) - 4096)
    else:
        data[:] = b"this is no database\n" * 100
    store.write_bytes(data)
    result, watcher = mini.run()
    assert json_report.render(result) == answer
    assert any(level == "warning" for level, _ in watcher.said)
    again, watcher = mini.run()
    assert json_report.render(again) == answer
    assert watcher.read == []


@pytest.mark.slow
def test_two_runs_at_once(mini: Miniature, answer: str) -> None:
    running = [
        subprocess.Popen(mini.command(), cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [1, 1]
    # A command says when it ran, and how it was called.
    found = [msgspec.structs.replace(json_report.load(out), run=None) for out in outputs]
    assert found == [json_report.load(answer)] * 2
    assert mini.run()[1].read == []


SHARED = {
    "h.h": "void take(void);\nstatic inline void through(void) { take(); }\n",
    "taker": """#include <linux/spinlock.h>
    #include "h.h"
    static DEFINE_RAW_SPINLOCK(raw);
    void take(void) { raw_spin_lock(&raw); }
    void own(void) { through(); raw_spin_unlock(&raw); }
    """,
    "user": """#include <linux/delay.h>
    #include "h.h"
    void user(void) { through(); msleep(1); }
    """,
}


def test_a_header_function_is_the_same_for_the_unit_that_defines_what_it_calls(
    tmp_path: Path,
) -> None:
    """Whoever is read first summarises it for all."""
    answers = set()
    for first, second, jobs in (
        ("taker", "user", 1),
        ("user", "taker", 1),
        ("taker", "user", 2),
    ):
        folder = tmp_path / f"{first}{jobs}"
        sources = {"a.c": SHARED[first], "b.c": SHARED[second]}
        builds = make_tree(folder / "tree", sources)
        (folder / "tree" / BELOW / "h.h").write_text(SHARED["h.h"], encoding="utf-8")
        request = Request(
            tree=folder / "tree",
            paths=(BELOW,),
            builds=builds[:1],
            cache=folder / "c",
            jobs=jobs,
        )
        result = audit(request, Watcher())
        answers.add(tuple((f.function, f.callee, f.rt_only) for f in result.findings))
    assert len(answers) == 1
