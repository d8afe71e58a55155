# SPDX-License-Identifier: GPL-2.0-or-later
"""Entry points: functions that the kernel calls first in a known context.

They come from three places, all named in ``rules/``: calls of registration
functions (followed through wrappers that pass their own parameters on), members
of operations structures, and functions that the architecture calls by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ctxlint.analysis.linked_terms import framed
from ctxlint.analysis.program import Program
from ctxlint.analysis.watched import Watched
from ctxlint.base.faults import reason_of
from ctxlint.facts.summary import Edge, Guard, Point, Store, Summary
from ctxlint.ir.unit import Fault
from ctxlint.rulebook.book import RegistrationRule, Rulebook, plain_tag
from ctxlint.rulebook.conditions import choose
from ctxlint.rulebook.conditions import parse as parse_condition
from ctxlint.rulebook.prototypes import parse
from ctxlint.rulebook.schema import Callback, Choice, FieldCallback, TableEntry
from ctxlint.semantics.known_bits import NOTHING, Bits, bits
from ctxlint.semantics.terms import (
    Addr,
    Bin,
    Const,
    Field,
    Global,
    Index,
    Local,
    Param,
    Result,
    Select,
    Un,
    Value,
    address,
    evaluate,
    leaves,
    nothing,
    params,
    substitute,
)

_WRAPPER_DEPTH = 4
_WORLDS_MAX = 64
"""Combinations of arguments' values that one registration is analysed for."""


Given = tuple[tuple[int, Value], ...]
"""What parameters of a callback are, by number."""


@dataclass(frozen=True, order=True)
class EntryPoint:
    """A function in a context, and where it was handed over.

    ``kind`` names the callback ("irq_chip.irq_mask", "cpuhp startup"); ``by``
    the function that the registration is in ("" for an initialiser), ``what``
    what was called or initialised there; ``state`` the hotplug state; ``given`` what it is
    called with, as (parameter, value of the registering function) where the rules tell;
    ``known`` what holds of that function's places at the registration; ``possible``: only
    some of the objects behind the registration call it so.
    """

    symbol: str
    context: str
    kind: str
    file: str
    line: int
    column: int
    by: str
    what: str
    state: str = ""
    certain: bool = True
    given: Given = field(default=(), compare=False)
    known: tuple[Guard, ...] = field(default=(), compare=False)
    possible: bool = field(default=False, compare=False)


def find(
    program: Program,
    rules: Rulebook,
    rt: bool,
    lost: Callable[[Fault], None] | None = None,
) -> list[EntryPoint]:
    """All entry points, each (function, context, kind) once, in a stable order.

    ``lost`` is told what a defect of ours costs; without it, that is raised.
    """
    finder = _Finder(program, rules, rt, lost)
    found: dict[tuple[str, str, str], EntryPoint] = {}
    for entry in sorted(finder.all(), key=lambda e: (not e.certain, e)):
        key = (entry.symbol, entry.context, entry.kind)
        first = found.setdefault(key, entry)
        if first.given != entry.given:  # registered for several objects
            found[key] = replace(first, given=(), known=())
        elif first.known != entry.known:  # in several ways
            known = tuple(g for g in first.known if g in entry.known)
            found[key] = replace(first, known=known)
    return sorted(found.values())


class _Finder:
    def __init__(
        self,
        program: Program,
        rules: Rulebook,
        rt: bool,
        lost: Callable[[Fault], None] | None,
    ) -> None:
        self.program = program
        self.rules = rules
        self.rt = rt
        self.constant = partial(rules.constant, enumerators=program.enumerators)
        self.watched = Watched(program, rules, self.constant)
        self.lost = lost

    def _some(
        self, found: Iterator[EntryPoint], file: str, line: int, name: str
    ) -> list[EntryPoint]:
        """What one place gives; a fault costs that place."""
        try:
            return list(found)
        except Exception as error:
            if self.lost is None:
                raise
            self.lost(Fault(file, line, name, reason_of(error)))
            return []

    def all(self) -> Iterator[EntryPoint]:
        for symbol in sorted(self.program.functions):
            fn = self.program.functions[symbol]
            if self.rules.registration(symbol) is not None:
                continue  # its own callers are the registrations
            for edge in fn.edges:
                rule = self.rules.registration(edge.symbol) if edge.symbol else None
                if rule is not None:
                    found = self._registered(fn, edge, rule)
                    yield from self._some(found, fn.file, fn.line, fn.name)
        for store in self.program.stores:
            found = self._stored(store)
            yield from self._some(found, store.file, store.line, store.object)
        yield from self._tables()
        yield from self._named()

    # -- registration calls ------------------------------------------------

    def _registered(
        self, fn: Summary, edge: Edge, rule: RegistrationRule
    ) -> Iterator[EntryPoint]:
        decl = self.program.decls.get(edge.symbol)
        bound = (
            rule.bind(decl.params)
            if decl is not None
            else {name: i for i, (name, _) in enumerate(rule.params)}
        )
        for point in edge.points:
            for site, site_edge, args in self._at_callers(fn, edge, point, 0):
                for callback in rule.registration.callbacks:
                    own = point.known if site is fn else None
                    yield from self._callback(site, site_edge, args, rule, callback, bound, own)

    def _at_callers(
        self, fn: Summary, edge: Edge, point: Point, depth: int
    ) -> Iterator[tuple[Summary, Edge, tuple[Value, ...]]]:
        """The call's arguments; where they are parameters of a wrapper, those
        of the wrapper's callers too."""
        needs = any(isinstance(v, Param | Select | Bin) and params(v) for v in point.args)
        callers = (
            self.program.callers.get(fn.symbol, ()) if needs and depth < _WRAPPER_DEPTH else ()
        )
        if not callers:
            yield fn, edge, point.args
            return
        for caller, outer in callers:
            for outer_point in outer.points:
                args = tuple(substitute(v, outer_point.args) for v in point.args)
                inner = Point(outer_point.delta, (), (), args, None)
                yield from self._at_callers(caller, outer, inner, depth + 1)

    def _callback(
        self,
        fn: Summary,
        edge: Edge,
        args: tuple[Value, ...],
        rule: RegistrationRule,
        callback: Callback,
        bound: dict[str, int],
        known: tuple[Guard, ...] | None,
    ) -> Iterator[EntryPoint]:
        """``known``: what holds at the call; None where the arguments are values of a
        wrapper and not of this function."""
        index = bound.get(callback.arg, -1)
        if not 0 <= index < len(args):
            return
        values = {name: args[i] for name, i in bound.items() if i < len(args)}
        functions: dict[str, str] = dict.fromkeys(self.program.targets(args[index]), "")
        for member, found in self.program.pointed_members(args[index]).items():
            functions.update(dict.fromkeys(found, member))
        state = self._state(rule, bound, args)
        at = fn.locs[edge.loc]
        contexts = tuple(c for c in callback.contexts if self._shown(c, values, fn.symbol))
        name, _, number = callback.given.partition(" as ")
        pointer = values.get(name) if known is not None else None
        given = () if pointer is None else ((int(number), framed(pointer, fn.symbol)),)
        holds = tuple(
            Guard(place, g.truth)
            for g in known or ()
            if (place := framed(g.value, fn.symbol)) is not None
        )
        for symbol in sorted(functions):
            for choice, certain in self._possible_choices(contexts, values, at.file):
                yield EntryPoint(
                    symbol,
                    choice.context,
                    callback.kind,
                    at.file,
                    at.line,
                    at.col,
                    fn.name,
                    edge.shown or rule.symbol,
                    state,
                    certain,
                    given,
                    holds,
                    choice.certainty == "possible",
                )

    def _state(
        self, rule: RegistrationRule, bound: dict[str, int], args: tuple[Value, ...]
    ) -> str:
        index = bound.get(rule.registration.state, -1)
        if not rule.registration.state or not 0 <= index < len(args):
            return ""
        number = evaluate(args[index], nothing)
        kind = dict(rule.params).get(rule.registration.state, "")
        for tag, values in sorted(self.program.enums.items()):
            if tag.removeprefix("enum ") == kind.removeprefix("enum "):
                for name, value in values:
                    if value == number:
                        return name
        return ""

    # -- members -----------------------------------------------------------

    def _stored(self, store: Store) -> Iterator[EntryPoint]:
        found = self._field_rule(store)
        if found is None:
            return
        rule, kind = found
        siblings = dict(store.siblings)
        lookups = [self._lookup({name: Const(n) for name, n in siblings.items()}, absent=0)]
        if rule.paired is not None:
            lookups = list(self._paired(store, rule)) or lookups
        for symbol in self.program.targets(store.value):
            given, known = self._put(symbol, store)
            for lookup in lookups:
                for choice, certain in self._choices(rule.contexts, lookup, store.file):
                    yield EntryPoint(
                        symbol,
                        choice.context,
                        kind,
                        store.file,
                        store.line,
                        store.col,
                        store.function.rpartition("::")[2],
                        store.object,
                        "",
                        certain,
                        given,
                        known,
                        choice.certainty == "possible",
                    )

    def _put(self, symbol: str, store: Store) -> tuple[Given, tuple[Guard, ...]]:
        """The object that a function was put into, as the parameter that the function has
        for such objects, and what was known of it then."""
        fn, decl = self.program.functions.get(store.function), self.program.decls.get(symbol)
        put = [
            one
            for one in (fn.callbacks if fn is not None else ())
            if one.symbol == symbol and (one.record, one.name) == store.path[-1]
        ]
        if len(put) != 1 or decl is None:
            return (), ()
        [one] = put
        kinds = [kind.removeprefix("const ") for _, kind in decl.params]
        if f"{one.record} *" not in kinds:
            return (), ()
        pointer = framed(Addr(one.place), store.function)
        known = (
            Guard(place, g.truth)
            for g in one.known
            if (place := framed(g.value, store.function)) is not None
        )
        return ((kinds.index(f"{one.record} *"), pointer),), tuple(known)

    def _field_rule(self, store: Store) -> tuple[FieldCallback, str] | None:
        if not store.path:
            return None
        record, name = store.path[-1]
        rule = self.rules.field_callbacks(record, name)
        if rule is None and len(store.path) > 1:
            record, outer = store.path[-2]
            name = f"{outer}.{name}"
            rule = self.rules.field_callbacks(record, name)
        if rule is None:
            return None
        return rule, f"{plain_tag(record)}.{name}"

    def _paired(
        self, store: Store, rule: FieldCallback
    ) -> Iterator[Callable[[str], int | None]]:
        """Lookups from the other call on the same object, in the same file."""
        assert rule.paired is not None
        prototype = parse(rule.paired.prototype)
        names = [name for name, _ in prototype.params]
        for caller, edge in self.program.callers.get(prototype.name, ()):
            if caller.file != store.file:
                continue
            for point in edge.points:
                args = dict(zip(names, point.args, strict=False))
                place = args.get(rule.paired.object)
                if _same_object(place, store):
                    yield self._lookup(args)

    def _tables(self) -> Iterator[EntryPoint]:
        for rule in self.rules.tables:
            for store in self.program.stores:
                if store.base.rpartition("::")[2] != rule.variable or store.index < 0:
                    continue
                member = ".".join(name for _, name in store.path)
                if member not in rule.fields:
                    continue
                lookup = self._lookup({rule.state: Const(store.index)})
                state = self._enumerator(rule, store.index)
                for symbol in self.program.targets(store.value):
                    for choice, certain in self._choices(rule.contexts, lookup, store.file):
                        yield EntryPoint(
                            symbol,
                            choice.context,
                            rule.kind,
                            store.file,
                            store.line,
                            store.col,
                            "",
                            rule.variable,
                            state,
                            certain,
                        )

    def _enumerator(self, rule: TableEntry, number: int) -> str:
        """The state's name, from the enum whose boundaries the rule speaks of."""
        words = {w for choice in rule.contexts for w in re.findall(r"\w+", choice.when)}
        for _, values in sorted(self.program.enums.items()):
            if words & {name for name, _ in values}:
                return next((name for name, value in values if value == number), "")
        return ""

    def _named(self) -> Iterator[EntryPoint]:
        by_name: dict[str, list[Summary]] = {}
        for symbol in sorted(self.program.functions):
            fn = self.program.functions[symbol]
            by_name.setdefault(fn.name, []).append(fn)
        for name in sorted(self.rules.named_entries):
            for rule in self.rules.named_entries[name]:
                for fn in by_name.get(name, ()):
                    if not fn.file.startswith(rule.file):
                        continue
                    nothing = self._lookup({})
                    for choice, certain in self._choices(rule.contexts, nothing, fn.file):
                        yield EntryPoint(
                            fn.symbol,
                            choice.context,
                            rule.kind,
                            fn.file,
                            fn.line,
                            fn.col,
                            "",
                            fn.name,
                            "",
                            certain,
                        )

    # -- conditions --------------------------------------------------------

    def _choices(
        self, choices: tuple[Choice, ...], lookup: Callable[[str], int | None], file: str
    ) -> list[tuple[Choice, bool]]:
        absent = "nort" if self.rt else "rt"
        usable = [
            c
            for c in choices
            if c.profile != absent
            and file.startswith(c.file)
            and not (c.unless and self.watched.may_hold(c.unless, file))
            and not (c.unless_called and self.watched.may_call(c.unless_called, file))
        ]
        return [
            (c, word == "certain" and c.certainty == "certain")
            for c, word in choose(usable, lambda c: c.when, lookup)
        ]

    def _possible_choices(
        self, choices: tuple[Choice, ...], values: dict[str, Value], file: str
    ) -> list[tuple[Choice, bool]]:
        """The choices for all values that the arguments can have together: of flags that
        are ``c ? A : 0``, both."""
        worlds = [values]
        for name, value in values.items():
            found = alternatives(value)
            if len(found) > 1:
                worlds = [{**w, name: v} for w in worlds for v in found]
                if len(worlds) > _WORLDS_MAX:
                    worlds = [values]
                    break
        chosen = [self._choices(self._seen(choices, w), self._lookup(w), file) for w in worlds]
        every = {id(choice) for one in chosen for choice, _ in one}
        sure = len(every) == 1 and all(certain for one in chosen for _, certain in one)
        if len(worlds) == 1:
            return chosen[0]
        return [(choice, sure) for choice in choices if id(choice) in every]

    def _seen(
        self, choices: tuple[Choice, ...], values: dict[str, Value]
    ) -> tuple[Choice, ...]:
        """Without those that ask to be seen, and are not: their arguments come from a
        member or from callers. What something else wrote keeps them possible."""
        lookup = self._lookup(values)

        def open_ended(choice: Choice) -> bool:
            condition = parse_condition(choice.when)
            return condition.evaluate(lookup) is None and all(
                _from_outside(values[name]) for name in condition.names if name in values
            )

        return tuple(c for c in choices if not c.seen or not open_ended(c))

    def _shown(self, choice: Choice, values: dict[str, Value], function: str) -> bool:
        """Whether the arguments are seen to be what the choice asks for."""
        return all(
            values.get(name) in [Global(variable) for variable in variables]
            for name, variables in choice.is_one_of.items()
        ) and (
            choice.made is None
            or self.watched.is_made(values.get(choice.made.arg), function, choice.made)
        )

    def _lookup(
        self, values: dict[str, Value], absent: int | None = None
    ) -> Callable[[str], int | None]:
        def lookup(name: str) -> Any:
            if name in values:
                return known_part(values[name])
            if name.startswith("&"):
                return address(name[1:])
            known = self.constant(name)
            return absent if known is None else known

        return lookup


def known_part(value: Value) -> int | Bits | None:
    """A number, or of an ``|`` with what is not known the bits that are."""
    number = evaluate(value, nothing)
    if number is None and isinstance(value, Bin) and value.op == "|":
        return Bits(*found) if (found := bits(value, nothing)) != NOTHING else None
    return number


def _from_outside(value: Value) -> bool:
    """Whether all of a value comes from constants, parameters, results of calls, and members
    of objects that a pointer leads to."""
    if isinstance(value, Const | Param | Global):
        return True
    if isinstance(value, Result):
        return re.fullmatch(r"\d+\.\d+", value.op) is not None  # of a call
    if isinstance(value, Field | Index):
        return Local not in leaves(value)
    return isinstance(value, Bin | Select | Un) and all(
        _from_outside(part) for part in value.parts() if part is not None
    )


def alternatives(value: Value) -> list[Value]:
    """The values that one can be: each branch of a selection; itself if it is none, or an ``|``
    of which a part is not known."""
    numbers = possible(value)
    if numbers is not None:
        return [Const(number) for number in sorted(numbers)]
    if isinstance(value, Select):
        return [*alternatives(value.a), *alternatives(value.b)]
    return [value]


def possible(value: Value) -> set[int] | None:
    """All numbers that a value can be; None when they are not known."""
    if isinstance(value, Select):
        a, b = possible(value.a), possible(value.b)
        return None if a is None or b is None else a | b
    if isinstance(value, Bin) and value.op == "|":
        a, b = possible(value.a), possible(value.b)
        if a is None or b is None or len(a) * len(b) > _WORLDS_MAX:
            return None
        return {x | y for x in a for y in b}
    number = evaluate(value, nothing)
    return None if number is None else {number}


def _same_object(place: Value, store: Store) -> bool:
    """``&sa->timer`` in a call, ``sa->timer.function`` in the store."""
    if not isinstance(place, Addr):
        return place is not None and len(store.path) < 2
    if isinstance(place.place, Field):
        return len(store.path) > 1 and store.path[-2] == place.place.member
    if isinstance(place.place, Global):
        return store.base == place.place.symbol
    return len(store.path) < 2
