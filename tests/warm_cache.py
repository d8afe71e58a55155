# SPDX-License-Identifier: GPL-2.0-or-later
"""A cache that has read the miniature tree.

What is stored goes by content and by names relative to the tree, so one cold audit in a run
of the tests serves for every copy of the tree. Model functions go by content, too.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from once import once

from ctxlint.base.places import default_cache
from ctxlint.pipeline import Quiet, Request, audit
from ctxlint.simulator.runtime.library import lowered
from ctxlint.simulator.runtime.state import Config
from ctxlint.units.index import keep_models_in

TREE = Path(__file__).resolve().parents[1] / "fixtures/tree"


def _read(cache: Path) -> None:
    builds = (TREE / "builds/rt", TREE / "builds/nort")
    paths = ("drivers/firmware", "drivers/irqchip")
    audit(Request(tree=TREE, builds=builds, paths=paths, cache=cache, jobs=1), Quiet())
    with_models(cache)


def with_models(cache: Path) -> Path:
    """Let a cache have the model functions, lowered; those of the last run of the tests, if
    nothing has changed."""
    keep_models_in(default_cache())
    for rt in (True, False):
        lowered(Config(rt=rt))
    shutil.copytree(default_cache() / "models", cache / "models")
    return cache


def warmed(cache: Path) -> Path:
    """Let ``cache``, which is not there yet or empty, be one that an audit has left."""
    shutil.copytree(once("miniature", _read), cache, dirs_exist_ok=True)
    return cache
