# SPDX-License-Identifier: GPL-2.0-or-later
"""What later stages computed, and keeping the database small."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass

from ctxlint.store.seal import seal, unpack_ids, unseal
from ctxlint.store.units import TOUCH_EVERY

# A row is about 200 bytes; a whole defconfig reads some 30,000 files.
_FILES_KEPT = 200_000


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Rows and bytes in the database, and what this run did.

    ``bytes`` is the space in use (file size without free pages). ``hits`` and
    ``misses`` count looked-up units; ``stats`` and ``hashes`` files that were
    asked for their state, and read.
    """

    units: int
    inlines: int
    blobs: int
    cached: int
    bytes: int
    hits: int = 0
    misses: int = 0
    stats: int = 0
    hashes: int = 0


def get(db: sqlite3.Connection, kind: str, key: str) -> tuple[bytes, bool] | None:
    """The data, and whether it is time to :func:`touch` it."""
    row = db.execute(
        "SELECT data, used FROM cached WHERE kind = ? AND key = ?", (kind, key)
    ).fetchone()
    if row is None:
        return None
    return unseal(row[0], kind, key), row[1] < time.time() - TOUCH_EVERY


def touch(db: sqlite3.Connection, kind: str, key: str) -> None:
    """Mark as used now."""
    db.execute(
        "UPDATE cached SET used = ? WHERE kind = ? AND key = ?", (int(time.time()), kind, key)
    )


def put(db: sqlite3.Connection, kind: str, key: str, data: bytes) -> None:
    """Store, in place of what was there."""
    db.execute(
        "INSERT OR REPLACE INTO cached (kind, key, used, size, data) VALUES (?, ?, ?, ?, ?)",
        (kind, key, int(time.time()), len(data), seal(data, kind, key)),
    )


def used_bytes(db: sqlite3.Connection) -> int:
    """Space that rows take, in bytes."""
    page, pages, free = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_size", "page_count", "freelist_count")
    )
    return page * (pages - free)


def count(db: sqlite3.Connection) -> Stats:
    """Rows and bytes."""
    units, inlines, blobs, cached = (
        int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        for table in ("units", "inlines", "blobs", "cached")
    )
    return Stats(units=units, inlines=inlines, blobs=blobs, cached=cached, bytes=used_bytes(db))


def prune(db: sqlite3.Connection, excess: int, spare_seconds: int) -> None:
    """Delete what was not used for longest until ``excess`` bytes are free.

    Rows used within ``spare_seconds`` may belong to a run that is going on, and
    stay. Inlines and blobs go with the last unit that needs them.
    """
    doomed: dict[str, list[int]] = {"units": [], "cached": []}
    for table, number, size in _oldest(db, spare_seconds):
        if excess <= 0:
            break
        doomed[table].append(number)
        excess -= size
    for table, ids in doomed.items():
        _delete(db, table, "id IN", ids)
    if doomed["units"]:
        _delete_orphans(db)
    db.execute(
        "DELETE FROM files WHERE recorded_ns <"
        " (SELECT recorded_ns FROM files ORDER BY recorded_ns DESC LIMIT 1 OFFSET ?)",
        (_FILES_KEPT,),
    )


def _oldest(db: sqlite3.Connection, spare_seconds: int) -> list[tuple[str, int, int]]:
    return db.execute(
        "SELECT kind, id, size FROM ("
        " SELECT 'units' AS kind, id, size, used FROM units"
        " UNION ALL SELECT 'cached', id, size, used FROM cached)"
        " WHERE used <= ? ORDER BY used, kind, id",
        (int(time.time()) - spare_seconds,),
    ).fetchall()


def _delete_orphans(db: sqlite3.Connection) -> None:
    inlines: set[int] = set()
    blobs: set[int] = set()
    depsets: set[int] = set()
    for key, build_class, file, depset, blob_ids, inline_ids in db.execute(
        "SELECT key, class, file, depset, blobs, inlines FROM units"
    ):
        inlines.update(unpack_ids(unseal(inline_ids, key, build_class, file, str(depset))))
        blobs.update(unpack_ids(unseal(blob_ids, key)))
        depsets.add(depset)
    _delete(db, "inlines", "id NOT IN", inlines)
    _delete(db, "blobs", "id NOT IN", blobs)
    _delete(db, "depsets", "id NOT IN", depsets)
    versions: set[int] = set()
    for (packed,) in db.execute("SELECT versions FROM depsets"):
        versions.update(unpack_ids(unseal(packed, "deps")))
    _delete(db, "versions", "id NOT IN", versions)


def _delete(
    db: sqlite3.Connection, table: str, condition: str, ids: list[int] | set[int]
) -> None:
    db.execute(
        f"DELETE FROM {table} WHERE {condition} (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
