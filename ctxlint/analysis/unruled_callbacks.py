# SPDX-License-Identifier: GPL-2.0-or-later
"""Callbacks that are stored where no rule tells who calls them, and in which context.

They are analysed by what they do themselves, not by where they run: a limit of the answer
that is worth a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ctxlint.analysis.program import Program
from ctxlint.facts.summary import Store
from ctxlint.rulebook.book import Rulebook, plain_tag
from ctxlint.semantics.terms import Field


@dataclass(frozen=True, order=True)
class Untold:
    """``count`` functions stored in ``member`` (``net_device_ops.ndo_open``);
    ``example`` is one of the places, as ``file:line``."""

    member: str
    count: int
    example: str


def find(
    program: Program, rules: Rulebook, reported: Callable[[str], bool]
) -> tuple[Untold, ...]:
    """Members of records of headers that audited files store functions in, when no rule
    speaks of the member and nothing that was read calls through it."""
    called = _called(program)
    functions: dict[str, set[str]] = {}
    places: dict[str, tuple[str, int]] = {}
    for store in program.stores:
        if not store.path or not reported(store.file) or _told(store, rules):
            continue
        record, name = store.path[-1]
        if "@" in record or (record, name) in called:
            continue
        found = program.targets(store.value)
        if found:
            member = f"{plain_tag(record)}.{name}"
            functions.setdefault(member, set()).update(found)
            place = (store.file, store.line)
            places[member] = min(places.get(member, place), place)
    return tuple(
        Untold(member, len(functions[member]), "{}:{}".format(*places[member]))
        for member in sorted(functions)
    )


def _told(store: Store, rules: Rulebook) -> bool:
    return any(rule is not None for rule in _rules(store, rules))


def _rules(store: Store, rules: Rulebook) -> Iterator[object]:
    record, name = store.path[-1]
    yield rules.field_callbacks(record, name)
    if len(store.path) > 1:
        record, outer = store.path[-2]
        yield rules.field_callbacks(record, f"{outer}.{name}")
    variable = store.base.rpartition("::")[2]
    yield next((rule for rule in rules.tables if rule.variable == variable), None)


def _called(program: Program) -> set[tuple[str, str]]:
    """Members that some function calls through."""
    return {
        point.target.member
        for fn in program.functions.values()
        for edge in fn.edges
        if not edge.symbol
        for point in edge.points
        if isinstance(point.target, Field)
    }
