# SPDX-License-Identifier: GPL-2.0-or-later
"""What the linked program stores in members that rules ask for
(:mod:`ctxlint.facts.watched_stores`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ctxlint.analysis.program import Program
from ctxlint.facts.summary import CallResult, Store
from ctxlint.rulebook.book import Rulebook, plain_tag
from ctxlint.rulebook.conditions import parse
from ctxlint.rulebook.prototypes import name_of
from ctxlint.rulebook.prototypes import parse as prototype
from ctxlint.rulebook.schema import Called, Made
from ctxlint.semantics.rule_calls import RecordInit
from ctxlint.semantics.terms import Field, Global, Result, Value, evaluate, nothing

Lookup = Callable[[str], "int | None"]


class Watched:
    """What the linked program stores in watched members."""

    def __init__(self, program: Program, rules: Rulebook, constant: Lookup) -> None:
        self.program = program
        self.constant = constant
        self._values: dict[tuple[str, str], list[Store]] = {}
        self._results: list[tuple[Store, CallResult]] = []
        self._inits: dict[str, list[tuple[str, RecordInit]]] = {}
        for store in program.stores:
            if store.result is not None:
                self._results.append((store, store.result))
            elif store.path:
                record, name = store.path[-1]
                key = (plain_tag(record), name)
                if key in rules.watched_members:
                    self._values.setdefault(key, []).append(store)
        records = {record for record, _ in rules.watched_members}
        for file, inits in program.inits.items():
            for init in inits:
                name = plain_tag(init.record)
                if name in records:
                    self._inits.setdefault(name, []).append((file, init))

    def may_hold(self, member: str, file: str) -> bool:
        """Whether a file in the directory of ``file`` may store what ``member`` (the
        ``unless`` of a choice) names."""
        named, _, flag = member.partition("&")
        record, _, name = named.strip().partition(".")
        mask = parse(flag.strip()).evaluate(self.constant) if flag else -1
        folder = file.rpartition("/")[0]

        def has(number: int | None) -> bool:
            return number is None or mask is None or bool(number & mask)

        return any(
            has(evaluate(store.value, nothing))
            for store in self._values.get((record, name), ())
            if store.file.rpartition("/")[0] == folder
        ) or any(
            has(dict(init.values).get(name, 0))
            for where, init in self._inits.get(record, ())
            if where.rpartition("/")[0] == folder
        )

    def may_call(self, called: Called, file: str) -> bool:
        """Whether a file in the directory of ``file`` does a call for which ``when`` is
        not known to fail."""
        return any(word != 0 for word in self._conditions(called, file))

    def all_call(self, calls: Iterable[Called], file: str) -> bool:
        """Whether the files in the directory of ``file`` do such calls, and ``when`` is known
        to hold for each of them."""
        words = [word for called in calls for word in self._conditions(called, file)]
        return bool(words) and all(words)

    def _conditions(self, called: Called, file: str) -> Iterator[int | None]:
        """What ``when`` is (None: not known) at each call in the directory of a file."""
        params = [name for name, _ in prototype(called.prototype).params]
        folder = file.rpartition("/")[0]
        condition = parse(called.when)
        for name in (name_of(called.prototype), *called.aliases):
            for caller, edge in self.program.callers.get(name, ()):
                if caller.file.rpartition("/")[0] == folder:
                    for point in edge.points:
                        arguments = dict(zip(params, point.args, strict=False))
                        yield condition.evaluate(self._lookup(arguments))

    def is_made(self, value: Value, function: str, made: Made) -> bool:
        """Whether ``value``, an argument in ``function``, is (or is read from where there
        goes) a result of ``made.prototype`` for whose arguments ``made.when`` holds."""
        names = (name_of(made.prototype), *made.aliases)
        params = [name for name, _ in prototype(made.prototype).params]
        for store, result in self._results:
            if result.function not in names or not _read_from(value, function, store, result):
                continue
            arguments = dict(zip(params, result.args, strict=False))
            if parse(made.when).evaluate(self._lookup(arguments)):
                return True
        return False

    def _lookup(self, arguments: Mapping[str, Value]) -> Lookup:
        def lookup(name: str) -> int | None:
            if name in arguments:
                return evaluate(arguments[name], nothing)
            return self.constant(name)

        return lookup


def _read_from(value: Value, function: str, store: Store, result: CallResult) -> bool:
    """The same variable, the same member of a record, or the result itself."""
    if isinstance(value, Global):
        return not store.path and store.base == value.symbol
    if isinstance(value, Result):
        return store.function == function and value == result.name
    return isinstance(value, Field) and bool(store.path) and store.path[-1] == value.member
