# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads ``rules/`` into a :class:`~ctxlint.rulebook.book.Rulebook`.

Everything that can be checked without parsing each prototype is checked here;
:func:`check` does the rest (the tests run it on the rules that are shipped, and
``load`` on directories of the user).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ctxlint.base.errors import RuleError
from ctxlint.base.places import rules_directory
from ctxlint.rulebook import conditions, effects, prototypes
from ctxlint.rulebook.book import ApiRule, RegistrationRule, Rulebook
from ctxlint.rulebook.check_item import (
    ENUMERATOR,
    at,
    check_api,
    check_argument,
    check_choices,
    unknown,
)  # fmt: skip
from ctxlint.rulebook.rule_file import converted, parsed
from ctxlint.rulebook.schema import (
    Api,
    ApiFile,
    ApiGroup,
    Behaviour,
    Choice,
    Constant,
    Context,
    EntryFile,
    FieldCallback,
    LockKind,
    Memory,
    Mode,
    NamedEntry,
    Operation,
    Registration,
    TableEntry,
    Trampoline,
)

_STATE_FIELDS = frozenset({"in_interrupt"})
_NAMED_FILES = (
    "contexts.yaml", "locks.yaml", "operations.yaml", "constants.yaml", "memory.yaml",
    "modes.yaml",
)  # fmt: skip
T = TypeVar("T")


def models_directory() -> Path:
    """Where the model files (C) that come with the tool are: functions of the
    kernel said in C, for :func:`ctxlint.frontend.model_functions.lower_models`."""
    return rules_directory() / "models"


def load(paths: Iterable[Path] = ()) -> Rulebook:
    """The rules of the tool, with those of ``paths`` (directories, or single rule files)
    over them.

    A later one replaces the rule of an earlier one for the same function,
    member, context or name. Raises :class:`RuleError`.
    """
    own = _Directory(rules_directory(), trusted=True)
    own.read()
    result, extras = own, []
    for path in paths:
        extra = _read_one(path)
        extras.append(extra)
        result = result.under(extra)
    if extras:
        result.check_names()
    for extra in extras:
        check(extra.book())
    return result.book()


def load_alone(path: Path) -> Rulebook:
    """The rules of one file or directory, without those of the tool. Raises
    :class:`RuleError`; names that other files explain are not looked at."""
    return _read_one(path).book()


def _read_one(path: Path) -> _Directory:
    found = _Directory(path)
    if path.is_dir():
        found.read()
    elif path.is_file():
        found.read_file(path, str(path), _kind_of(path))
    else:
        raise RuleError(f"{path}: neither a directory of rules nor a rule file")
    return found


def _kind_of(path: Path) -> str:
    """The name below ``rules/`` that a rule file would have, by its folder or its name,
    else by what is in it."""
    if path.parent.name in ("apis", "entry_points", "callbacks"):
        return f"{path.parent.name}/{path.name}"
    if path.name in _NAMED_FILES:
        return path.name
    keys = parsed(path, str(path))
    if not isinstance(keys, dict):
        raise RuleError(
            f"{path}: not a mapping",
            hint="a file of rules has `source:` and one of `apis:`, `groups:`, "
            "`registrations:`, `records:`, `functions:`, `tables:`, `trampolines:`",
        )
    return f"{'apis' if keys.keys() & {'apis', 'groups'} else 'entry_points'}/{path.name}"


@dataclass
class _Directory:
    """The rules of one directory or file, then of several. Where it is ``trusted``, what a
    rule says of its own prototype is not compared with it (:func:`check_shipped` does)."""

    root: Path
    trusted: bool = False
    apis: dict[str, ApiRule] = field(default_factory=dict)
    registrations: dict[str, RegistrationRule] = field(default_factory=dict)
    fields: dict[tuple[str, str], FieldCallback] = field(default_factory=dict)
    entries: dict[tuple[str, str], NamedEntry] = field(default_factory=dict)
    tables: dict[tuple[str, ...], TableEntry] = field(default_factory=dict)
    contexts: dict[str, Context] = field(default_factory=dict)
    locks: dict[str, LockKind] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    constants: dict[str, Constant] = field(default_factory=dict)
    trampolines: dict[str, Trampoline] = field(default_factory=dict)
    patterns: dict[str, RegistrationRule] = field(default_factory=dict)
    modes: dict[str, Mode] = field(default_factory=dict)
    memory: dict[str, Memory] = field(default_factory=dict)
    some_kernels: set[str] = field(default_factory=set)
    where: dict[tuple[int, object], str] = field(default_factory=dict)
    sources: list[tuple[str, str, str]] = field(default_factory=list)

    _TABLES = (
        "apis registrations fields entries tables contexts locks operations constants "
        "trampolines patterns memory modes where"
    )

    def under(self, over: _Directory) -> _Directory:
        """Both, where ``over`` wins."""
        merged = {
            name: {**getattr(self, name), **getattr(over, name)}
            for name in self._TABLES.split()
        }
        kernels = self.some_kernels | over.some_kernels
        sources = self.sources + over.sources
        return _Directory(
            over.root, self.trusted, **merged, some_kernels=kernels, sources=sources
        )

    def book(self) -> Rulebook:
        named: dict[str, tuple[NamedEntry, ...]] = {}
        for (name, _), entry in self.entries.items():
            named[name] = (*named.get(name, ()), entry)
        return Rulebook(
            apis=self.apis,
            registrations=self.registrations,
            fields=self.fields,
            named_entries=named,
            tables=tuple(self.tables.values()),
            contexts=self.contexts,
            locks=self.locks,
            operations=self.operations,
            constants=self.constants,
            trampolines=tuple(self.trampolines.values()),
            patterns=self.patterns,
            memory=self.memory,
            modes=self.modes,
            some_kernels=frozenset(self.some_kernels),
            sources=tuple(self.sources),
        )

    # -- reading ---------------------------------------------------------------

    def read(self) -> None:
        for path in sorted(self.root.rglob("*.yaml")):
            name = path.relative_to(self.root).as_posix()
            self.read_file(path, f"{self.root.name}/{name}", name)

    def read_file(self, path: Path, shown: str, name: str) -> None:
        """Read one file; ``name`` is what it is called below ``rules/``, ``shown`` what
        messages call it."""
        match name.partition("/"):
            case ("contexts.yaml", _, _):
                self._named(path, shown, self.contexts, Context)
            case ("locks.yaml", _, _):
                self._named(path, shown, self.locks, LockKind)
            case ("operations.yaml", _, _):
                self._named(path, shown, self.operations, Operation)
            case ("constants.yaml", _, _):
                self._named(path, shown, self.constants, Constant)
            case ("modes.yaml", _, _):
                self._named(path, shown, self.modes, Mode)
            case ("memory.yaml", _, _):
                self._named(path, shown, self.memory, Memory)
            case ("apis", "/", _):
                self._api_file(shown, converted(path, shown, ApiFile))
            case ("entry_points" | "callbacks", "/", _):
                self._entry_file(shown, converted(path, shown, EntryFile))
            case ("splats.yaml", _, _) | ("models" | "scenarios", "/", _):
                pass  # read by the simulator and by kernel_log
            case ("annotations.yaml", _, _):
                pass  # read by rulebook/annotations.py
            case _:
                raise RuleError(
                    f"{shown}: no kind of rules lives here",
                    hint="rules live in apis/, entry_points/, callbacks/, "
                    f"{', '.join(_NAMED_FILES)}, annotations.yaml and splats.yaml",
                )

    def _named(self, path: Path, shown: str, table: dict[str, T], kind: type[T]) -> None:
        for name, item in converted(path, shown, dict[str, kind]).items():  # type: ignore[valid-type]
            self._put(table, name, item, f"{shown}: {name}", getattr(item, "source", ""), "")

    def _api_file(self, shown: str, file: ApiFile) -> None:
        self.some_kernels.update(file.some_kernels)
        for index, api in enumerate(file.apis):
            self._api(api, f"{shown}: apis[{index}]", file.source)
        for index, group in enumerate(file.groups):
            for number, text in enumerate(group.prototypes):
                place = f"{shown}: groups[{index}].prototypes[{number}]"
                self._api(_member(group, text), place, file.source)

    def _api(self, api: Api, place: str, default: str) -> None:
        source = api.source or default
        symbol = at(f"{place}.prototype", prototypes.name_of, api.prototype)
        if not self.trusted:
            check_api(api, place)
        for name in (symbol, *api.aliases):
            rule = ApiRule(name, api.prototype, api.aliases, place, source, api)
            self._put(self.apis, name, rule, place, source, name)

    def _entry_file(self, shown: str, file: EntryFile) -> None:
        self.some_kernels.update(file.some_kernels)
        for index, registration in enumerate(file.registrations):
            self._registration(registration, f"{shown}: registrations[{index}]", file.source)
        for index, entry in enumerate(file.functions):
            key = (entry.function, entry.file)
            place, source = f"{shown}: functions[{index}]", entry.source or file.source
            self._put(self.entries, key, entry, place, source, entry.function)
            self._choices(entry.contexts, None, place)
        for index, table in enumerate(file.tables):
            place, source = f"{shown}: tables[{index}]", table.source or file.source
            slots = (table.variable, *table.fields)
            self._put(self.tables, slots, table, place, source, table.variable)
            self._choices(table.contexts, None, place)
        for index, trampoline in enumerate(file.trampolines):
            place, source = f"{shown}: trampolines[{index}]", trampoline.source or file.source
            for name in (trampoline.key, trampoline.value):
                check_argument(name, trampoline.update, place)
            name = at(place, prototypes.name_of, trampoline.update)
            self._put(self.trampolines, trampoline.symbol, trampoline, place, source, name)
        for index, record in enumerate(file.records):
            for number, item in enumerate(record.fields):
                place = f"{shown}: records[{index}].fields[{number}]"
                source = item.source or record.source or file.source
                key = (record.record.removeprefix("struct "), item.field)
                self._put(self.fields, key, item, place, source, item.field.partition(".")[0])
                self._choices(item.contexts, None, place)

    def _choices(self, choices: tuple[Choice, ...], prototype: str | None, place: str) -> None:
        if not self.trusted:
            check_choices(choices, prototype, place)

    def _registration(self, item: Registration, place: str, default: str) -> None:
        source = item.source or default
        symbol = at(f"{place}.prototype", prototypes.name_of, item.prototype)
        for number, callback in enumerate(item.callbacks):
            check_argument(callback.arg, item.prototype, f"{place}.callbacks[{number}].arg")
            if callback.given:
                name, _, number_given = callback.given.partition(" as ")
                check_argument(name, item.prototype, f"{place}.callbacks[{number}].given")
                if not number_given.isdigit():
                    raise RuleError(f"{place}.callbacks[{number}].given: not `NAME as NUMBER`")
            self._choices(callback.contexts, item.prototype, f"{place}.callbacks[{number}]")
        if item.state:
            check_argument(item.state, item.prototype, f"{place}.state")
        if item.names:
            beginning = item.names.removesuffix("*")
            if not re.fullmatch(r"\w{3,}\*", item.names):
                raise RuleError(f"{place}.names: write the beginning of a name and `*`")
            rule = RegistrationRule(beginning, item.prototype, (), place, source, item)
            self._put(self.patterns, beginning, rule, place, source, "")
            return
        for name in (symbol, *item.aliases):
            rule = RegistrationRule(name, item.prototype, item.aliases, place, source, item)
            self._put(self.registrations, name, rule, place, source, name)

    def _put(
        self, table: dict[Any, T], key: object, item: T, place: str, source: str, name: str
    ) -> None:
        if key in table:
            spelled = ".".join(key) if isinstance(key, tuple) else str(key)
            other = self.where[id(table), key]
            raise RuleError(f"{place}: `{spelled}` has a rule already", hint=f"see {other}")
        table[key] = item
        self.where[id(table), key] = place
        if source or name:
            self.sources.append((place, source, name))

    # -- names that other files define -------------------------------------------

    def check_names(self) -> None:
        """Context, operation and lock kind names exist, and so do those in conditions."""
        contexts, operations = self.contexts.keys(), self.operations.keys()
        for rule in self.apis.values():
            if rule.api.operation and rule.api.operation not in operations:
                raise unknown(rule.where, "operation", rule.api.operation, operations)
            for name in rule.api.legal_in:
                if name not in contexts and name not in _STATE_FIELDS:
                    raise unknown(rule.where, "legal_in", name, contexts)
            for effect in (*rule.effects(True), *rule.effects(False), *rule.before):
                at(f"{rule.where}.effect", effects.check, effect, self.locks)
        for place, choices in self._all_choices():
            for choice in choices:
                if choice.context not in contexts:
                    raise unknown(place, "context", choice.context, contexts)
        for kind, lock in self.locks.items():
            for phrase in lock.any + lock.rt + lock.nort:
                at(f"locks.yaml: {kind}", effects.parse, phrase)
        for name, constant in self.constants.items():
            if constant.value is None and not constant.enumerator:
                raise RuleError(f"constants.yaml: {name}: neither a value nor an enumerator")
        for condition in self._conditions():
            condition.check(self.constants)

    def _conditions(self) -> Iterator[_Condition]:
        places = {key: place for (_, key), place in self.where.items()}  # the later wins
        for rule in self.apis.values():
            for number, case in enumerate(rule.api.requires):
                place = f"{rule.where}.requires[{number}].when"
                yield _Condition(place, case.when, rule.prototype)
            for number, call in enumerate(rule.api.spins_if_all):
                place = f"{rule.where}.spins_if_all[{number}].when"
                yield _Condition(place, call.when, call.prototype)
        for registration in (*self.registrations.values(), *self.patterns.values()):
            for number, callback in enumerate(registration.registration.callbacks):
                place = f"{registration.where}.callbacks[{number}]"
                yield from _of_choices(place, callback.contexts, registration.prototype)
        for key, entry in self.entries.items():
            yield from _of_choices(places[key], entry.contexts)
        for slots, table in self.tables.items():
            yield from _of_choices(places[slots], table.contexts, state=table.state)
        for member, item in self.fields.items():
            paired = item.paired.prototype if item.paired else ""
            yield from _of_choices(places[member], item.contexts, paired, members=not paired)

    def _all_choices(self) -> Iterator[tuple[str, tuple[Choice, ...]]]:
        for rule in (*self.registrations.values(), *self.patterns.values()):
            for number, callback in enumerate(rule.registration.callbacks):
                yield f"{rule.where}.callbacks[{number}]", callback.contexts
        for entry in self.entries.values():
            yield f"function {entry.function}", entry.contexts
        for table in self.tables.values():
            yield f"table {table.variable}", table.contexts
        for (record, name), item in self.fields.items():
            yield f"field {record}.{name}", item.contexts


@dataclass(frozen=True)
class _Condition:
    """A condition at a place: besides constants it may name the parameters of a
    ``prototype``, ``state``, and with ``members`` members of the initialiser, which only the
    tree knows (those in capitals alone are taken to be constants)."""

    place: str
    text: str
    prototype: str = ""
    state: str = ""
    members: bool = False

    def check(self, constants: Container[str]) -> None:
        """Raises :class:`RuleError` for a name that nothing explains."""
        for name in sorted(at(self.place, conditions.parse, self.text).names):
            if name in constants or name == self.state:
                continue
            if self.members and not ENUMERATOR.fullmatch(name):
                continue
            if self.prototype and prototypes.mentions(self.prototype, name):
                continue
            raise RuleError(
                f"{self.place}: unknown name `{name}`",
                hint="it is no parameter; a macro or an enumerator of the kernel is added "
                "to rules/constants.yaml (or a file constants.yaml beside your rules)",
            )


def _of_choices(
    place: str,
    choices: tuple[Choice, ...],
    prototype: str = "",
    state: str = "",
    members: bool = False,
) -> Iterator[_Condition]:
    for number, choice in enumerate(choices):
        here = f"{place}.contexts[{number}]"
        yield _Condition(f"{here}.when", choice.when, prototype, state, members)
        yield _Condition(f"{here}.unless", choice.unless.partition("&")[2])
        for key, call in (("unless_called", choice.unless_called), ("made", choice.made)):
            if call is not None:
                yield _Condition(f"{here}.{key}.when", call.when, call.prototype)


def check_shipped() -> Rulebook:
    """The tool's own rules, with all checks that :func:`load` leaves out for speed."""
    own = _Directory(rules_directory())
    own.read()
    own.check_names()
    book = own.book()
    check(book)
    return book


def check(book: Rulebook) -> None:
    """What :func:`load` leaves out for speed: parse every prototype."""
    rules: list[ApiRule | RegistrationRule] = [
        *book.apis.values(),
        *book.registrations.values(),
        *book.patterns.values(),
    ]
    for rule in rules:
        known = {name for name, _ in at(f"{rule.where}.prototype", _params, rule)}
        for name in _used(rule):
            if name not in known:
                raise RuleError(f"{rule.where}: `{rule.symbol}` has no parameter `{name}`")
    for item in book.fields.values():
        if item.paired:
            params = prototypes.parse(item.paired.prototype).params
            if item.paired.object not in dict(params):
                raise RuleError(f"{item.field}: no parameter `{item.paired.object}`")


def _params(rule: ApiRule | RegistrationRule) -> tuple[prototypes.Param, ...]:
    return rule.params


def _used(rule: ApiRule | RegistrationRule) -> Iterator[str]:
    if isinstance(rule, RegistrationRule):
        yield from (callback.arg for callback in rule.registration.callbacks)
        return
    for effect in (*rule.effects(True), *rule.effects(False), *rule.before):
        name = effects.argument(effect)
        if name and name != effects.RESULT:
            yield name


def _member(group: ApiGroup, prototype: str) -> Api:
    shared = {name: getattr(group, name) for name in Behaviour.__struct_fields__}
    return Api(prototype=prototype, **shared)
