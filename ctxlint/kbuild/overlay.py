# SPDX-License-Identifier: GPL-2.0-or-later
"""A clean view of a tree that somebody configured or built in place.

kbuild refuses to build elsewhere from such a tree, because its leftovers would be found
before the new files. The view is a directory of symbolic links to everything but them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ctxlint.kbuild.commands import RawCommand


def needed(tree: Path, srcarch: str) -> bool:
    """Whether kbuild takes ``tree`` for unclean (source: outputmakefile in the Makefile)."""
    return (
        (tree / ".config").is_file()
        or (tree / "include/config").is_dir()
        or (tree / "arch" / srcarch / "include/generated").is_dir()
    )


def make(tree: Path, srcarch: str, view: Path) -> None:
    """Make ``view`` a fresh clean view of ``tree``."""
    if view.exists():
        shutil.rmtree(view)
    arch = f"arch/{srcarch}"
    left_out = {".config", ".git", "include/config", "include/generated"}
    left_out.add(f"{arch}/include/generated")
    _link(tree, view, Path(), {"include", "arch", arch, f"{arch}/include"}, left_out)


def _link(tree: Path, view: Path, below: Path, opened: set[str], left_out: set[str]) -> None:
    (view / below).mkdir(parents=True)
    for entry in sorted((tree / below).iterdir()):
        name = below / entry.name
        if name.as_posix() in opened:
            _link(tree, view, name, opened, left_out)
        elif name.as_posix() not in left_out:
            (view / name).symlink_to(entry)


def undo(commands: Iterator[RawCommand], tree: Path, view: Path) -> Iterator[RawCommand]:
    """``commands`` with the names of the tree itself in place of those of its view.

    The tree's own ``include`` holds the leftovers, so the build directory's (which has
    nothing but generated files) goes before it.
    """
    before, after = str(view), str(tree)
    for command in commands:
        if not command.source.startswith(before):
            yield command
            continue
        arguments: list[str] = []
        for argument in command.arguments:
            if argument == f"-I{before}/include":
                arguments.append("-I./include")
            arguments.append(argument.replace(before, after))
        yield replace(
            command,
            source=command.source.replace(before, after),
            arguments=tuple(arguments),
        )
