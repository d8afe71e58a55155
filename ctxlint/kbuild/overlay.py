# SPDX-License-Identifier: GPL-2.0-or-later
"""A clean view of a tree that somebody configured or built in place.

kbuild refuses to build elsewhere from such a tree, because its leftovers would be found
before the new files. The view is a directory of symbolic links to everything but them.
It can also show some files as they were in another state of the tree.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
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


def make(
    tree: Path, srcarch: str, view: Path, overrides: Mapping[str, bytes | None] | None = None
) -> None:
    """Make ``view`` a fresh clean view of ``tree``.

    ``overrides`` are files, by name relative to the tree, that have another content there
    (None: that are not there).
    """
    if view.exists():
        shutil.rmtree(view)
    arch = f"arch/{srcarch}"
    left_out = {".config", ".git", "include/config", "include/generated"}
    left_out.add(f"{arch}/include/generated")
    opened = {"include", "arch", arch, f"{arch}/include"}
    for name in overrides or ():
        opened.update(folder.as_posix() for folder in Path(name).parents)
    _link(tree, view, Path(), opened, left_out)
    for name, data in (overrides or {}).items():
        (view / name).unlink(missing_ok=True)
        if data is not None:
            (view / name).parent.mkdir(parents=True, exist_ok=True)
            (view / name).write_bytes(data)
            (view / name).chmod(0o755)  # scripts among them are run by name


def _link(tree: Path, view: Path, below: Path, opened: set[str], left_out: set[str]) -> None:
    (view / below).mkdir(parents=True)
    for entry in sorted((tree / below).iterdir()):
        name = below / entry.name
        if name.as_posix() in opened and entry.is_dir():
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
