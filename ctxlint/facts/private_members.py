# SPDX-License-Identifier: GPL-2.0-or-later
"""Members of structures that one file alone can write, each by its name.

A structure that a .c file defines is known to no other file: others may hold pointers to
it, and not look inside. What is left are the ways in which this file itself gives it
away as bytes, which are found in its text: the address of a member, a cast to another
type, a size next to a pointer, memory that was not cleared or that is a device's, unions
and assembly. Each of them *opens* a member or the whole structure. The answer errs to
open.
"""

from __future__ import annotations

from collections.abc import Iterator

from ctxlint.facts.escape import Giver, element
from ctxlint.ir import ops
from ctxlint.ir.types import RecordDef, TArray, TFunc, TInt, TPtr, TRecord, Type
from ctxlint.ir.unit import GlobalVar, Unit
from ctxlint.ir.walk import children
from ctxlint.rulebook.book import Rulebook

Member = tuple[str, str]

ALL = ""
"""In place of a member's name: the whole structure."""


class Private:
    """What of the records of one unit stays closed. Records are named by their keys."""

    def __init__(self, unit: Unit, rules: Rulebook) -> None:
        self.rules = rules
        self.records = {r.key: r for r in unit.records}
        self.own = {
            key
            for key, r in self.records.items()
            if r.file == unit.file and not r.union and r.fields
        }
        self.decls = {d.symbol: d for d in unit.decls}
        numbers = {name: number for e in unit.enums for name, number in e.values}
        self.gfp_zero = rules.constant("__GFP_ZERO", numbers) or 0
        self.bodies = {f.symbol for f in unit.functions}
        self.headers = frozenset(unit.inlines)
        self.open: set[Member] = set()
        self.made: dict[str, list[tuple[str, str]]] = {}
        """Calls that make an object: record, then (function, operation)."""
        self.elsewhere: set[str] = set()
        """Records of which objects also come from elsewhere: variables, other records,
        tables."""
        self.variables: set[str] = set()
        """Records of which there are variables of the file."""
        self.sizes: set[int] = set()
        self.shared: set[Member] = set()
        """Members that are accessed as what others change: READ_ONCE()."""
        self.raw: set[object] = set()
        if not self.own:
            return
        self._inside = {key: self.nested(key) for key in sorted(self.own)}
        self._unions()
        self._embedded()
        readers = [Giver(self, fn) for fn in unit.functions]
        for _ in range(2):  # through one function and its callee
            for reader in readers:
                reader.raw_places(self.raw)
        for reader in readers:
            reader.read()
        self._sized()
        for fn in unit.new_inlines:
            Giver(self, fn).foreign()
        for var in unit.globals:
            self._variable(var)

    def is_closed(self, record: str, name: str) -> bool:
        """Whether every store into a member is one by its name."""
        return (
            record in self.own
            and (record, ALL) not in self.open
            and (record, name) not in self.open
        )

    def alone(self) -> frozenset[str]:
        """Records of which a path through the file is likely to meet one object only: they
        are on no list or tree, have no pointer to their own kind, and there are no arrays
        of them."""
        several = {key for key in self.own if self._is_linked(self.records[key])}
        for record in self.records.values():
            for kind in record.types:
                if isinstance(kind, TArray):
                    of = record.types[kind.of]
                    of = record.types[of.to] if isinstance(of, TPtr) else of
                    if isinstance(of, TRecord):
                        several.add(of.key)
        return frozenset(self.own - several)

    def _is_linked(self, record: RecordDef, inside: bool = False) -> bool:
        """Whether a record points to its own kind, or has the node of a list or a tree
        directly in it: one that does so and holds no function (a block of a notifier
        chain does, and the chain is walked elsewhere)."""
        kinds = [record.types[member.type] for member in record.fields]
        to = [record.types[kind.to] for kind in kinds if isinstance(kind, TPtr)]
        if inside and any(isinstance(kind, TFunc) for kind in to):
            return False
        if any(isinstance(kind, TRecord) and kind.key == record.key for kind in to):
            return True
        return not inside and any(
            self._is_linked(self.records[kind.key], True)
            for kind in kinds
            if isinstance(kind, TRecord) and kind.key in self.records
        )

    def closed(self) -> bool:
        """Whether there is anything to ask for."""
        return any((record, ALL) not in self.open for record in self.own)

    # -- records -----------------------------------------------------------

    def open_record(self, key: str) -> None:
        """A record can be written as bytes, and with it what it consists of."""
        for inner in self._inside.get(key) or self.nested(key):
            self.open.add((inner, ALL))

    def nested(self, key: str) -> frozenset[str]:
        """The keys of a record and of the records that lie in it, through arrays too."""
        found: set[str] = set()
        todo = [key]
        while todo:
            at = todo.pop()
            if at in found:
                continue
            found.add(at)
            record = self.records.get(at)
            for member in record.fields if record is not None else ():
                kind = element(record.types[member.type], record.types)  # type: ignore[union-attr]
                if isinstance(kind, TRecord):
                    todo.append(kind.key)
        return frozenset(found)

    def _unions(self) -> None:
        for key, record in self.records.items():
            if record.union:
                self.open_record(key)

    def _embedded(self) -> None:
        for record in self.records.values():
            for member in record.fields:
                kind = element(record.types[member.type], record.types)
                if isinstance(kind, TRecord):
                    self.elsewhere.add(kind.key)

    def in_pointer(self, kind: Type, types: tuple[Type, ...]) -> str:
        """The record of this file that a pointer leads to, ``""`` for another."""
        if not isinstance(kind, TPtr):
            return ""
        to = element(types[kind.to], types)
        return to.key if isinstance(to, TRecord) and to.key in self.own else ""

    def first(self, outer: str, inner: str) -> bool:
        """Whether a record begins with one of another."""
        while outer in self.records:
            record = self.records[outer]
            if not record.fields or record.fields[0].offset:
                return False
            kind = element(record.types[record.fields[0].type], record.types)
            if not isinstance(kind, TRecord):
                return False
            if kind.key == inner:
                return True
            outer = kind.key
        return False

    def _sized(self) -> None:
        """Records whose size is told to somebody, who may make one of them."""
        for key in self.own:
            if self.records[key].size in self.sizes:
                self.elsewhere.add(key)

    # -- variables ---------------------------------------------------------

    def _variable(self, var: GlobalVar) -> None:
        kind = element(var.types[var.type], var.types)
        if isinstance(kind, TRecord):
            self.variables.add(kind.key)
            self.elsewhere |= self.nested(kind.key) - {kind.key}
            placed = any(a.startswith("section=") or a == "weak" for a in var.attrs)
            if (placed or "static" not in var.attrs) and "const" not in var.attrs:
                self.open_record(kind.key)
        stack: list[ops.Expr] = [var.init] if var.init is not None else []
        while stack:
            e = stack.pop()
            if isinstance(e, ops.Opaque):
                for key in self.own:
                    self.open_record(key)
            elif isinstance(e, ops.Addr):
                self.address(e.lvalue)
            elif isinstance(e, ops.Const):
                self.size(e, var.types)
            stack += children(e)

    def size(self, e: ops.Expr, types: tuple[Type, ...]) -> None:
        """A number that may be the size of a record: of few bytes, when it has the type
        that sizes have."""
        if isinstance(e, ops.Const):
            kind = types[e.type]
            if e.value > 8 or (isinstance(kind, TInt) and kind.bits == 64):
                self.sizes.add(e.value)

    def address(self, e: ops.Expr) -> None:
        """The address of an lvalue goes somewhere."""
        while isinstance(e, ops.Index):
            e = e.base
        if isinstance(e, ops.Field) and e.record in self.records:
            self.open.add((e.record, e.name))


def scalar_members(record: RecordDef) -> Iterator[tuple[str, int, TInt | TPtr]]:
    """Members that hold one number or pointer: name, width of a bit-field, type."""
    for member in record.fields:
        kind = record.types[member.type]
        if member.name and isinstance(kind, TInt | TPtr) and not kind.volatile:
            yield member.name, member.width, kind


__all__ = ["ALL", "Member", "Private", "scalar_members"]
