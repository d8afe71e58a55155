# SPDX-License-Identifier: GPL-2.0-or-later
"""Finding the kernel tree, and files and directories in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from ctxlint.base import git
from ctxlint.base.errors import TreeError, UsageError
from ctxlint.base.reading import read_regular
from ctxlint.kbuild.model import Tree

_VERSION_LINE = re.compile(
    r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*=[ \t]*(\S*)[ \t]*$", re.M
)

#: Directories at the top of a tree that hold no kernel code.
NOT_KERNEL = frozenset({"Documentation", "LICENSES", "rust", "scripts", "tools", "usr"})


def find_tree(start: Path, *, with_commit: bool = True) -> Tree:
    """The kernel tree that ``start`` is, or lies in.

    A tree is a directory whose ``Makefile`` gives a version at its top. ``with_commit``:
    git is asked for the commit, which costs a process. Raises :class:`TreeError` when
    neither ``start`` nor a directory above it is one.
    """
    if not start.exists():
        raise TreeError(f"{start}: no such directory", hint="Name a kernel source tree.")
    resolved = start.resolve()
    for directory in (resolved, *resolved.parents):
        version = _version(directory / "Makefile")
        if version is not None:
            commit = _commit(directory) if with_commit else None
            return Tree(path=directory, version=version, commit=commit)
    raise TreeError(
        f"{start}: not in a kernel source tree",
        hint="Run it inside a Linux source tree, or name one with --tree.",
    )


def _version(makefile: Path) -> str | None:
    """The version at the top of a kernel's Makefile, or None when it is not one."""
    try:
        if not makefile.is_file():  # a FIFO would have to be waited for
            return None
        if makefile.is_symlink() and not _of_a_kernel(makefile.resolve().parent):
            return None  # a stranger's link to whatever it is
        with makefile.open(encoding="utf-8", errors="replace") as file:
            head = file.read(4096)
    except OSError:
        return None
    found: dict[str, str] = dict(_VERSION_LINE.findall(head))
    if not all(found.get(key, "").isdigit() for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL")):
        return None
    numbers = ".".join(found[key] for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))
    return numbers + found.get("EXTRAVERSION", "")


def _of_a_kernel(directory: Path) -> bool:
    """Where the links of a tree that is made of links may lead."""
    return (directory / "Kbuild").is_file() and (directory / "include/linux").is_dir()


def recursive(root: Path) -> str:
    """How grep goes through a tree: it follows links only where the whole tree is made of
    them, since others may lead anywhere."""
    return "-R" if (root / "Makefile").is_symlink() else "-r"


def _commit(directory: Path) -> str | None:
    """The checked-out commit when the tree itself (not a directory above) is git's."""
    if not (directory / ".git").exists():
        return None
    return git.ask(directory, "rev-parse", "--verify", "--quiet", "HEAD") or None


def origin(directory: Path) -> str | None:
    """URL of the repository that a tree was cloned from, without credentials; None
    for a tree without git, or one whose remote is not a URL of the web."""
    if not (directory / ".git").exists():
        return None
    url = git.ask(directory, "config", "--get", "remote.origin.url") or ""
    match = re.fullmatch(r"(https?://)(?:[^/@]*@)?(\S+)", url)
    return match[1] + match[2] if match else None


def normal_paths(tree: Tree, paths: Iterable[str]) -> tuple[str, ...]:
    """``paths`` as sorted names relative to the tree, each of which exists in it.

    Absolute names below the tree are taken too; ``.`` is the whole tree. Raises
    :class:`UsageError` for a name outside the tree or one that is not there.
    """
    names = set()
    for path in paths:
        full = Path(os.path.normpath(tree.path / path))
        if not full.is_relative_to(tree.path) and full.exists():
            full = full.resolve()
        if not full.is_relative_to(tree.path):
            raise UsageError(
                f"{path}: not in the tree {tree.path}",
                hint="Give files and directories relative to the kernel tree.",
            )
        if not full.exists():
            raise UsageError(
                f"{path}: no such file or directory in the tree",
                hint="Give files and directories relative to the kernel tree.",
            )
        names.add(full.relative_to(tree.path).as_posix())
    return tuple(sorted(names))


def below(file: str, paths: Iterable[str]) -> bool:
    """Whether ``file`` is one of ``paths`` or lies below one (all relative to the tree)."""
    return any(
        path == "." or file == path or file.startswith(path.rstrip("/") + "/") for path in paths
    )


def c_files(tree: Tree, paths: Iterable[str]) -> list[str]:
    """All C source files at or below ``paths``, sorted, relative to the tree.

    The whole tree (``.``) is taken without what is not kernel code.
    """
    found: set[str] = set()
    for path in paths:
        full = tree.path / path
        aside = NOT_KERNEL if path == "." else frozenset[str]()
        if full.is_file():
            if full.suffix == ".c":
                found.add(path)
            continue
        for root, directories, files in os.walk(full):
            directories[:] = [
                d for d in directories if not d.startswith(".") and d not in aside
            ]
            aside = frozenset()
            for name in files:
                if name.endswith(".c"):
                    relative = Path(root, name).relative_to(tree.path)
                    found.add(relative.as_posix())
    return sorted(found)


_INCLUDED_C = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*["<]([^">\n]+\.c)[">]', re.M)


def included_c_files(tree: Tree, files: Iterable[str]) -> set[str]:
    """C files that ``files`` pull in by ``#include``: those are analysed with them."""
    found: set[str] = set()
    work = list(files)
    while work:
        file = work.pop()
        text = read_regular(tree.path / file)
        if text is None or b".c" not in text:
            continue
        for match in _INCLUDED_C.finditer(text):
            name = match.group(1).decode("utf-8", "replace")
            for base in (tree.path / file).parent, tree.path, tree.path / "include":
                full = Path(os.path.normpath(base / name))
                if full.is_file() and full.is_relative_to(tree.path):
                    relative = full.relative_to(tree.path).as_posix()
                    if relative not in found:
                        found.add(relative)
                        work.append(relative)
                    break
    return found
