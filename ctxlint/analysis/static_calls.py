# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls through symbols that the kernel patches at run time (static calls).

Where the architecture patches the call, the call names a trampoline that no C file
defines; elsewhere it reads a member of the variable of the same name. Both go to what
that variable is initialised with and to what updates put there.
"""

from __future__ import annotations

from ctxlint.analysis.program import Program
from ctxlint.rulebook.book import Rulebook, plain_tag
from ctxlint.rulebook.prototypes import name_of, parse
from ctxlint.rulebook.schema import Trampoline
from ctxlint.semantics.terms import Addr, Field, Global, Param, Value


class Trampolines:
    """Of a linked program; what they lead to is looked up when it is asked for."""

    def __init__(self, program: Program, rules: Rulebook) -> None:
        self.program = program
        self.rules = rules.trampolines
        self._updates: dict[str, set[str]] | None = None
        self._known: dict[tuple[int, str], tuple[str, ...]] = {}

    def targets(self, symbol: str, place: Value) -> tuple[str, ...] | None:
        """Functions that a call of ``symbol`` (or through ``place``) goes to; None when
        it is not a patched call."""
        for number, rule in enumerate(self.rules):
            name = self._name(rule, symbol, place)
            if name:
                key = (number, name)
                if key not in self._known:
                    self._known[key] = self._found(rule, rule.variable + name)
                return self._known[key]
        return None

    @staticmethod
    def _name(rule: Trampoline, symbol: str, place: Value) -> str:
        if symbol:
            plain = symbol.rpartition("::")[2]
            return plain.removeprefix(rule.symbol) if plain.startswith(rule.symbol) else ""
        if not isinstance(place, Field) or place.name != rule.field:
            return ""
        if plain_tag(place.record) != rule.record or not isinstance(place.base, Global):
            return ""
        variable = place.base.symbol.rpartition("::")[2]
        return (
            variable.removeprefix(rule.variable) if variable.startswith(rule.variable) else ""
        )

    def _found(self, rule: Trampoline, variable: str) -> tuple[str, ...]:
        found = set(self._all_updates().get(variable, ()))
        for (symbol, record, field), functions in self.program.object_members.items():
            if (
                symbol.rpartition("::")[2] == variable
                and field == rule.field
                and plain_tag(record) == rule.record
            ):
                found |= functions
        return tuple(sorted(found))

    def _all_updates(self) -> dict[str, set[str]]:
        if self._updates is None:
            self._updates = {}
            for rule in self.rules:
                names = [name for name, _ in parse(rule.update).params]
                key, value = names.index(rule.key), names.index(rule.value)
                for function in (name_of(rule.update), *rule.aliases):
                    for caller, edge in self.program.callers.get(function, ()):
                        for point in edge.points:
                            if max(key, value) < len(point.args):
                                self._update(caller.symbol, point.args[key], point.args[value])
        return self._updates

    def _update(self, caller: str, key: Value, value: Value) -> None:
        assert self._updates is not None
        if not isinstance(key, Addr) or not isinstance(key.place, Global):
            return
        variable = key.place.symbol.rpartition("::")[2]
        if isinstance(value, Param):
            functions = self.program.arguments(caller, value.index)
        else:
            functions = self.program.targets(value)
        self._updates.setdefault(variable, set()).update(functions)
