# SPDX-License-Identifier: GPL-2.0-or-later
"""A look into a database without becoming one of its runs.

For questions that must be answered at once or not at all (shell completion, whether an audit
is an unchanged one): nothing is made, repaired, waited for or marked as used.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ctxlint.store.database import reading
from ctxlint.store.seal import DamagedError, unseal


def newest_facts(path: Path, most: int) -> Iterator[bytes]:
    """Facts of the ``most`` units that were stored last, the newest first; of whatever
    tree and profile. Ends early where the database cannot be read."""
    query = "SELECT key, depset, facts FROM units ORDER BY id DESC LIMIT ?"
    with (
        contextlib.suppress(OSError, sqlite3.Error, UnicodeDecodeError, DamagedError),
        contextlib.closing(reading(path)) as db,
    ):
        db.execute("PRAGMA busy_timeout = 0")
        for key, depset, facts in db.execute(query, (most,)):
            yield unseal(facts, "facts", key, str(depset))


def kept(path: Path, kind: str, key: str) -> bytes | None:
    """What :meth:`Store.put_cached` stored there; None, too, where it cannot be read. What
    is wrong with the database is for a run to find out, and to say."""
    query = "SELECT data FROM cached WHERE kind = ? AND key = ?"
    with (
        contextlib.suppress(OSError, sqlite3.Error, UnicodeDecodeError, DamagedError),
        contextlib.closing(reading(path)) as db,
    ):
        row = db.execute(query, (kind, key)).fetchone()
        if row is not None and isinstance(row[0], bytes):
            return unseal(row[0], kind, key)
    return None
