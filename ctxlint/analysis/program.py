# SPDX-License-Identifier: GPL-2.0-or-later
"""All units of one profile, linked: symbols, members that hold functions, callers.

Symbols resolve as the linker would: a strong definition beats a weak one.
An indirect call through a member goes to every function that is stored in that
member of that record anywhere, or only to those stored in the known object.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from ctxlint.facts.summary import Edge, Store, Summary, UnitFacts
from ctxlint.ir.unit import Decl
from ctxlint.semantics.rule_calls import RecordInit
from ctxlint.semantics.terms import (
    Addr,
    Deref,
    Field,
    Func,
    Global,
    Index,
    Param,
    Select,
    Value,
)

TARGETS_MAX = 48
"""An indirect call with more targets than this is not followed, but counted."""


@dataclass
class Program:
    """The linked facts. Lists and sets are in a stable order."""

    functions: dict[str, Summary] = field(default_factory=dict)
    decls: dict[str, Decl] = field(default_factory=dict)
    enumerators: dict[str, int] = field(default_factory=dict)
    enums: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    stores: list[Store] = field(default_factory=list)
    inits: dict[str, list[RecordInit]] = field(default_factory=dict)
    members: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    object_members: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    nested: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    variables: dict[str, set[str]] = field(default_factory=dict)
    units: list[str] = field(default_factory=list)
    _helpers: dict[str, set[str]] = field(default_factory=dict)
    _arguments: dict[tuple[str, int], tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def callers(self) -> dict[str, list[tuple[Summary, Edge]]]:
        """Direct call sites of each function."""
        found: dict[str, list[tuple[Summary, Edge]]] = {}
        for symbol in sorted(self.functions):
            fn = self.functions[symbol]
            for edge in fn.edges:
                if edge.symbol:
                    found.setdefault(edge.symbol, []).append((fn, edge))
        return found

    @cached_property
    def calls_in_file(self) -> dict[str, set[str]]:
        """Names of the functions called directly, per file; and of those that a helper
        of another file calls on the object that it is given or that it returns."""
        found: dict[str, set[str]] = {}
        for fn in self.functions.values():
            names = found.setdefault(fn.file, set())
            for edge in fn.edges:
                if edge.symbol:
                    names.add(edge.symbol.rpartition("::")[2])
                    names |= self._done_for_callers(edge.symbol, fn.file)
        return found

    def _done_for_callers(self, symbol: str, file: str) -> set[str]:
        fn = self.functions.get(symbol)
        if fn is None or fn.file == file or not fn.file.endswith(".c"):
            return set()
        if symbol not in self._helpers:
            self._helpers[symbol] = {
                edge.symbol.rpartition("::")[2]
                for edge in fn.edges
                for point in edge.points
                if edge.symbol and point.args and _is_callers(point.args[0], fn)
            }
        return self._helpers[symbol]

    def targets(self, value: Value) -> tuple[str, ...]:
        """Functions that a value may be, sorted; empty when it is not known."""
        return tuple(sorted(self._targets(value)))

    def _targets(self, value: Value) -> set[str]:
        found: set[str] = set()
        work = [value]
        seen: set[int] = set()  # of terms, which may be shared
        while work:
            term = work.pop()
            if term is None or id(term) in seen:
                continue
            seen.add(id(term))
            match term:
                case Func():
                    found.add(term.symbol)
                case Field():
                    exact = None
                    if isinstance(term.base, Global):
                        key = (term.base.symbol, term.record, term.name)
                        exact = self.object_members.get(key)
                    found |= exact or self.members.get(term.member, set())
                case Global():
                    found |= self.variables.get(term.symbol, set())
                case Index():
                    work.append(term.base)
                case Deref():
                    work.append(term.pointer)
                case Addr():
                    work.append(term.place)
                case Select():
                    work += (term.a, term.b)
        return found

    def arguments(self, symbol: str, index: int) -> tuple[str, ...]:
        """Functions that any caller passes as a parameter, also one that is a
        parameter of the caller."""
        key = (symbol, index)
        if key not in self._arguments:
            found: set[str] = set()
            seen = {key}
            work = [key]
            while work:
                callee, at = work.pop()
                for caller, edge in self.callers.get(callee, ()):
                    for point in edge.points:
                        value = point.args[at] if at < len(point.args) else None
                        if not isinstance(value, Param):
                            found |= self._targets(value)
                        elif (caller.symbol, value.index) not in seen:
                            seen.add((caller.symbol, value.index))
                            work.append((caller.symbol, value.index))
            self._arguments[key] = tuple(sorted(found))
        return self._arguments[key]

    def pointed_members(self, value: Value) -> dict[str, set[str]]:
        """Members that hold functions in the object that a pointer points to
        (``&driver->nb``, ``&its_syscore_ops``): member name -> functions."""
        out: dict[str, set[str]] = {}
        place = value.place if isinstance(value, Addr) else None
        if isinstance(place, Global):
            for (symbol, _, name), functions in self.object_members.items():
                if symbol == place.symbol:
                    out.setdefault(name, set()).update(functions)
        elif isinstance(place, Field):
            for (record, name, inner), functions in self.nested.items():
                if (record, name) == place.member:
                    out.setdefault(inner, set()).update(functions)
        return out


def link(units: Iterable[UnitFacts], inlines: Iterable[Summary]) -> Program:
    """Link the units of one profile. The order of ``units`` does not matter."""
    program = Program()
    for unit in sorted(units, key=lambda u: u.file):
        program.units.append(unit.file)
        for summary in unit.summaries:
            _define(program, summary)
        for decl in unit.decls:
            program.decls.setdefault(decl.symbol, decl)
        for enum in unit.enums:
            if enum.tag:
                program.enums.setdefault(enum.tag, enum.values)
            for name, number in enum.values:
                program.enumerators.setdefault(name, number)
        program.stores += unit.stores
        for init in unit.inits:
            program.inits.setdefault(unit.file, []).append(init)
    for summary in inlines:
        program.functions.setdefault(summary.symbol, summary)
    for store in program.stores:
        _enter(program, store, program._targets(store.value))
    _stores_of_parameters(program)
    return program


def _is_callers(value: Value, fn: Summary) -> bool:
    """Whether an object is one that the function is given, or that it returns."""
    return value is not None and (isinstance(value, Param) or value in fn.returns)


def _define(program: Program, summary: Summary) -> None:
    other = program.functions.get(summary.symbol)
    if other is None or ("weak" in other.attrs and "weak" not in summary.attrs):
        program.functions[summary.symbol] = summary


def _enter(program: Program, store: Store, functions: set[str]) -> None:
    if not functions:
        return
    if not store.path:
        if store.base:
            program.variables.setdefault(store.base, set()).update(functions)
        return
    record, name = store.path[-1]
    program.members.setdefault((record, name), set()).update(functions)
    if store.base:
        program.object_members.setdefault((store.base, record, name), set()).update(functions)
    if len(store.path) > 1:
        outer, member = store.path[-2]
        program.nested.setdefault((outer, member, name), set()).update(functions)


def _stores_of_parameters(program: Program) -> None:
    """``obj->handler = handler`` with a parameter: look at the callers."""
    pending = [
        (s.function, s.value.index, s) for s in program.stores if isinstance(s.value, Param)
    ]
    seen: set[tuple[str, int, int]] = set()
    while pending:
        following = []
        for function, index, store in pending:
            if (function, index, id(store)) in seen:
                continue
            seen.add((function, index, id(store)))
            for caller, edge in program.callers.get(function, ()):
                for point in edge.points:
                    if index >= len(point.args):
                        continue
                    value = point.args[index]
                    if isinstance(value, Param):
                        following.append((caller.symbol, value.index, store))
                    else:
                        _enter(program, store, program._targets(value))
        pending = following
