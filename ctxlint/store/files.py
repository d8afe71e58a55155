# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files still hold the text they held.

A file is read again only when its ``stat`` says that it may have changed: the
remembered hash counts while size, mtime, ctime and inode are the same and both
times are older than the moment of recording. (A second write within the same
tick of the file system's clock would leave no trace; git's index calls such an
entry racy and has the same rule.)
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ctxlint.base.reading import read_regular
from ctxlint.store.seal import DamagedError

_SECOND = 1_000_000_000
_HASH_BYTES = 16
_CLOCK_REALTIME_COARSE = 5  # include/uapi/linux/time.h; Python has no name for it


def now_ns() -> int:
    """The clock that file times are taken from, in ns since 1970.

    The fine clock runs up to a tick ahead of it: a file written *after* a fine
    reading can carry an *earlier* time.
    """
    return time.clock_gettime_ns(_CLOCK_REALTIME_COARSE)


class Signature(NamedTuple):
    """What ``stat`` tells about a regular file (times in ns)."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    def older_than(self, moment_ns: int) -> bool:
        """Whether both times are certainly older than the moment."""
        return _before(self.mtime_ns, moment_ns) and _before(self.ctime_ns, moment_ns)


def _before(time_ns: int, moment_ns: int) -> bool:
    # Whole seconds may come from a file system that has no finer ones (FAT: two).
    return time_ns + (2 * _SECOND if time_ns % _SECOND == 0 else 0) < moment_ns


def _stat(path: str) -> Signature | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - thousands a run, and Path is slow
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Signature(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _hash(path: str) -> bytes | None:
    """The digest of a file; None for one that cannot be had, or is larger than any source:
    a hole costs its sender nothing, and all the memory here."""
    data = read_regular(Path(path))
    return None if data is None else _digest(data)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_HASH_BYTES).digest()


class _Reading(NamedTuple):
    signature: Signature
    recorded_ns: int
    hash: bytes

    def holds_for(self, signature: Signature) -> bool:
        return self.signature == signature and signature.older_than(self.recorded_ns)


class Files:
    """The state of dependencies during one run.

    Dependencies are named relative to ``tree`` or absolutely. What was found
    out about a file stands for the rest of the run (see :meth:`forget`), except
    in :meth:`settle`. ``contents`` are files that count as having another text
    than on the disk (None: as not being there).
    """

    def __init__(self, tree: str, contents: Mapping[str, bytes | None] | None = None) -> None:
        self._tree = tree.rstrip("/") + "/"
        self._given = {
            path: None if data is None else _digest(data)
            for path, data in (contents or {}).items()
        }
        self.stats = 0
        self.hashes = 0
        self.forget()

    def forget(self) -> None:
        """Look at every file again from now on."""
        self._readings: dict[str, _Reading] = {}
        self._current: dict[str, bytes | None] = {}
        self._dirty: dict[str, _Reading] = {}
        self._version_ids: dict[tuple[str, bytes], int] = {}
        self._fresh: dict[int, bool] = {}

    def seen_with(self, contents: Mapping[str, bytes | None]) -> Files:
        """The same files with other contents; what is known of the rest is taken over."""
        other = Files(self._tree, contents)
        other._readings = dict(self._readings)
        other._current = dict(self._current)
        return other

    @property
    def dirty(self) -> bool:
        """Whether :meth:`save` has something to write."""
        return bool(self._dirty)

    def fresh_versions(self, db: sqlite3.Connection, versions: set[int]) -> set[int]:
        """Those ids among ``versions`` whose file holds exactly that content now."""
        fresh = self._fresh
        unknown = versions.difference(fresh)
        if unknown:
            rows = db.execute(
                "SELECT id, path, hash FROM versions"
                " WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(unknown)),),
            ).fetchall()
            if not all(type(path) is str and type(hash) is bytes for _, path, hash in rows):
                raise DamagedError("a file name is not text")
            self._remember(db, [path for _, path, _ in rows])
            for number, path, hash in rows:
                fresh[number] = self._hash_now(path) == hash
                self._version_ids[path, hash] = number
            for number in unknown.difference(fresh):
                fresh[number] = False
        return {number for number in versions if fresh[number]}

    def settle(
        self, db: sqlite3.Connection, paths: Sequence[str], started_ns: int
    ) -> list[int] | str:
        """Version ids of what a parse that began at ``started_ns`` has read.

        Looks at every file anew. The answer is the name of a file instead when
        that one is missing, changed since the parse began (nobody knows then
        which text was parsed), or is not what it was earlier in this run (what
        was lowered from the older text may be part of the unit).
        """
        self._remember(db, paths)
        hashes: dict[str, bytes] = {}
        for path in paths:
            if path in self._given:
                given = self._given[path]
                if given is None:
                    return path
                hashes[path] = given
                continue
            signature = self._stat(path)
            # Only the kernel sets ctime; mtime may be anything, even in the future.
            if signature is None or not _before(signature.ctime_ns, started_ns):
                return path
            hash = self._read(path, signature)
            if hash is None or self._current.setdefault(path, hash) != hash:
                return path
            hashes[path] = hash
        return self._versions(db, hashes)

    def verified(self) -> dict[str, Signature | None] | None:
        """Every file whose content was asked for in this run (by its full name), with the
        state in which it certainly had that content; None for one that is not there.
        None at all when that is not certain of some file."""
        found: dict[str, Signature | None] = {}
        for path, hash in self._current.items():
            reading = self._readings.get(path)
            if hash is None:
                found[self._tree_path(path)] = None
            elif reading is None or not reading.holds_for(reading.signature):
                return None
            else:
                found[self._tree_path(path)] = reading.signature
        return found

    def save(self, db: sqlite3.Connection) -> None:
        """Remember for the next run what was hashed in this one."""
        db.executemany(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (_text(self._tree_path(p)), *_storable(r.signature), r.recorded_ns, r.hash)
                for p, r in sorted(self._dirty.items())
            ],
        )

    def saved(self) -> None:
        """The transaction with :meth:`save` in it is through."""
        self._dirty.clear()

    def _tree_path(self, path: str) -> str:
        return path if path.startswith("/") else self._tree + path

    def _stat(self, path: str) -> Signature | None:
        self.stats += 1
        return _stat(self._tree_path(path))

    def _remember(self, db: sqlite3.Connection, paths: Iterable[str]) -> None:
        wanted = {_text(self._tree_path(p)): p for p in paths if p not in self._readings}
        if not wanted:
            return
        for path, size, mtime, ctime, inode, recorded, hash in db.execute(
            "SELECT * FROM files WHERE path IN (SELECT value FROM json_each(?))",
            (json.dumps(list(wanted)),),
        ):
            if (name := wanted.get(path)) is not None:
                signature = Signature(size, mtime, ctime, inode % 2**64)
                self._readings[name] = _Reading(signature, recorded, hash)

    def _hash_now(self, path: str) -> bytes | None:
        if path in self._given:
            return self._given[path]
        if path not in self._current:
            signature = self._stat(path)
            self._current[path] = signature and self._read(path, signature)
        return self._current[path]

    def _read(self, path: str, signature: Signature) -> bytes | None:
        """The hash of a file with that signature; None when it cannot be had."""
        reading = self._readings.get(path)
        if reading is not None and reading.holds_for(signature):
            return reading.hash
        recorded = now_ns()
        self.hashes += 1
        hash = _hash(self._tree_path(path))
        # A write during the read leaves a hash of neither text.
        if hash is None or self._stat(path) != signature:
            return None
        self._readings[path] = self._dirty[path] = _Reading(signature, recorded, hash)
        return hash

    def _versions(self, db: sqlite3.Connection, hashes: dict[str, bytes]) -> list[int]:
        known = self._version_ids
        missing = [item for item in hashes.items() if item not in known]
        for path, hash in missing:
            db.execute(
                "INSERT OR IGNORE INTO versions (path, hash) VALUES (?, ?)", (path, hash)
            )
            row = db.execute(
                "SELECT id FROM versions WHERE path = ? AND hash = ?", (path, hash)
            ).fetchone()
            known[path, hash] = row[0]
        return [known[item] for item in hashes.items()]

    def forget_versions(self) -> None:
        """Version ids may be gone (rolled back or pruned); read them again."""
        self._version_ids.clear()


def _text(path: str) -> str:
    """The path as SQLite can hold it: names need not be UTF-8."""
    return path.encode("utf-8", "backslashreplace").decode()


def _storable(signature: Signature) -> tuple[int, int, int, int]:
    """SQLite's integers are signed; inode numbers use all 64 bits."""
    inode = signature.inode
    return (*signature[:3], inode - 2**64 if inode >= 2**63 else inode)
