# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules one by one, as they are listed and shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ctxlint.rulebook.book import Rulebook
from ctxlint.rulebook.loader import load
from ctxlint.rulebook.prototypes import name_of


class Row(NamedTuple):
    """One rule as it is listed; ``rule`` is what its YAML says, ``place`` where it
    stands (``rules/apis/x.yaml: apis[3]``), ``source`` where the kernel shows it."""

    name: str
    kind: str
    place: str
    source: str
    rule: Any

    @property
    def file(self) -> str:
        """The rule file; empty for rules of the user."""
        return self.place.partition(":")[0]


def all_rows(directories: tuple[Path, ...] = ()) -> list[Row]:
    """Every rule, those of ``directories`` included, by name."""
    return sorted(_all(load(directories)), key=lambda row: (row.name, row.kind, row.place))


def _all(book: Rulebook) -> Iterator[Row]:
    for name, api in book.apis.items():
        yield Row(name, "function", api.where, api.source, api.api)
    for name, registration in book.registrations.items():
        rule = registration.registration
        yield Row(name, "registration", registration.where, registration.source, rule)
    for pattern in book.patterns.values():
        rule = pattern.registration
        yield Row(rule.names, "registration", pattern.where, pattern.source, rule)
    places = {name: (place, source) for place, source, name in book.sources}
    for trampoline in book.trampolines:
        place, source = places[name_of(trampoline.update)]
        yield Row(f"{trampoline.symbol}*", "patched call", place, source, trampoline)
    # Provenance stands in the order of the rules, and so do the members.
    of_members = [item[:2] for item in book.sources if ".fields[" in item[0]]
    if len(of_members) != len(book.fields):  # a directory of the user replaced some
        of_members = [("", "")] * len(book.fields)
    for ((record, member), item), (place, source) in zip(
        book.fields.items(), of_members, strict=True
    ):
        yield Row(f"{record}.{member}", "member", place, item.source or source, item)
    for name, entries in book.named_entries.items():
        for entry in entries:
            place, source = places.get(name, ("", ""))
            yield Row(name, "entry point", place, entry.source or source, entry)
    for table in book.tables:
        place, source = places.get(table.variable, ("", ""))
        yield Row(table.variable, "table", place, table.source or source, table)
    named = {
        "context": ("contexts.yaml", book.contexts),
        "lock": ("locks.yaml", book.locks),
        "operation": ("operations.yaml", book.operations),
        "constant": ("constants.yaml", book.constants),
    }
    for kind, (file, table_of_names) in named.items():
        for name, value in table_of_names.items():
            source = getattr(value, "source", "")
            yield Row(name, kind, f"rules/{file}: {name}", source, value)
