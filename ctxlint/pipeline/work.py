# SPDX-License-Identifier: GPL-2.0-or-later
"""What a worker process does with a lowered unit: summarise it and encode all.

A worker remembers the header functions that it has met, so each is lowered and
summarised once a process; what several workers do twice is the same to the byte.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

from ctxlint.callgraph.facts import Summary, UnitFacts
from ctxlint.callgraph.values import freeze
from ctxlint.contexts.unitfacts import unit_facts
from ctxlint.ir import codec
from ctxlint.ir.unit import Function, Unit
from ctxlint.ir.walk import function_refs
from ctxlint.rulebook import Rulebook, load

_summaries: dict[tuple[str, bool], dict[str, Summary]] = {}
_refs: dict[tuple[str, bool], dict[str, tuple[str, ...]]] = {}


class InlineResult(msgspec.Struct, frozen=True, array_like=True):
    """A header function that was lowered in this parse."""

    symbol: str
    refs: tuple[str, ...]
    body: bytes
    summary: bytes


class UnitResult(msgspec.Struct, frozen=True, array_like=True):
    """Everything that a parse gives, ready for the store.

    ``reached`` are the symbols of all header functions that the unit reaches.
    """

    file: str
    unit: bytes
    facts: bytes
    inlines: tuple[InlineResult, ...]
    reached: tuple[str, ...]
    deps: tuple[str, ...]
    errors: tuple[str, ...]


def known(build_class: str, rt: bool, symbol: str) -> tuple[str, ...] | None:
    """What a header function refers to, when this process has lowered it."""
    return _refs.get((build_class, rt), {}).get(symbol)


def digest(unit: Unit, build_class: str, rt: bool, rules: tuple[Path, ...]) -> bytes:
    """Summarise a freshly lowered unit; an encoded :class:`UnitResult`."""
    summaries = _summaries.setdefault((build_class, rt), {})
    refs = _refs.setdefault((build_class, rt), {})
    facts, fresh = unit_facts(unit, _rules(rules), rt, summaries)
    summaries.update(fresh)
    inlines = []
    for fn in unit.new_inlines:
        refs[fn.symbol] = fn_refs(fn)
        inlines.append(
            InlineResult(
                fn.symbol, refs[fn.symbol], codec.encode(fn), msgspec.msgpack.encode(fresh[fn.symbol])
            )
        )
    body = msgspec.structs.replace(unit, new_inlines=())
    return msgspec.msgpack.encode(
        UnitResult(
            unit.file, codec.encode(body), msgspec.msgpack.encode(facts), tuple(inlines),
            unit.inlines, unit.deps, unit.errors,
        )  # fmt: skip
    )


def fn_refs(fn: Function) -> tuple[str, ...]:
    """Header functions that a body refers to directly."""
    return tuple(sorted(s for s in function_refs(fn) if ".h::" in s))


@lru_cache(maxsize=2)
def _rules(extra: tuple[Path, ...]) -> Rulebook:
    return load(extra)


def decode_facts(data: bytes) -> UnitFacts:
    """Facts with their values as tuples again."""
    facts = msgspec.msgpack.decode(data, type=UnitFacts)
    return msgspec.structs.replace(
        facts,
        summaries=tuple(_thaw(s) for s in facts.summaries),
        stores=tuple(msgspec.structs.replace(s, value=freeze(s.value)) for s in facts.stores),
    )


def decode_summary(data: bytes) -> Summary:
    return _thaw(msgspec.msgpack.decode(data, type=Summary))


def _thaw(summary: Summary) -> Summary:
    replace = msgspec.structs.replace
    edges = tuple(
        replace(
            edge,
            points=tuple(
                replace(
                    p,
                    guards=tuple(replace(g, value=freeze(g.value)) for g in p.guards),
                    args=tuple(freeze(a) for a in p.args),
                    target=freeze(p.target),
                )
                for p in edge.points
            ),
        )
        for edge in summary.edges
    )
    outcomes = tuple(
        replace(
            o,
            value=freeze(o.value),
            guards=tuple(replace(g, value=freeze(g.value)) for g in o.guards),
        )
        for o in summary.outcomes
    )
    return replace(summary, edges=edges, outcomes=outcomes)
