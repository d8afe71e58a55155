# SPDX-License-Identifier: GPL-2.0-or-later
"""What a worker process does with a lowered unit: summarise it and encode all.

A worker remembers the header functions that it has met, so each is lowered and
summarised once a process; what several workers do twice is the same to the byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from ctxlint.facts.build import unit_facts
from ctxlint.facts.summary import Summary, UnitFacts
from ctxlint.frontend.refs import inline_refs
from ctxlint.frontend.worker import Request
from ctxlint.ir import codec
from ctxlint.ir.unit import HeaderFunction, Unit
from ctxlint.ir.walk import layouts
from ctxlint.rulebook import Rulebook, load


@lru_cache(maxsize=4)
def rules_with(extra: tuple[Path, ...]) -> Rulebook:
    """The rules, read once a process."""
    return load(extra)


class InlineResult(msgspec.Struct, frozen=True, array_like=True):
    """A header function that was lowered in this parse."""

    symbol: str
    refs: tuple[str, ...]
    body: bytes
    summary: bytes


class UnitResult(msgspec.Struct, frozen=True, array_like=True):
    """What a parse gives besides the unit, ready for the store.

    ``reached`` are the symbols of all header functions that the unit reaches.
    """

    facts: bytes
    inlines: tuple[InlineResult, ...]
    reached: tuple[str, ...]
    deps: tuple[str, ...]
    errors: tuple[str, ...]


class Digest:
    """Made once in a worker process. ``rules`` come with it, since reading their files
    again takes longer; ``known`` are encoded summaries of header functions that the store
    has, by build class and symbol."""

    def __init__(
        self, rt: bool, rules: Rulebook, known: Mapping[str, Mapping[str, bytes]]
    ) -> None:
        self.rt = rt
        self.rules = rules
        self.summaries = {name: _Summaries(blobs) for name, blobs in known.items()}

    def __call__(self, unit: Unit, request: Request) -> bytes:
        """Summarise a freshly lowered unit; an encoded :class:`UnitResult`."""
        known = self.summaries.setdefault(request.profile, _Summaries({}))
        facts, fresh = unit_facts(unit, self.rules, self.rt, known)
        known.add(fresh)
        records = {record.key: record for record in unit.records}
        inlines = tuple(
            InlineResult(
                fn.symbol,
                inline_refs(fn),
                codec.encode(HeaderFunction(fn, layouts(fn, records))),
                msgspec.msgpack.encode(fresh[fn.symbol]),
            )
            for fn in unit.new_inlines
        )
        return msgspec.msgpack.encode(
            UnitResult(
                msgspec.msgpack.encode(facts), inlines, unit.inlines, unit.deps, unit.errors
            )
        )


class _Summaries:
    """Summaries by symbol, decoded when they are asked for."""

    def __init__(self, blobs: Mapping[str, bytes]) -> None:
        self._blobs = blobs
        self._known: dict[str, Summary] = {}

    def add(self, summaries: Mapping[str, Summary]) -> None:
        self._known.update(summaries)

    def get(self, symbol: str) -> Summary | None:
        found = self._known.get(symbol)
        if found is None and symbol in self._blobs:
            found = self._known[symbol] = decode_summary(self._blobs[symbol])
        return found


_facts = msgspec.msgpack.Decoder(UnitFacts)
_summary = msgspec.msgpack.Decoder(Summary)


def decode_facts(data: bytes) -> UnitFacts:
    return _facts.decode(data)


def decode_summary(data: bytes) -> Summary:
    return _summary.decode(data)
