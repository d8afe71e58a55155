# SPDX-License-Identifier: GPL-2.0-or-later
"""The store as other packages see it."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from ctxlint.base.errors import StoreError
from ctxlint.store import cache
from ctxlint.store.database import Database, Log, Trouble, trouble_of
from ctxlint.store.files import Files, Signature
from ctxlint.store.seal import DamagedError
from ctxlint.store.units import TOUCH_EVERY, Inline, Known, NotKeptError, UnitRow, Units

T = TypeVar("T")


class LostError(StoreError):
    """Something that was there a moment ago is gone: the database turned out to
    be damaged, or another run replaced or pruned it. Parsing the unit again
    helps."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is no longer in the cache", hint="run again")


@dataclasses.dataclass(frozen=True, slots=True)
class StoredUnit:
    """A valid unit. Its blobs are read each time they are asked for."""

    key: str
    file: str
    _row: UnitRow = dataclasses.field(repr=False)
    _store: Store = dataclasses.field(repr=False, compare=False)

    @property
    def unit_blob(self) -> bytes:
        """What :meth:`Store.put` was given; raises LostError."""
        return self._store._read_unit(self._row, "body")

    @property
    def facts_blob(self) -> bytes:
        """What :meth:`Store.put` was given; raises LostError."""
        return self._store._read_unit(self._row, "facts")


class Store:
    """Lowered units and results of later stages, kept between runs.

    Used by one thread of one process; other runs may use the same file at the
    same time. Blobs are opaque. Whatever goes wrong after :meth:`open` costs
    stored work, never the run: lookups find nothing, puts answer False, and the
    reason is logged.
    """

    def __init__(self, database: Database, files: Files, log: Log) -> None:
        self._db = database
        self._log = log
        self._files = files
        self._units = Units(self._files)
        self._pid = os.getpid()
        self._said: set[str] = set()
        self._hits = self._misses = self._refused = 0

    @classmethod
    def open(cls, path: Path, *, log: Log, tree: Path) -> Store:
        """Open or create the database file ``path``.

        ``tree`` is the folder that relative dependencies are relative to; trees
        may share one database. A damaged file, or one of another schema version,
        is moved to ``NAME.aside`` with a warning. Raises StoreError when the
        folder cannot be used at all.
        """
        return cls(Database(path, log), Files(str(tree.absolute())), log)

    def seen_with(self, contents: Mapping[str, bytes | None]) -> Store:
        """The same database for the tree with some files changed.

        ``contents`` are by name relative to the tree; None is a file that is not
        there. What does not depend on them is shared, what does is kept beside the
        tree's own. Lives as long as this store does, and is not closed by itself.
        """
        return Store(self._db, self._files.seen_with(contents), self._log)

    def readers(
        self, units: Iterable[StoredUnit], wanted: Callable[[str], bool]
    ) -> dict[str, list[str]]:
        """Which of ``units`` were read from a file that ``wanted`` answers for.

        By key, with those files; names are as they were given to :meth:`put`.
        """
        rows = [unit._row for unit in units]
        nothing: dict[str, list[str]] = {}
        return self._guard(lambda db: self._units.readers(db, rows, wanted), nothing)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; idempotent."""
        self._db.close()

    def refresh(self) -> None:
        """Begin a new run: look at every file again."""
        self._files.forget()
        self._units.forget()

    def lookup(self, keys: Iterable[str]) -> dict[str, StoredUnit]:
        """The valid units among ``keys``, in their order.

        A file's state is taken once a run (:meth:`refresh`), however many units
        depend on it.
        """
        keys = list(dict.fromkeys(keys))
        nothing: tuple[dict[str, UnitRow], list[int]] = ({}, [])
        found, touch = self._guard(lambda db: self._units.find(db, keys), nothing)
        self._hits += len(found)
        self._misses += len(keys) - len(found)
        if touch or self._files.dirty:
            self._guard(lambda _: self._remember(touch), None)
        return {k: StoredUnit(k, found[k].file, found[k], self) for k in keys if k in found}

    def verified(self) -> dict[str, Signature | None] | None:
        """Files that units looked up or put in this run depend on, by their full names, with
        the state in which each had the content that those units were read from (None: not
        there). None at all when that is not certain of each."""
        return self._files.verified()

    def put(
        self,
        key: str,
        file: str,
        unit_blob: bytes,
        facts_blob: bytes,
        deps: Sequence[str],
        inlines: Sequence[Inline] = (),
        *,
        build_class: str,
        started_ns: int,
        known: Iterable[str] = (),
        blobs: Iterable[tuple[str, str, bytes]] = (),
    ) -> bool:
        """Store a unit and everything that came with it, or nothing.

        ``deps`` are all files that were read (``file`` is always one of them);
        each must be there. A *new* file that would be found earlier on the
        include path is not noticed. ``started_ns`` is :func:`now_ns` from
        before the parse: a unit is not stored when one of its files changed
        since. ``inlines`` are the header functions lowered in this parse,
        ``known`` (may repeat them) the symbols of all header functions that the
        unit reaches. When an inline of the same build class and symbol is valid
        already, that one stays. ``blobs`` are ``(kind, key, data)``, where the
        key stands for the content.

        False: not stored (logged once); ``inlines`` are not known then either.
        """
        lasting = [Inline(*inline) for inline in inlines]
        lasting_blobs = list(blobs)
        wanted = set(known)

        def work(_: sqlite3.Connection) -> bool:
            try:
                with self._db.writing() as db:
                    new = self._units.add(
                        db,
                        key=key,
                        build_class=build_class,
                        file=file,
                        body=unit_blob,
                        facts=facts_blob,
                        deps=deps,
                        started_ns=started_ns,
                        inlines=lasting,
                        known=wanted,
                        blobs=lasting_blobs,
                    )
                    self._files.save(db)
            except BaseException as error:
                self._files.forget_versions()
                if not isinstance(error, NotKeptError | UnicodeEncodeError):
                    raise
                # The first one aloud: with a clock that is wrong it is all of them.
                self._log("debug" if self._refused else "info", f"{file} not stored: {error}")
                self._refused += 1
                return False
            self._files.saved()
            self._units.learn(build_class, new)
            return True

        return self._guard(work, False)

    def known_inlines(self, build_class: str) -> dict[str, tuple[str, ...]]:
        """References of every header function whose stored body may be used.

        By symbol, sorted; a copy, to be taken once a run and extended by what
        is put.
        """
        nothing: Known = {}
        known = self._guard(lambda db: self._units.known(db, build_class), nothing)
        return {symbol: refs for symbol, (_, refs) in sorted(known.items())}

    def limit_validity(self, keys: Iterable[str]) -> None:
        """Let only these units, and a few of the newest, vouch for header functions.

        For a run that is about few of very many units: asking all of a whole kernel
        takes longer than parsing one. What nobody else vouched for is lowered again.
        """
        self._units.limit_validity(keys)

    def inline_blob(self, build_class: str, symbol: str) -> bytes:
        """The body of a known header function; raises LostError."""
        return self.inline_blobs(build_class, [symbol])[symbol]

    def inline_blobs(self, build_class: str, symbols: Iterable[str]) -> dict[str, bytes]:
        """Bodies of known header functions; raises LostError."""
        return self._read_inlines(build_class, symbols, "body")

    def inline_facts(self, build_class: str, symbols: Iterable[str]) -> dict[str, bytes]:
        """Facts of known header functions; raises LostError."""
        return self._read_inlines(build_class, symbols, "facts")

    def blob(self, kind: str, key: str) -> bytes:
        """A record, enum or declaration stored with a unit; raises LostError."""
        data = self._guard(lambda db: self._units.read_blob(db, kind, key), None)
        if data is None:
            raise LostError(f"{kind} {key}")
        return data

    def get_cached(self, kind: str, key: str) -> bytes | None:
        """What :meth:`put_cached` stored, or None."""
        found = self._guard(lambda db: cache.get(db, kind, key), None)
        if found is None:
            return None
        data, touch = found
        if touch:
            self._guard(lambda db: cache.touch(db, kind, key), None)
        return data

    def put_cached(self, kind: str, key: str, data: bytes) -> bool:
        """Keep a result; ``key`` must name all of its inputs by content."""

        def work(_: sqlite3.Connection) -> bool:
            with self._db.writing() as db:
                cache.put(db, kind, key, data)
            return True

        return self._guard(work, False)

    def prune(self, keep_bytes: int, *, spare_seconds: int = 2 * TOUCH_EVERY) -> int:
        """Shrink the database to about ``keep_bytes``; returns the bytes freed.

        Goes from the units and results that were not used for longest; what was
        used within ``spare_seconds`` stays, since a run may rely on it.
        """

        def work(db: sqlite3.Connection) -> int:
            before = cache.used_bytes(db)
            if before <= keep_bytes:
                return 0
            with self._db.writing():
                cache.prune(db, before - keep_bytes, spare_seconds)
            self._files.forget_versions()
            freed = before - cache.used_bytes(db)
            db.execute("PRAGMA incremental_vacuum").fetchall()
            self._units.forget()
            return freed

        return self._guard(work, 0)

    def stats(self) -> cache.Stats:
        """Rows, bytes, and what this run did."""
        empty = cache.Stats(units=0, inlines=0, blobs=0, cached=0, bytes=0)
        return dataclasses.replace(
            self._guard(cache.count, empty),
            hits=self._hits,
            misses=self._misses,
            stats=self._files.stats,
            hashes=self._files.hashes,
        )

    def _read_unit(self, row: UnitRow, column: str) -> bytes:
        data = self._guard(lambda db: self._units.read(db, row, column), None)
        if data is None:
            raise LostError(row.file)
        return data

    def _read_inlines(
        self, build_class: str, symbols: Iterable[str], column: str
    ) -> dict[str, bytes]:
        wanted = list(dict.fromkeys(symbols))
        found: dict[str, bytes] = self._guard(
            lambda db: self._units.read_inlines(db, build_class, wanted, column), {}
        )
        for symbol in wanted:
            if symbol not in found:
                raise LostError(symbol)
        return {symbol: found[symbol] for symbol in wanted}

    def _remember(self, touch: list[int]) -> None:
        with self._db.writing() as db:
            self._units.touch(db, touch)
            self._files.save(db)
        self._files.saved()

    def _guard(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Do the work; when the database fails, say so and give ``otherwise``."""
        if os.getpid() != self._pid:
            # SQLite's locks do not survive a fork; using it there loses data.
            raise RuntimeError("the store belongs to the process that opened it")
        try:
            return work(self._db.connection)
        except DamagedError as error:
            self._start_over(f"is damaged ({error})")
        except UnicodeDecodeError:  # SQLite's message quotes what it could not read
            self._start_over("is damaged (unreadable)")
        except sqlite3.Error as error:
            match trouble_of(error):
                case Trouble.DAMAGED:
                    self._start_over(f"is damaged ({error})")
                case Trouble.BUSY:
                    self._warn_once(f"cache: {self._db.path} is busy for too long")
                case Trouble.UNUSABLE if self._db.kept:
                    self._db.only_read(str(error))
                    self.refresh()
                    return self._guard(work, otherwise)
                case Trouble.UNUSABLE:
                    self._warn_once(f"cache: {self._db.path}: {error}; not stored")
        except (ValueError, TypeError, OverflowError) as error:
            self._start_over(f"is damaged ({error})")
        return otherwise

    @property
    def generation(self) -> int:
        """Changes when what was stored is gone: what a run has taken from the store until
        then does not go together with what comes afterwards."""
        return self._db.generation

    def damaged(self, what: str) -> LostError:
        """Begin a new database: a blob has the right check sum, and is not what it should
        be. Gives the error to raise."""
        self._start_over(f"is damaged ({what})")
        return LostError(what)

    def _start_over(self, reason: str) -> None:
        self._db.replace(reason)
        self.refresh()

    def _warn_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self._log("warning", message)
