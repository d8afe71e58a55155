# SPDX-License-Identifier: GPL-2.0-or-later
"""From a kernel tree to the exact compile commands of its files; nothing is compiled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ctxlint.kbuild import arch as _arch
from ctxlint.kbuild.checker import CheckedUnit, checked_unit
from ctxlint.kbuild.existing import use_build
from ctxlint.kbuild.filekinds import (
    is_makefile,
    may_hold_code,
    other_language,
    what_it_builds,
)
from ctxlint.kbuild.flags import flags_like
from ctxlint.kbuild.model import (
    CompileCommand,
    Log,
    NoRealTimeError,
    Prepared,
    ProfileSpec,
    Step,
    Tree,
    quiet,
)
from ctxlint.kbuild.overlay import needed
from ctxlint.kbuild.prepare import add_paths, inputs, prepare, ready, write_database
from ctxlint.kbuild.tree import NOT_KERNEL, find_tree
from ctxlint.kbuild.unbuilt import Why, includers, why_unbuilt

__all__ = [
    "NOT_KERNEL",
    "CheckedUnit",
    "CompileCommand",
    "NoRealTimeError",
    "Prepared",
    "ProfileSpec",
    "Tree",
    "Why",
    "arch_folder",
    "arch_of_config",
    "checked_unit",
    "command_like",
    "commands_for",
    "find_tree",
    "includers",
    "inputs",
    "is_makefile",
    "may_hold_code",
    "other_language",
    "prepare",
    "ready",
    "unclean",
    "use_build",
    "what_it_builds",
    "why_unbuilt",
    "write_database",
]


def unclean(source: Tree, arch: str) -> bool:
    """Whether somebody configured or built in the tree itself, so that a view is used."""
    return needed(source.path, _arch.srcarch(arch))


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


def command_like(
    commands: Iterable[CompileCommand], file: str
) -> tuple[CompileCommand, str] | None:
    """How a file that no Makefile knows yet would be compiled: as its neighbour is.

    The neighbour, which is named too, is the file of the same directory whose name is
    most like it; None when there is none among ``commands``.
    """
    directory, _, name = file.rpartition("/")
    near = [c for c in commands if c.file.rpartition("/")[0] == directory]
    if not near:
        return None
    best = min(near, key=lambda c: (-_alike(c.file, file), c.file))
    arguments = flags_like(best.arguments, name.removesuffix(".c"), directory)
    return replace(best, file=file, arguments=arguments), best.file


def _alike(one: str, other: str) -> int:
    """How many characters two names have in common from the start."""
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def arch_folder(arch: str) -> str:
    """The folder below ``arch/`` of an architecture ("x86_64": "x86")."""
    return _arch.srcarch(arch)


def arch_of_config(config: Path, tree: Tree) -> str | None:
    """The architecture that a ``.config`` is for, None when it does not tell."""
    return _arch.of_config_file(config, tree.path)
