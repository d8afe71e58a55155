# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps lowered units between runs, keyed by content (SQLite).

``database.py`` opens, locks and repairs the file, ``files.py`` knows which
files still hold the text they held, ``units.py`` keeps units and header
inlines, ``cache.py`` keeps what later stages computed and prunes,
``store.py`` is the one object that others use.
"""

from ctxlint.store.cache import Stats
from ctxlint.store.files import Signature, now_ns
from ctxlint.store.store import LostError, Store, StoredUnit
from ctxlint.store.units import Inline, unit_key

__all__ = [
    "Inline",
    "LostError",
    "Signature",
    "Stats",
    "Store",
    "StoredUnit",
    "now_ns",
    "unit_key",
]
