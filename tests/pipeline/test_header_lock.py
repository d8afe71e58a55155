# SPDX-License-Identifier: GPL-2.0-or-later
"""A lock helper of one file, called by another through a header function."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ctxlint import pipeline
from ctxlint.base.request import Quiet
from ctxlint.findings.model import Result
from ctxlint.pipeline import run
from ctxlint.units import foreign
from tests.pipeline.miniature import TREE

HELPER = """#include <linux/spinlock.h>
static DEFINE_RAW_SPINLOCK(raw);
void far_lock(void) { raw_spin_lock(&raw); }
void far_unlock(void) { raw_spin_unlock(&raw); }
"""
HEADER = """void far_lock(void);
void far_unlock(void);
static inline void near_lock(void) { far_lock(); }
static inline void near_unlock(void) { far_unlock(); }
"""
USER = """#include <linux/delay.h>
#include "far.h"
void user(void)
{
	near_lock();
	msleep(1);
	near_unlock();
	msleep(2);
}
"""

CHAIN = """void {below}_lock(void);
void {below}_unlock(void);
void {name}_lock(void) {{ {below}_lock(); }}
void {name}_unlock(void) {{ {below}_unlock(); }}
"""
LAST = """#include <linux/delay.h>
void {name}_lock(void);
void {name}_unlock(void);
void user(void)
{{
	{name}_lock();
	msleep(1);
	{name}_unlock();
	msleep(2);
}}
"""


def audited(tmp_path: Path, files: dict[str, str], *, possible: bool = False) -> list[Result]:
    """A folder of these files, audited cold and from the store."""
    tree = tmp_path / "tree"
    shutil.copytree(TREE, tree)
    folder = tree / "drivers/far"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    build = tree / "builds/nort"
    database = build / "compile_commands.json"
    entries = json.loads(database.read_text(encoding="utf-8"))
    like, old = json.dumps(entries[0]), entries[0]["file"]
    entries += [
        json.loads(like.replace(old, f"../../drivers/far/{name}"))
        for name in files
        if name.endswith(".c")
    ]
    database.write_text(json.dumps(entries), encoding="utf-8")
    request = pipeline.Request(
        tree=tree, builds=(build,), paths=("drivers/far",), cache=tmp_path / "cache", jobs=1,
        possible=possible,
    )  # fmt: skip
    return [run.audit(request, Quiet()) for _ in range(2)]


@pytest.mark.parametrize("files", [2, foreign.ROUNDS + 2])
def test_a_lock_through_several_files(tmp_path: Path, files: int) -> None:
    """Each helper calls that of the file before; where that goes too far it is told."""
    texts = {"f0.c": HELPER.replace("far", "f0")}
    for n in range(1, files + 1):
        texts[f"f{n}.c"] = CHAIN.format(below=f"f{n - 1}", name=f"f{n}")
    texts["user.c"] = LAST.format(name=f"f{files}")
    for result in audited(tmp_path, texts):
        found = [(f.file, f.line) for f in result.findings]
        limits = {item.function for item in result.incomplete}
        if files == 2:
            assert (found, limits) == ([("drivers/far/user.c", 7)], set())
        else:
            last = f"f{foreign.ROUNDS}"
            assert found == [] and limits == {f"{last}_lock", f"{last}_unlock"}
            assert all(item.kind == "limit" for item in result.incomplete)


def test_the_lock_reaches_through_the_header(tmp_path: Path) -> None:
    for result in audited(tmp_path, {"helper.c": HELPER, "far.h": HEADER, "user.c": USER}):
        assert [(f.file, f.line) for f in result.findings] == [("drivers/far/user.c", 6)]


def test_what_is_wrong_of_a_function_until_its_callees_are_known_is_not_told(
    tmp_path: Path,
) -> None:
    """``f1()`` releases the lock that ``f0_lock()`` takes: nothing is left to callers."""
    texts = {"f0.c": HELPER.replace("far", "f0")}
    texts["f1.c"] = (
        "#include <linux/spinlock.h>\nextern raw_spinlock_t raw;\nvoid f0_lock(void);\n"
        "void f1(void);\nvoid f1(void)\n{\n\tf0_lock();\n\traw_spin_unlock(&raw);\n}\n"
    )
    for n in range(2, foreign.ROUNDS + 4):
        texts[f"f{n}.c"] = (
            f"void f{n - 1}(void);\nvoid f{n}(void);\nvoid f{n}(void)\n{{\n\tf{n - 1}();\n}}\n"
        )
    for result in audited(tmp_path, texts):
        assert not result.findings and not result.incomplete


@pytest.mark.parametrize(("ends", "found"), [("raw_spin_unlock(&raw)", 0), ("barrier()", 1)])
def test_callers_are_told_nothing_of_one_that_lost_track(
    tmp_path: Path, ends: str, found: int
) -> None:
    """It begins a section on one way and ends one on another; and one that only begins it."""
    texts = {
        "f0.c": "#include <linux/spinlock.h>\n#define barrier() do { } while (0)\n"
        "static DEFINE_RAW_SPINLOCK(raw);\nint f0_state(void);\nint f0(void);\n"
        "int f0(void)\n{\n\tif (f0_state()) {\n\t\traw_spin_lock(&raw);\n\t\treturn 1;\n\t}\n"
        f"\t{ends};\n\treturn 0;\n}}\n",
        "user.c": "#include <linux/delay.h>\nint f0(void);\nvoid user(void);\n"
        "void user(void)\n{\n\tif (f0())\n\t\tmsleep(1);\n}\n",
    }
    for result in audited(tmp_path, texts, possible=True):
        assert len(result.findings) == found
