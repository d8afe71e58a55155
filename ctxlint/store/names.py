# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of functions that earlier runs have read, for shell completion.

Only what the store has already: nothing is parsed, prepared or searched. Importing this
must stay cheap, since it happens while somebody waits at a prompt.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ctxlint.store.peek import newest_facts

UNITS = 3000
"""Of the units that were stored last, so many are looked at. Going through the facts of
one takes some tens of microseconds."""


class _Named(msgspec.Struct, frozen=True, array_like=True):
    """The beginning of :class:`~ctxlint.facts.summary.Summary`; the rest is passed over."""

    symbol: str
    name: str


class _Unit(msgspec.Struct, frozen=True, array_like=True):
    """The beginning of :class:`~ctxlint.facts.summary.UnitFacts`."""

    file: str
    summaries: tuple[_Named, ...]


def stored_functions(store: Path, start: str) -> set[str]:
    """Functions of .c files whose names begin with ``start``; empty without a store."""
    found: set[str] = set()
    decoder = msgspec.msgpack.Decoder(_Unit)
    for blob in newest_facts(store, UNITS):
        try:
            unit = decoder.decode(blob)
        except msgspec.MsgspecError:  # of another version
            continue
        found.update(one.name for one in unit.summaries if one.name.startswith(start))
    return found
