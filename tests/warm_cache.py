# SPDX-License-Identifier: GPL-2.0-or-later
"""A cache that has read the miniature tree.

What is stored goes by content and by names relative to the tree, so one cold audit in a run
of the tests serves for every copy of the tree.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from once import once

from ctxlint.pipeline import Quiet, Request, audit

TREE = Path(__file__).resolve().parents[1] / "fixtures/tree"


def _read(cache: Path) -> None:
    builds = (TREE / "builds/rt", TREE / "builds/nort")
    paths = ("drivers/firmware", "drivers/irqchip")
    audit(Request(tree=TREE, builds=builds, paths=paths, cache=cache, jobs=1), Quiet())


def warmed(cache: Path) -> Path:
    """Let ``cache``, which is not there yet or empty, be one that an audit has left."""
    shutil.copytree(once("miniature", _read), cache, dirs_exist_ok=True)
    return cache
