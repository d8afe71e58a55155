# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree as it would be with some files changed, for the parser alone.

Nothing is copied or linked: clang's virtual file system shows the changed files under
their names in the tree, with their contents from numbered files elsewhere. Beyond them
only the tree, the build directory and the command's own include paths can be seen, so
the changed source cannot include what is outside (source: ``RedirectingFileSystem`` in
LLVM's ``VirtualFileSystem.h``, ``redirect-only``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

_ABSENT = "absent"
_PATHS = ("-isystem", "-iquote", "-idirafter", "-include", "-imacros", "-I")
"""Flags whose value is a path; the longer ones come first where one begins another."""


def write_overlay(
    folder: Path,
    tree: Path,
    contents: Mapping[str, bytes | None],
    commands: Iterable[tuple[Path, Sequence[str]]],
) -> Path:
    """Describe ``tree`` with ``contents`` in the empty directory ``folder``.

    ``contents`` are by file name relative to ``tree``; None is a file that is not
    there. ``commands`` are the working directory and the arguments of every unit that
    is to be parsed so. Gives the path for :class:`ctxlint.frontend.Request`.
    """
    root = os.path.realpath(tree)
    roots: list[dict[str, str]] = []
    for number, (file, data) in enumerate(sorted(contents.items())):
        if data is None:
            place = folder / _ABSENT
        else:
            place = folder / str(number)
            place.write_bytes(data)
        roots.append(_entry("file", f"{root}/{file}", str(place)))
    seen: list[str] = []
    for path in [root, str(tree), *sorted(_visible(commands))]:
        if any(path == known or path.startswith(known + "/") for known in seen):
            continue
        seen.append(path)
        kind = "directory-remap" if Path(path).is_dir() else "file"
        roots.append(_entry(kind, path, path))
    description = {
        "version": 0,
        "case-sensitive": True,
        "use-external-names": False,
        "redirecting-with": "redirect-only",
        "roots": roots,
    }
    where = folder / "overlay.json"
    where.write_text(json.dumps(description), encoding="utf-8")
    return where


def _entry(kind: str, name: str, contents: str) -> dict[str, str]:
    return {"type": kind, "name": name, "external-contents": contents}


def _visible(commands: Iterable[tuple[Path, Sequence[str]]]) -> set[str]:
    found: set[str] = set()
    for directory, arguments in commands:
        found.add(os.path.normpath(directory))
        rest = iter(arguments)
        for argument in rest:
            flag = next((f for f in _PATHS if argument.startswith(f)), None)
            if flag is None:
                continue
            value = argument[len(flag) :] or next(rest, "")
            if value:
                found.add(os.path.normpath(directory / value))
    return found


@lru_cache(maxsize=8)
def changed_files(overlay: str) -> Mapping[str, str]:
    """Absolute name to the file with its contents, of an overlay's changed files."""
    roots = json.loads(Path(overlay).read_text(encoding="utf-8"))["roots"]
    return {r["name"]: r["external-contents"] for r in roots if r["type"] == "file"}
