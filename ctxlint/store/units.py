# SPDX-License-Identifier: GPL-2.0-or-later
"""Units and the bodies of header functions.

A stored unit is valid while every file it was parsed from holds the same text.
It names the header functions ("inlines") that it reaches by row id, and so it
*vouches* for them: a body from a header may be used as long as a valid unit of
the same build class reaches it. That is weaker than asking for every include of
the unit that happened to be parsed first (its private header has no say in
what another unit's ``include/linux`` function is), and stronger than looking at
the defining file alone (a macro or a type may come from another header).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ctxlint.store.files import Files
from ctxlint.store.seal import DamagedError, pack_ids, seal, unpack_ids, unseal

# Contents of one unit that are kept at a time: switching between a few branches
# or copies of a tree, or going through a patch series, finds everything again.
_VARIANTS = 12

# Units of a class that vouch besides those that were named: a run that begins with
# nothing of its own in the store finds the common headers with them.
_NEWEST = 32

# Seconds. A row is marked as used at most this often, so that a run in which
# nothing changed writes nothing; pruning spares twice that.
TOUCH_EVERY = 1800


def unit_key(profile_class: str, file: str, arguments: Sequence[str], tool_version: str) -> str:
    """The identity of a unit: how which file is parsed by whom (40 hex digits).

    ``arguments`` count as they are and in their order. ``tool_version`` must
    change with everything that changes the stored form: parser, lowering, IR.
    """
    parts = [profile_class, file, tool_version, *arguments]
    text = json.dumps(parts, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


class Inline(NamedTuple):
    """The body of a header function: ``refs`` are the symbols that it refers to."""

    symbol: str
    blob: bytes
    refs: tuple[str, ...] = ()
    facts: bytes = b""


# Row id and references of each inline, by symbol.
Known = dict[str, tuple[int, tuple[str, ...]]]


class UnitRow(NamedTuple):
    """Where a valid unit is stored."""

    id: int
    key: str
    file: str
    depset: int


class NotKeptError(Exception):
    """A unit that cannot be stored now; the text says why."""


class Units:
    """Queries on units; nothing here commits."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._valid_for: frozenset[str] | None = None
        self.forget()

    def forget(self) -> None:
        """Forget what was found out about the state of files and rows."""
        self._fresh: dict[int, bool] = {}
        self._known: dict[str, Known] = {}

    def find(
        self, db: sqlite3.Connection, keys: Iterable[str]
    ) -> tuple[dict[str, UnitRow], list[int]]:
        """Valid units by key, and ids of those to be marked as used."""
        rows = db.execute(
            "SELECT id, key, class, file, depset, used, blobs, inlines FROM units"
            " WHERE key IN (SELECT value FROM json_each(?)) ORDER BY id DESC",
            (json.dumps(list(keys)),),
        ).fetchall()
        fresh = self._fresh_depsets(db, {row[4] for row in rows})
        old = int(time.time()) - TOUCH_EVERY
        found: dict[str, UnitRow] = {}
        touch = []
        for number, key, build_class, file, depset, used, blobs, inlines in rows:
            if depset in fresh and key not in found:
                unseal(inlines, key, build_class, file, str(depset))
                unseal(blobs, key)
                found[key] = UnitRow(number, key, file, depset)
                if used < old:
                    touch.append(number)
        return found, touch

    def touch(self, db: sqlite3.Connection, ids: list[int]) -> None:
        """Mark units as used now."""
        db.execute(
            "UPDATE units SET used = ? WHERE id IN (SELECT value FROM json_each(?))",
            (int(time.time()), json.dumps(ids)),
        )

    def read(self, db: sqlite3.Connection, row: UnitRow, column: str) -> bytes | None:
        """``body`` or ``facts`` of a unit; None when it is gone."""
        data = db.execute(f"SELECT {column} FROM units WHERE id = ?", (row.id,)).fetchone()
        return data and unseal(data[0], column, row.key, str(row.depset))

    def known(self, db: sqlite3.Connection, build_class: str) -> Known:
        """Row id and references of every inline that a valid unit vouches for."""
        if build_class in self._known:
            return self._known[build_class]
        rows = self._vouching(db, build_class)
        fresh = self._fresh_depsets(db, {row[2] for row in rows})
        live: set[int] = set()
        for key, file, depset, inlines in rows:
            if depset in fresh:
                live.update(unpack_ids(unseal(inlines, key, build_class, file, str(depset))))
        known: Known = {}
        # Two valid units may know different bodies; the older row is everybody's.
        for number, symbol, refs in db.execute(
            "SELECT id, symbol, refs FROM inlines WHERE class = ? ORDER BY id DESC",
            (build_class,),
        ):
            if number in live:
                known[symbol] = (number, _split(unseal(refs, "refs", symbol)))
        self._known[build_class] = known
        return known

    def _vouching(
        self, db: sqlite3.Connection, build_class: str
    ) -> list[tuple[str, str, int, bytes]]:
        select = "SELECT key, file, depset, inlines FROM units WHERE class = ?"
        if self._valid_for is None:
            return db.execute(select, (build_class,)).fetchall()
        chosen = json.dumps(sorted(self._valid_for))
        rows = db.execute(
            f"{select} AND key IN (SELECT value FROM json_each(?))", (build_class, chosen)
        ).fetchall()
        return (
            rows
            + db.execute(
                f"{select} ORDER BY id DESC LIMIT ?", (build_class, _NEWEST)
            ).fetchall()
        )

    def limit_validity(self, keys: Iterable[str]) -> None:
        """Ask these units, and the newest of a class, and no others."""
        self._valid_for = frozenset(keys)
        self._known = {}

    def read_inlines(
        self, db: sqlite3.Connection, build_class: str, symbols: Iterable[str], column: str
    ) -> dict[str, bytes]:
        """``body`` or ``facts`` of known inlines; what is gone is left out."""
        known = self.known(db, build_class)
        names = {known[symbol][0]: symbol for symbol in symbols if symbol in known}
        rows = db.execute(
            f"SELECT id, {column} FROM inlines WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(names)),),
        )
        return {names[n]: unseal(data, column, names[n]) for n, data in rows}

    def read_blob(self, db: sqlite3.Connection, kind: str, key: str) -> bytes | None:
        """A blob that :meth:`add` stored; None when it is gone."""
        row = db.execute(
            "SELECT data FROM blobs WHERE kind = ? AND key = ?", (kind, key)
        ).fetchone()
        return row and unseal(row[0], kind, key)

    def readers(
        self, db: sqlite3.Connection, rows: Iterable[UnitRow], wanted: Callable[[str], bool]
    ) -> dict[str, list[str]]:
        """Per key, the files that the unit was read from and ``wanted`` answers for."""
        rows = list(rows)
        sets = {
            number: unpack_ids(unseal(packed, "deps"))
            for number, packed in db.execute(
                "SELECT id, versions FROM depsets WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps([row.depset for row in rows]),),
            )
        }
        ids = sorted(set().union(*sets.values())) if sets else []
        paths = {
            number: path
            for number, path in db.execute(
                "SELECT id, path FROM versions WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(ids),),
            )
            if wanted(path)
        }
        found = {}
        for row in rows:
            read = sorted(paths[n] for n in sets.get(row.depset, ()) if n in paths)
            if read:
                found[row.key] = read
        return found

    def add(
        self,
        db: sqlite3.Connection,
        *,
        key: str,
        build_class: str,
        file: str,
        body: bytes,
        facts: bytes,
        deps: Sequence[str],
        started_ns: int,
        inlines: Sequence[Inline],
        known: Iterable[str],
        blobs: Iterable[tuple[str, str, bytes]],
    ) -> Known:
        """Insert a unit with all it needs; returns the inlines that are new.

        Raises :class:`NotKeptError`; the caller rolls back and, after the
        commit, hands the answer to :meth:`learn`.
        """
        versions = self._files.settle(db, [file, *deps], started_ns)
        if isinstance(versions, str):
            raise NotKeptError(f"{versions} is missing or changed during the run")
        depset = _depset(db, versions)
        there = self.known(db, build_class)
        new = {
            i.symbol: _add_inline(db, build_class, i) for i in inlines if i.symbol not in there
        }
        needed = {i.symbol for i in inlines}.union(known)
        if lost := sorted(needed.difference(there, new)):
            raise NotKeptError(f"the body of {lost[0]} is not stored")
        inline_ids = pack_ids((new.get(s) or there[s])[0] for s in needed)
        _check_rows(db, inline_ids)
        blob_ids = pack_ids([_add_blob(db, *blob) for blob in blobs])
        db.execute(
            "INSERT OR REPLACE INTO units"
            " (key, class, file, depset, used, size, blobs, inlines, facts, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key, build_class, file, depset, int(time.time()),
                len(body) + len(facts) + len(inline_ids),
                seal(blob_ids, key),
                seal(inline_ids, key, build_class, file, str(depset)),
                seal(facts, "facts", key, str(depset)),
                seal(body, "body", key, str(depset)),
            ),
        )  # fmt: skip
        db.execute(
            "DELETE FROM units WHERE key = ? AND id NOT IN"
            " (SELECT id FROM units WHERE key = ? ORDER BY id DESC LIMIT ?)",
            (key, key, _VARIANTS),
        )
        return new

    def learn(self, build_class: str, new: Known) -> None:
        """The inlines of :meth:`add` are committed."""
        self._known.setdefault(build_class, {}).update(new)

    def _fresh_depsets(self, db: sqlite3.Connection, wanted: set[int]) -> set[int]:
        unknown = wanted.difference(self._fresh)
        if unknown:
            sets = {
                number: unpack_ids(unseal(packed, "deps"))
                for number, packed in db.execute(
                    "SELECT id, versions FROM depsets"
                    " WHERE id IN (SELECT value FROM json_each(?))",
                    (json.dumps(list(unknown)),),
                )
            }
            fresh = self._files.fresh_versions(db, set().union(*sets.values()))
            for number in unknown:
                self._fresh[number] = number in sets and fresh.issuperset(sets[number])
        return {number for number in wanted if self._fresh[number]}


def _depset(db: sqlite3.Connection, versions: list[int]) -> int:
    packed = pack_ids(versions)
    digest = hashlib.blake2b(packed, digest_size=16).digest()
    db.execute(
        "INSERT OR IGNORE INTO depsets (digest, versions) VALUES (?, ?)",
        (digest, seal(packed, "deps")),
    )
    row = db.execute("SELECT id FROM depsets WHERE digest = ?", (digest,)).fetchone()
    return int(row[0])


def _add_inline(
    db: sqlite3.Connection, build_class: str, inline: Inline
) -> tuple[int, tuple[str, ...]]:
    symbol = inline.symbol
    refs = "\n".join(inline.refs).encode()
    facts = seal(inline.facts, "facts", symbol)
    body = seal(inline.blob, "body", symbol)
    parts = b"".join(len(p).to_bytes(8, "little") + p for p in (refs, facts, body))
    digest = hashlib.blake2b(parts, digest_size=16).digest()
    db.execute(
        "INSERT OR IGNORE INTO inlines (class, symbol, digest, size, refs, facts, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (build_class, symbol, digest, len(parts), seal(refs, "refs", symbol), facts, body),
    )
    row = db.execute(
        "SELECT id FROM inlines WHERE class = ? AND symbol = ? AND digest = ?",
        (build_class, symbol, digest),
    ).fetchone()
    return int(row[0]), inline.refs


def _add_blob(db: sqlite3.Connection, kind: str, key: str, data: bytes) -> int:
    db.execute(
        "INSERT OR IGNORE INTO blobs (kind, key, size, data) VALUES (?, ?, ?, ?)",
        (kind, key, len(data), seal(data, kind, key)),
    )
    row = db.execute("SELECT id FROM blobs WHERE kind = ? AND key = ?", (kind, key)).fetchone()
    return int(row[0])


def _check_rows(db: sqlite3.Connection, packed: bytes) -> None:
    ids = unpack_ids(packed).tolist()
    (count,) = db.execute(
        "SELECT count(*) FROM inlines WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(ids),),
    ).fetchone()
    if count != len(ids):
        raise NotKeptError("another run removed a body that it needs")


def _split(refs: bytes) -> tuple[str, ...]:
    try:
        return tuple(refs.decode().split("\n")) if refs else ()
    except UnicodeDecodeError as error:
        raise DamagedError("a symbol is not text") from error
