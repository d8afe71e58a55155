# SPDX-License-Identifier: GPL-2.0-or-later
"""A lock helper of one file, called by another through a header function."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ctxlint import pipeline

from .test_reuse import TREE, Silent

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


def test_the_lock_reaches_through_the_header(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(TREE, tree)
    folder = tree / "drivers/far"
    folder.mkdir()
    names = {"helper.c": HELPER, "far.h": HEADER, "user.c": USER}
    for name, text in names.items():
        (folder / name).write_text(text, encoding="utf-8")
    build = tree / "builds/nort"
    database = build / "compile_commands.json"
    entries = json.loads(database.read_text(encoding="utf-8"))
    like = json.dumps(entries[0])
    old = entries[0]["file"]
    new = [
        json.loads(like.replace(old, f"../../drivers/far/{name}"))
        for name in ("helper.c", "user.c")
    ]
    database.write_text(json.dumps(entries + new), encoding="utf-8")
    request = pipeline.Request(
        tree=tree, builds=(build,), paths=("drivers/far",), cache=tmp_path / "cache", jobs=1
    )
    for _ in range(2):  # cold, and from the store
        result = pipeline.audit(request, Silent())
        assert [(f.file, f.line) for f in result.findings] == [("drivers/far/user.c", 6)]
