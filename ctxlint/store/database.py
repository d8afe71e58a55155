# SPDX-License-Identifier: GPL-2.0-or-later
"""The database file: opening, locking, moving a damaged one aside.

Every run holds a shared ``flock`` on ``NAME.lock`` while it has the database
open; whoever replaces the file needs the exclusive one. SQLite deletes its
``-wal`` file by name when the last connection closes, so a database must never
be replaced under a run that still has the old one open. When a replacement is
needed and another run is in the way, this run works in memory instead.

A file that can be read and not written (a shared cache, a full disk) is copied into
memory: the run has all of it and goes on as ever, and keeps nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from enum import Enum, auto
from pathlib import Path

from ctxlint.base.errors import StoreError
from ctxlint.base.levels import Level

Log = Callable[[Level, str], None]

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x6374786C  # "ctxl"
_BUSY_SECONDS = 30.0
_REPLACE_SECONDS = 5.0

# Ids that are named inside blobs are AUTOINCREMENT: a pruned id must not come
# back as something else. Large columns stand last in their rows, so that the
# small ones are read without walking overflow pages.
_SCHEMA = """
CREATE TABLE files (            -- when a file was last read, and what it held
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, recorded_ns INTEGER NOT NULL,
    hash BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE versions (         -- one content of one dependency
    id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, hash BLOB NOT NULL,
    UNIQUE (path, hash)) STRICT;
CREATE TABLE depsets (          -- version ids that hold together
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE,
    versions BLOB NOT NULL) STRICT;
CREATE TABLE inlines (          -- bodies from headers, once per content
    id INTEGER PRIMARY KEY AUTOINCREMENT, class TEXT NOT NULL, symbol TEXT NOT NULL,
    digest BLOB NOT NULL, size INTEGER NOT NULL, refs BLOB NOT NULL,
    facts BLOB NOT NULL, body BLOB NOT NULL, UNIQUE (class, symbol, digest)) STRICT;
CREATE TABLE blobs (            -- records, enums, declarations
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL,
    size INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (kind, key)) STRICT;
CREATE TABLE units (            -- a unit, with the ids of the inlines and blobs it needs
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, class TEXT NOT NULL,
    file TEXT NOT NULL, depset INTEGER NOT NULL, used INTEGER NOT NULL,
    size INTEGER NOT NULL, blobs BLOB NOT NULL, inlines BLOB NOT NULL,
    facts BLOB NOT NULL, body BLOB NOT NULL, UNIQUE (key, depset)) STRICT;
CREATE INDEX units_by_class ON units (class);
CREATE TABLE cached (           -- results of later stages
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL,
    used INTEGER NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL,
    UNIQUE (kind, key)) STRICT;
"""
_TABLES = {"files", "versions", "depsets", "inlines", "blobs", "units", "cached"}


class Trouble(Enum):
    """What an SQLite error means for the store."""

    DAMAGED = auto()
    BUSY = auto()
    UNUSABLE = auto()


def trouble_of(error: sqlite3.Error) -> Trouble:
    """Sort an error; one that only a defect in this package causes is raised again."""
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
        raise error
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    if code == sqlite3.SQLITE_IOERR_SHORT_READ:
        return Trouble.DAMAGED
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Trouble.BUSY
        case (
            sqlite3.SQLITE_FULL
            | sqlite3.SQLITE_READONLY
            | sqlite3.SQLITE_PERM
            | sqlite3.SQLITE_CANTOPEN
            | sqlite3.SQLITE_IOERR
            | sqlite3.SQLITE_NOMEM
        ):
            return Trouble.UNUSABLE
    return Trouble.DAMAGED


class _UnfitError(Exception):
    """The file cannot be used as it is; no text when it is merely new."""


_NO_WRITING = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT})

MEMORY_MAX = 4 << 30
"""Bytes of a database that is copied into memory; of a larger one nothing is used."""


class _Lock:
    """A ``flock`` that is shared while the database is open. ``reading``: of a file that
    need not be there and cannot be made."""

    def __init__(self, path: Path, *, reading: bool = False) -> None:
        if not reading:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            return
        self._fd = -1
        with contextlib.suppress(OSError):
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def take(self, *, exclusive: bool, seconds: float) -> bool:
        """Get the lock in that mode, or say False when the time is over."""
        if self._fd < 0:
            return True
        mode = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        end = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(self._fd, mode | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() > end:
                    return False
                time.sleep(0.02)
            except OSError as error:
                # Some network file systems have no flock; then runs at the same
                # time are only as safe as SQLite makes them.
                if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
                    return True
                raise

    def release(self) -> None:
        """Let go; the file stays, since deleting it would split its users."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                fcntl.flock(self._fd, fcntl.LOCK_UN)
            os.close(self._fd)
            self._fd = -1


class Database:
    """An open connection with the schema of this version in it."""

    connection: sqlite3.Connection

    def __init__(self, path: Path, log: Log) -> None:
        """Open or create; raises StoreError when the folder cannot be used."""
        self.path = path
        self._log = log
        self._inode = 0
        self.generation = 0
        self.kept = True
        """Whether what is written is there for the next run."""
        lock = path.with_name(path.name + ".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _Lock(lock)
            _try_to_write(path)
        except OSError as error:
            if error.errno not in _NO_WRITING:
                raise _unusable(path, error) from error
            self._lock = _Lock(lock, reading=True)
            self._lock.take(exclusive=False, seconds=_BUSY_SECONDS)
            self.connection = self._copied(error.strerror or str(error))
            return
        try:
            self._lock.take(exclusive=False, seconds=_BUSY_SECONDS)
            try:
                self.connection = self._existing()
            except _UnfitError as unfit:
                self._replace(str(unfit), force=False)
        except (OSError, sqlite3.Error) as error:
            self._lock.release()
            raise _unusable(path, error) from error

    def close(self) -> None:
        """Close the connection and let others replace the file."""
        self.connection.close()
        self._lock.release()

    def replace(self, reason: str) -> None:
        """Move a database that turned out to be damaged aside and begin a new one.

        Errors on the way leave this run with a database in memory.
        """
        self.generation += 1
        self.connection.close()
        if not self.kept:
            self._log("warning", f"cache: {self.path} {reason}; this run does without it")
            self.connection = self._in_memory()
            return
        try:
            self._replace(reason, force=True)
        except (OSError, sqlite3.Error) as error:
            self._log("warning", f"cache: {self.path}: {error}; going on without it")
            self.connection = self._in_memory()

    def only_read(self, reason: str) -> None:
        """Go on in memory, with all that is there: the file cannot be written any more."""
        before = self.connection
        try:
            self.connection = self._copied(reason, before)
        finally:
            before.close()

    def _copied(
        self, reason: str, source: sqlite3.Connection | None = None
    ) -> sqlite3.Connection:
        """A copy of the database in memory; an empty one when there is none to copy."""
        self.kept = False
        self._log(
            "warning",
            f"cache: {self.path} cannot be written ({reason}): what this run reads is not kept",
        )
        connection = sqlite3.connect(":memory:", isolation_level=None)
        opened = None
        try:
            if self.path.stat().st_size > MEMORY_MAX:
                raise _UnfitError("it is too large to be copied into memory")
            if source is None:
                source = opened = reading(self.path)
            source.backup(connection)
            _check(connection)
        except (OSError, sqlite3.Error, _UnfitError, UnicodeDecodeError) as error:
            connection.close()
            if not isinstance(error, FileNotFoundError):
                self._log("warning", f"cache: {self.path} cannot be used: {error}")
            self.generation += 1
            return self._in_memory()
        finally:
            if opened is not None:
                opened.close()
        return connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is there wholly or not at all."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            # A failed COMMIT or a full disk may already have rolled back.
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")
            raise

    def _existing(self, bad: int = 0, reason: str = "") -> sqlite3.Connection:
        """Open the file as it is; :class:`_UnfitError` says why it cannot be used.

        The file with inode ``bad`` cannot, for that ``reason``.
        """
        if not self.path.exists():
            raise _UnfitError
        if self.path.stat().st_ino == bad:
            raise _UnfitError(reason)
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            _tune(connection)
            wal = self.path.with_name(self.path.name + "-wal")
            (page,) = connection.execute("PRAGMA page_size").fetchone()
            if not _tables(connection):
                cut = 0 < self.path.stat().st_size < page
                raise _UnfitError("is damaged (incomplete)" if cut else "")
            _check(connection)
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            # Pages may still be in the write-ahead log; without one, none may be missing.
            size = self.path.stat().st_size
            whole = size >= pages * page or (wal.exists() and wal.stat().st_size > 0)
            if not whole:
                raise _UnfitError("is damaged (incomplete)")
        except sqlite3.Error as error:
            connection.close()
            if trouble_of(error) is Trouble.DAMAGED:
                raise _UnfitError(f"is damaged ({error})") from error
            raise
        except UnicodeDecodeError as error:
            # SQLite quotes what it could not read, and Python wants that as text.
            connection.close()
            raise _UnfitError("is damaged (unreadable)") from error
        except _UnfitError:
            connection.close()
            raise
        self._inode = self.path.stat().st_ino
        return connection

    def _replace(self, reason: str, *, force: bool) -> None:
        """Put a good database in place, or take the one that another run put there.

        With ``force`` the file that this run had open is no good, whatever it
        looks like.
        """
        bad = self._inode if force else 0
        end = time.monotonic() + _REPLACE_SECONDS
        while not self._lock.take(exclusive=True, seconds=0.1):
            self._lock.take(exclusive=False, seconds=_BUSY_SECONDS)
            with contextlib.suppress(_UnfitError):
                self.connection = self._existing(bad, reason)
                return
            if time.monotonic() > end:
                self._log(
                    "warning",
                    f"cache: {self.path} {reason or 'is missing'}, and another run uses it; "
                    "this run keeps nothing",
                )
                self.connection = self._in_memory()
                return
        try:
            self.connection = self._existing(bad, reason)
        except _UnfitError as unfit:
            if str(unfit):
                self._move_aside(str(unfit))
            self.connection = self._create()
        finally:
            self._lock.take(exclusive=False, seconds=_BUSY_SECONDS)

    def _move_aside(self, reason: str) -> None:
        aside = self.path.with_name(self.path.name + ".aside")
        for end in ("-wal", "-shm", ""):
            old = self.path.with_name(self.path.name + end)
            new = aside.with_name(aside.name + end)
            new.unlink(missing_ok=True)
            if old.exists():
                old.replace(new)
        self._log(
            "warning", f"cache: {self.path} {reason}; moved to {aside.name}, building a new one"
        )

    def _create(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            _tune(connection)
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            _fill(connection)
        except BaseException:
            connection.close()
            raise
        self._inode = self.path.stat().st_ino
        return connection

    def _in_memory(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        _fill(connection)
        return connection


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}


def _check(connection: sqlite3.Connection) -> None:
    """Raise :class:`_UnfitError` unless the schema is that of this version."""
    tables = _tables(connection)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (ident,) = connection.execute("PRAGMA application_id").fetchone()
    if ident != _APPLICATION_ID:
        raise _UnfitError("is not a ctxlint cache")
    if version != SCHEMA_VERSION:
        raise _UnfitError("was written by another version of ctxlint")
    if not tables >= _TABLES:
        raise _UnfitError("is damaged (incomplete)")


def reading(path: Path) -> sqlite3.Connection:
    """A connection to a file in a folder that cannot be written. With a log of writes
    beside it SQLite must be able to make its index of that; without one the file is
    whole, and nobody changes it."""
    path.stat()
    log = path.with_name(path.name + "-wal")
    whole = not (log.exists() and log.stat().st_size)
    name = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if whole else ''}"
    return sqlite3.connect(name, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


def _try_to_write(path: Path) -> None:
    """Raises OSError when the database, if there is one, may not be written. (A folder in
    its place is found by SQLite.)"""
    if path.is_file():
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))


def _tune(connection: sqlite3.Connection) -> None:
    # With a write-ahead log NORMAL stays consistent through kill -9 and power
    # loss; only the last commits before a power loss may be missing.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA temp_store = MEMORY")
    # A forged file may have views and triggers of its own; they call no functions.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cache_size = -16384")


def _fill(connection: sqlite3.Connection) -> None:
    connection.executescript(
        f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {_APPLICATION_ID};"
        f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    )


def _unusable(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"cannot use the cache {path}: {error}",
        hint="give a writable folder with free space with --cache",
    )
