# SPDX-License-Identifier: GPL-2.0-or-later
"""Which C files of a tree name or define a function: a search of all of them, remembered.

The search takes seconds of CPU time. What it found is kept with the state of every file
(time of change, size, inode), so the next run reads only the files that changed since and
searches the tree only for words that it did not ask for before.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path

import msgspec
import zstandard

from ctxlint.base.errors import ToolMissingError
from ctxlint.base.processes import dying
from ctxlint.base.reading import read_regular
from ctxlint.kbuild.tree import recursive
from ctxlint.store import Store

_SKIPPED = frozenset(
    ("Documentation", "LICENSES", "certs", "rust", "samples", "scripts", "tools", "usr")
)
_KIND = "words"
_WORDS_MAX = 20_000
_CHANGED_MAX = 2_000
"""With more changed files (another branch was checked out) all is searched anew."""
_YOUNG = 2_000_000_000
"""Nanoseconds: a file that changed so shortly before it was looked at may change again
without another time of change (as git has it for its index)."""
_DEPTH = 40

State = tuple[int, int, int]
"""Time of change in nanoseconds, size in bytes, inode."""


class Hits(msgspec.Struct, array_like=True):
    """Files that have a word anywhere, and those of them that define a function so named."""

    named: set[str] = msgspec.field(default_factory=set)
    defined: set[str] = msgspec.field(default_factory=set)


class _Kept(msgspec.Struct, array_like=True):
    files: dict[str, State] = msgspec.field(default_factory=dict)
    words: dict[str, Hits] = msgspec.field(default_factory=dict)


class WordIndex:
    """Of the C files of ``tree``; of ``arch/`` only ``arch_folder``'s."""

    def __init__(self, tree: Path, arch_folder: str, store: Store | None) -> None:
        self._tree = tree
        self._arch = arch_folder
        self._store = store
        self._key = f"1 {tree.resolve()} {arch_folder}"
        self._kept: _Kept | None = None
        self._looked = 0

    def find(self, words: Collection[str]) -> dict[str, Hits]:
        """Where each of ``words`` is. Raises ToolMissingError without grep."""
        kept = self._kept = self._kept or self._load()
        now = self._states
        changed = {path for path, state in now.items() if kept.files.get(path) != state}
        if len(changed) > _CHANGED_MAX or len(kept.words) > _WORDS_MAX:
            kept = self._kept = _Kept()
            changed = set()
        stale = changed | (kept.files.keys() - now.keys())
        if stale:
            for hits in kept.words.values():
                hits.named -= stale
                hits.defined -= stale
            self._read(changed, kept.words)
        missing = {word: Hits() for word in words if word not in kept.words}
        if missing:
            self._read(self._grep(missing), missing)
            kept.words.update(missing)
        if missing or stale or kept.files != now:
            kept.files = now
            self._save(kept)
        return {word: kept.words[word] for word in words}

    def _read(self, files: Iterable[str], words: dict[str, Hits]) -> None:
        """Look into ``files`` for ``words``, and note what is there."""
        if not words:
            return
        pattern = _any_of(words)
        for path in sorted(files):
            text = read_regular(self._tree / path)
            if text is not None:
                note(path, text, pattern, words)

    def _load(self) -> _Kept:
        data = self._store.get_cached(_KIND, self._key) if self._store is not None else None
        if data is None:
            return _Kept()
        try:
            raw = zstandard.ZstdDecompressor().decompress(data)
            return msgspec.msgpack.decode(raw, type=_Kept)
        except (msgspec.MsgspecError, zstandard.ZstdError):
            return _Kept()  # damaged: it is searched again

    def _save(self, kept: _Kept) -> None:
        if self._store is not None:
            data = zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(kept))
            self._store.put_cached(_KIND, self._key, data)

    def _roots(self) -> list[str]:
        folders = sorted(
            entry.name
            for entry in self._tree.iterdir()
            if entry.is_dir() and entry.name not in _SKIPPED and entry.name[0] != "."
        )
        roots = [f"arch/{self._arch}" if f == "arch" else f for f in folders]
        return [root for root in roots if (self._tree / root).is_dir()]

    def digest(self) -> bytes:
        """Of the names and states of all files that a search looks into."""
        found = sorted(
            (path, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
            for path, stat in self._stats.items()
        )
        return hashlib.blake2b(repr(found).encode("utf-8", "replace"), digest_size=16).digest()

    def changed_since(self, moment_ns: int) -> bool:
        """Whether one of these files may have been written at that moment or later."""
        return any(stat.st_ctime_ns >= moment_ns for stat in self._stats.values())

    @cached_property
    def _stats(self) -> dict[str, os.stat_result]:
        """Taken once: for one run the tree is what it was at the first look."""
        self._looked = time.time_ns()
        follow = recursive(self._tree) == "-R"
        return {
            path: stat
            for root in self._roots()
            for path, stat in _walk(self._tree, root, follow)
        }

    @cached_property
    def _states(self) -> dict[str, State]:
        stats, looked = self._stats, self._looked
        return {
            path: (
                looked if stat.st_mtime_ns > looked - _YOUNG else stat.st_mtime_ns,
                stat.st_size,
                stat.st_ino,
            )
            for path, stat in stats.items()
        }

    def _grep(self, words: Iterable[str]) -> list[str]:
        try:
            done = subprocess.run(
                dying(["grep", recursive(self._tree), "-lwF", "--include=*.c", "-f", "-", "--",
                       *self._roots()]),
                cwd=self._tree,
                input="\n".join(sorted(words)),
                capture_output=True,
                text=True,
                check=False,
                errors="surrogateescape",
            )  # fmt: skip
        except FileNotFoundError as error:
            raise ToolMissingError(
                "grep is not installed", hint="Install it (Debian and Fedora: grep)."
            ) from error
        return done.stdout.splitlines()


def note(path: str, text: bytes, pattern: re.Pattern[bytes], words: dict[str, Hits]) -> None:
    """Adds ``path`` to the hits of those ``words`` (``pattern`` finds any) in its text."""
    for raw in set(pattern.findall(text)):
        hits = words[raw.decode()]
        hits.named.add(path)
        if re.search(rb"^[A-Za-z_][^;\n]*\b" + re.escape(raw) + rb"\s*\(", text, re.M):
            hits.defined.add(path)


def of_texts(texts: dict[str, bytes], words: Collection[str]) -> dict[str, Hits]:
    """The same as :meth:`WordIndex.find` for files that are given."""
    found = {word: Hits() for word in words}
    pattern = _any_of(found)
    for path, text in sorted(texts.items()):
        note(path, text, pattern, found)
    return found


def _any_of(words: Iterable[str]) -> re.Pattern[bytes]:
    return re.compile(
        rb"\b(?:" + b"|".join(sorted(re.escape(w.encode()) for w in words)) + rb")\b"
    )


def _walk(tree: Path, root: str, follow: bool) -> Iterator[tuple[str, os.stat_result]]:
    """The C files below ``root``; links are followed only in a tree that is made of them,
    and not without end."""
    work = [(root, _DEPTH)]
    while work:
        folder, depth = work.pop()
        try:
            entries = list(os.scandir(tree / folder))
        except OSError:
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}"
            try:
                if path.endswith(".c") and entry.is_file(follow_symlinks=follow):
                    yield path, entry.stat(follow_symlinks=follow)
                elif depth and entry.is_dir(follow_symlinks=follow):
                    work.append((path, depth - 1))
            except OSError:
                continue  # it has gone in the meantime
