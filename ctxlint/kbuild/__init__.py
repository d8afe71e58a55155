# SPDX-License-Identifier: GPL-2.0-or-later
"""From a kernel tree to the exact compile commands of its files; nothing is compiled."""

from __future__ import annotations

from collections.abc import Iterable

from ctxlint.kbuild.existing import use_build
from ctxlint.kbuild.model import (
    CompileCommand,
    Log,
    NoRtError,
    Prepared,
    ProfileSpec,
    Step,
    Tree,
    quiet,
)
from ctxlint.kbuild.prepare import add_paths, prepare
from ctxlint.kbuild.tree import find_tree

__all__ = [
    "CompileCommand",
    "NoRtError",
    "Prepared",
    "ProfileSpec",
    "Tree",
    "commands_for",
    "find_tree",
    "prepare",
    "use_build",
]


def commands_for(
    source: Tree,
    done: Prepared,
    paths: Iterable[str],
    *,
    jobs: int = 0,
    log: Log = quiet,
    progress: Step | None = None,
) -> Prepared:
    """``done`` with further files or directories of the same build added to its paths."""
    if done.own:
        return add_paths(source, done, paths, jobs=jobs, log=log, progress=progress)
    return use_build(source, done.build, (*done.paths, *paths), log=log)
