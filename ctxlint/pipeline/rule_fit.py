# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the rules with the tree that is analysed."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from ctxlint import kbuild
from ctxlint.base.errors import ToolMissingError
from ctxlint.base.reading import read_regular
from ctxlint.kbuild.tree import recursive
from ctxlint.rulebook import Rulebook, treecheck
from ctxlint.rulebook.treecheck import Misfit
from ctxlint.store import Store
from ctxlint.units.digest import rules_with

_HEADERS = ("include", "arch/*/include", "mm", "drivers/irqchip")
"""Where functions and records are declared, in addition to the folders that rules have their
facts from."""


def misfits(start: Path, extra: tuple[Path, ...] = ()) -> tuple[Misfit, ...]:
    """What does not fit the kernel tree that ``start`` is or lies in, of the tool's rules
    and those of ``extra``. Raises :class:`~ctxlint.base.errors.TreeError`."""
    return misfits_of(start, rules_with(extra))


def misfits_of(start: Path, book: Rulebook) -> tuple[Misfit, ...]:
    """The same of the rules of ``book`` alone."""
    tree = kbuild.find_tree(start, with_commit=False).path
    files = _Files(tree, book)
    return treecheck.check(book, files.read, files.search, files.records)


def headers_with(
    tree: Path, folders: Iterable[str], words: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """The headers below some folders of ``tree`` that have each word, sorted."""
    there = [folder for folder in folders if (tree / folder).is_dir()]
    found: dict[str, set[str]] = {}
    for line in _grep(tree, ["-owF"], words, there):
        file, _, word = line.partition(":")
        found.setdefault(word, set()).add(file)
    return {word: tuple(sorted(files)) for word, files in found.items()}


def stale(tree: Path, extra: tuple[Path, ...], rules: str, store: Store) -> int:
    """How many rules have their fact from a place that ``tree`` has not. ``rules`` names
    the state of the rules. It is cheap, since only those places are looked at, and kept
    for as long as none of these files changes."""
    book = rules_with(extra)
    state = "\n".join((rules, *_state(tree, book)))
    key = hashlib.blake2b(state.encode(), digest_size=16).hexdigest()
    known = store.get_cached("stale-rules", key)
    if known is not None:
        return msgspec.msgpack.decode(known, type=int)
    gone = treecheck.sources(book, _Files(tree, book).read)
    found = len({item.place for item in gone})
    if found > len(book.sources) // 2:
        found = 0  # not the tree of a kernel, but a part of one
    store.put_cached("stale-rules", key, msgspec.msgpack.encode(found))
    return found


def places(extra: tuple[Path, ...]) -> list[str]:
    """The files of a tree that the rules ask for or have their facts from, sorted."""
    book = rules_with(extra)
    named = {source.partition(":")[0] for _, source, _ in book.sources if source}
    asked = {c.removeprefix("!").partition(":")[0] for c in book.tree_conditions}
    return sorted(named | asked)


def _state(tree: Path, book: Rulebook) -> Iterator[str]:
    """The tree, and the times of the files that rules have their facts from."""
    yield str(tree)
    for file in sorted({source.partition(":")[0] for _, source, _ in book.sources if source}):
        try:
            stat = (tree / file).stat()
        except OSError:
            yield file
        else:
            yield f"{file} {stat.st_mtime_ns} {stat.st_size}"


class _Files:
    def __init__(self, tree: Path, book: Rulebook) -> None:
        self.tree = tree
        roots = {path for pattern in _HEADERS for path in tree.glob(pattern)}
        self.roots = sorted(path.relative_to(tree).as_posix() for path in roots)
        folders = {source.partition(":")[0].rpartition("/")[0] for _, source, _ in book.sources}
        near = {path for folder in folders for path in (tree / folder).glob("*.h")}
        self.near = sorted(path.relative_to(tree).as_posix() for path in near)

    def read(self, file: str) -> str | None:
        data = read_regular(self.tree / file)
        return None if data is None else data.decode("utf-8", "replace")

    def search(self, words: Iterable[str]) -> frozenset[str]:
        return frozenset(self._grep(["-hwoF"], words))

    def records(self, names: Iterable[str]) -> Iterable[str]:
        return sorted(set(self._grep(["-lF"], [f"struct {name} {{" for name in names])))

    def _grep(self, options: list[str], patterns: Iterable[str]) -> list[str]:
        return _grep(self.tree, options, patterns, [*self.roots, *self.near])


def _grep(
    tree: Path, options: list[str], patterns: Iterable[str], places: Iterable[str]
) -> list[str]:
    """Lines of grep for any of the patterns, in headers below some places of the tree."""
    given = "\n".join(patterns)
    if not given:
        return []
    try:
        done = subprocess.run(
            ["grep", recursive(tree), "--include=*.h", *options, "-f", "-", "--", *places],
            cwd=tree,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            errors="surrogateescape",
        )
    except FileNotFoundError as error:
        raise ToolMissingError(
            "grep is not installed", hint="Install it (Debian and Fedora: grep)."
        ) from error
    return done.stdout.splitlines()
