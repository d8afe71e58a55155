# SPDX-License-Identifier: GPL-2.0-or-later
"""Stores that rules ask for: values put into members that decide the context of a
callback, and where the result of a function goes.

They are facts like the stores of functions, with another kind of value: a symbolic
number (None: not known), or ``("r", function, arguments, name)`` for a result, which the
function that does the call knows as ``name``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ctxlint.callgraph.facts import RecordInit, Store
from ctxlint.callgraph.program import Program
from ctxlint.callgraph.values import Value, evaluate
from ctxlint.contexts.exprs import Reader, expr_text
from ctxlint.contexts.state import State
from ctxlint.ir import ops
from ctxlint.ir.unit import Function
from ctxlint.rulebook.book import Rulebook, plain_tag
from ctxlint.rulebook.conditions import parse
from ctxlint.rulebook.prototypes import name_of
from ctxlint.rulebook.prototypes import parse as prototype
from ctxlint.rulebook.schema import Called, Made

Lookup = Callable[[str], "int | None"]
Place = Callable[[ops.Expr, Mapping[str, str]], tuple[str, tuple[tuple[str, str], ...]]]


def stores(
    fn: Function, rules: Rulebook, local: Mapping[str, str], place: Place
) -> Iterable[Store]:
    """What a function puts into watched members, and where results of watched
    functions go. ``place`` gives the variable and the members of an lvalue."""
    members, makers = rules.watched_members, rules.makers
    reader = Reader(fn, local)

    def store(dst: ops.Expr, value: Value, loc: int) -> Store:
        base, path = place(dst, local)
        at = fn.locs[loc]
        text = expr_text(fn, dst)
        return Store(base, path, value, at.file, at.line, at.col, fn.symbol, text, (), -1)

    state = State()
    for slot in range(fn.nparams):
        state.vals[slot] = ("p", slot)
    made: dict[int, Value] = {}
    for number, block in enumerate(fn.blocks):
        for index, op in enumerate(block.ops):
            if isinstance(op, ops.Call):
                made_here = isinstance(op.fn, ops.Func) and op.fn.symbol in makers
                if op.dst is not None and made_here:
                    assert isinstance(op.fn, ops.Func)
                    arguments = tuple(reader.value(a, state) for a in op.args)
                    # The interpretation names the result of this operation so.
                    name = ("v", f"{number}.{index}")
                    value = ("r", op.fn.symbol, arguments, name)
                    if isinstance(op.dst, ops.Var):
                        made[op.dst.slot] = value
                    yield store(op.dst, value, op.loc)
            elif isinstance(op, ops.Assign):
                src = op.src
                while isinstance(src, ops.Cast):
                    src = src.e
                known = made.get(src.slot) if isinstance(src, ops.Var) else None
                if known is not None:
                    if isinstance(op.dst, ops.Var):
                        made[op.dst.slot] = known
                    yield store(op.dst, known, op.loc)
                elif isinstance(op.dst, ops.Field) and _member(op.dst, local) in members:
                    yield store(op.dst, reader.value(src, state), op.loc)


def _member(e: ops.Field, local: Mapping[str, str]) -> tuple[str, str]:
    return plain_tag(local.get(e.record, e.record)), e.name


class Watched:
    """What the linked program stores in watched members."""

    def __init__(self, program: Program, rules: Rulebook, constant: Lookup) -> None:
        self.program = program
        self.constant = constant
        self._values: dict[tuple[str, str], list[Store]] = {}
        self._results: list[Store] = []
        self._inits: dict[str, list[tuple[str, RecordInit]]] = {}
        for store in program.stores:
            if store.value is not None and store.value[0] == "r":
                self._results.append(store)
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
            has(evaluate(store.value, lambda _: None))
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
        params = [name for name, _ in prototype(called.prototype).params]
        folder = file.rpartition("/")[0]
        condition = parse(called.when)
        return any(
            condition.evaluate(self._lookup(dict(zip(params, point.args, strict=False)))) != 0
            for name in (name_of(called.prototype), *called.aliases)
            for caller, edge in self.program.callers.get(name, ())
            if caller.file.rpartition("/")[0] == folder
            for point in edge.points
        )

    def is_made(self, value: Value, function: str, made: Made) -> bool:
        """Whether ``value``, an argument in ``function``, is (or is read from where there
        goes) a result of ``made.prototype`` for whose arguments ``made.when`` holds."""
        names = (name_of(made.prototype), *made.aliases)
        params = [name for name, _ in prototype(made.prototype).params]
        for store in self._results:
            if store.value[1] not in names or not _read_from(value, function, store):
                continue
            arguments = dict(zip(params, store.value[2], strict=False))
            if parse(made.when).evaluate(self._lookup(arguments)):
                return True
        return False

    def _lookup(self, arguments: Mapping[str, Value]) -> Lookup:
        def lookup(name: str) -> int | None:
            if name in arguments:
                return evaluate(arguments[name], lambda _: None)
            return self.constant(name)

        return lookup


def _read_from(value: Value, function: str, store: Store) -> bool:
    """The same variable, the same member of a record, or the result itself."""
    if value is None:
        return False
    if value[0] == "g":
        return not store.path and bool(store.base == value[1])
    if value[0] == "v":
        return store.function == function and bool(value == store.value[3])
    return value[0] == "." and bool(store.path) and store.path[-1] == tuple(value[2:])
