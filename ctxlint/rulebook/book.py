# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules as the analysis asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ctxlint.rulebook import conditions, effects, prototypes
from ctxlint.rulebook.effects import Effect, Statement
from ctxlint.rulebook.prototypes import Param
from ctxlint.rulebook.schema import (
    Api,
    Case,
    Choice,
    Constant,
    Context,
    ContextState,
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


@dataclass(frozen=True, eq=False)
class _Rule:
    """What rules about a function have in common.

    ``symbol`` is the function's name, that of the prototype or an alias; ``where``
    the place in the rule files, ``source`` the place in the kernel that shows the fact.
    """

    symbol: str
    prototype: str
    aliases: tuple[str, ...]
    where: str
    source: str

    @cached_property
    def params(self) -> tuple[Param, ...]:
        """Parameters of the prototype as (name, type)."""
        return prototypes.parse(self.prototype).params

    def bind(self, decl_params: Sequence[Param]) -> dict[str, int]:
        """Argument index in the tree's function for each parameter of the rule."""
        return prototypes.bind(self.params, decl_params)


@dataclass(frozen=True, eq=False)
class ApiRule(_Rule):
    """An :class:`~ctxlint.rulebook.schema.Api` with its effects parsed."""

    api: Api

    @property
    def show(self) -> str:
        """The name to report."""
        return self.api.show or self.symbol

    def cases(self, rt: bool) -> tuple[Case, ...]:
        """Requirements that exist in the profile, in order."""
        absent = "nort" if rt else "rt"
        return tuple(case for case in self.api.requires if case.profile != absent)

    def effects(self, rt: bool) -> tuple[Effect, ...]:
        """State changes in the profile, in order (``api.effect.on`` says when)."""
        effect = self.api.effect
        if effect is None:
            return ()
        phrases = effect.any + (effect.rt if rt else effect.nort)
        return tuple(effects.parse(phrase) for phrase in phrases)

    @cached_property
    def stated(self) -> tuple[Statement, ...]:
        """What holds where the function or macro stands."""
        return tuple(effects.parse_stated(phrase) for phrase in self.api.states)

    @property
    def before(self) -> tuple[Effect, ...]:
        """State changes that come before what the rule requires."""
        return tuple(effects.parse(phrase) for phrase in self.api.before)


@dataclass(frozen=True, eq=False)
class RegistrationRule(_Rule):
    """A function that takes callbacks."""

    registration: Registration


def plain_tag(record: str) -> str:
    """The name of a record as rules write it: ``struct urb@drivers/x.c`` is ``urb``."""
    return record.removeprefix("struct ").partition("@")[0]


def _member(name: str) -> tuple[str, str]:
    """``RECORD.MEMBER`` of a rule, as terms have it."""
    record, _, member = name.partition(".")
    return f"struct {record}", member


@dataclass(frozen=True)
class Rulebook:
    """All rules, indexed. Names are those of the kernel; files in ``files``."""

    apis: Mapping[str, ApiRule]
    registrations: Mapping[str, RegistrationRule]
    fields: Mapping[tuple[str, str], FieldCallback]
    named_entries: Mapping[str, tuple[NamedEntry, ...]]
    tables: tuple[TableEntry, ...]
    contexts: Mapping[str, Context]
    locks: Mapping[str, LockKind]
    operations: Mapping[str, Operation]
    constants: Mapping[str, Constant]
    trampolines: tuple[Trampoline, ...] = ()
    patterns: Mapping[str, RegistrationRule] = field(default_factory=dict)
    """Registrations by the beginning of the name."""
    memory: Mapping[str, Memory] = field(default_factory=dict)
    modes: Mapping[str, Mode] = field(default_factory=dict)
    some_kernels: frozenset[str] = frozenset()
    """Functions and members that only older or newer kernels have."""
    sources: tuple[tuple[str, str, str], ...] = field(repr=False, default=())
    """Provenance of each rule: (place in the rule files, ``path[:identifier]``,
    function or member that the rule is about)."""

    @cached_property
    def mode_members(self) -> dict[tuple[str, str], int]:
        """Members that say how an object works: (record with its ``struct``, member),
        and the value that is asked for."""
        return {_member(name): rule.value for name, rule in self.modes.items()}

    @cached_property
    def atomic_modes(self) -> dict[tuple[str, str], int]:
        """Those of them that have this value wherever sleeping is forbidden."""
        return {_member(name): rule.value for name, rule in self.modes.items() if rule.atomic}

    @cached_property
    def mode_functions(self) -> dict[str, tuple[tuple[str, str], int]]:
        """Functions that ask for objects with a value in such a member."""
        return {
            function: (_member(name), rule.value)
            for name, rule in self.modes.items()
            for function in rule.functions
        }

    @cached_property
    def allocators(self) -> frozenset[str]:
        """Functions that return memory that nothing else points to."""
        return frozenset(name for name, rule in self.memory.items() if rule.result == "new")

    @cached_property
    def copiers(self) -> dict[str, tuple[int, int]]:
        """Functions that copy bytes: the arguments that say to where and from where."""
        return {name: rule.copies for name, rule in self.memory.items() if rule.copies}

    @cached_property
    def switches(self) -> dict[str, tuple[int, int]]:
        """Functions that branch on a static key: which arguments are the key, and whether
        an enabled key gives false."""
        return {name: rule.switch for name, rule in self.memory.items() if rule.switch}

    @cached_property
    def context_variables(self) -> frozenset[str]:
        """Global variables whose value some context tells."""
        return frozenset(name for rule in self.contexts.values() for name in rule.values)

    def constant(self, name: str, enumerators: Mapping[str, int]) -> int | None:
        """The number that a name means in rules: an enumerator of the tree, or a constant of
        the rules; None for another name."""
        if name in enumerators:
            return enumerators[name]
        rule = self.constants.get(name)
        if rule is None:
            return None
        if rule.enumerator in enumerators:
            number = enumerators[rule.enumerator]
            return 1 << number if rule.shift else number
        return rule.value

    def api(self, symbol: str) -> ApiRule | None:
        """The rule for a function: a plain name, or ``FILE::NAME`` of a static one.

        A static function of a .c file has a rule only if the rule says that it
        speaks of that file.
        """
        file, _, name = symbol.rpartition("::")
        rule = self.apis.get(name)
        if rule is None or (file.endswith(".c") and rule.source.partition(":")[0] != file):
            return None
        return rule

    def registration(self, symbol: str) -> RegistrationRule | None:
        """The registration rule for a function, see :meth:`api`."""
        file, _, name = symbol.rpartition("::")
        rule = self.registrations.get(name) or self._by_pattern(name)
        if rule is None or (file.endswith(".c") and rule.source.partition(":")[0] != file):
            return None
        return rule

    def _by_pattern(self, name: str) -> RegistrationRule | None:
        fitting = [beginning for beginning in self.patterns if name.startswith(beginning)]
        return self.patterns[max(fitting, key=len)] if fitting else None

    @cached_property
    def tree_conditions(self) -> tuple[str, ...]:
        """Every ``tree`` condition of the rules, sorted."""
        asked = {case.tree for rule in self.apis.values() for case in rule.api.requires}
        return tuple(sorted((asked | {choice.tree for choice in self.choices}) - {""}))

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """Every choice of a registration or a member."""
        registered = (*self.registrations.values(), *self.patterns.values())
        return tuple(
            choice
            for contexts in (
                *(c.contexts for rule in registered for c in rule.registration.callbacks),
                *(item.contexts for item in self.fields.values()),
            )
            for choice in contexts
        )

    @cached_property
    def watched_members(self) -> frozenset[tuple[str, str]]:
        """Members (record, field) whose stored values some choice asks for."""
        found = (c.unless.partition("&")[0].strip() for c in self.choices if c.unless)
        return frozenset((m.partition(".")[0], m.partition(".")[2]) for m in found)

    @cached_property
    def makers(self) -> frozenset[str]:
        """Functions of which some choice asks where their result is stored."""
        made = (c.made for c in self.choices if c.made is not None)
        return frozenset(
            name for m in made for name in (prototypes.name_of(m.prototype), *m.aliases)
        )

    def field_callbacks(self, record_tag: str, field: str) -> FieldCallback | None:
        """The rule for a member, ``field`` with dots when it is nested
        (``startup.single``); ``record_tag`` with or without ``struct``, and with
        ``@FILE`` when a .c file declares the record itself."""
        return self.fields.get((plain_tag(record_tag), field))

    def state(self, context: str, rt: bool) -> ContextState:
        """The state at entry to a context in a profile (KeyError: no such context)."""
        rule = self.contexts[context]
        return (rule.rt if rt else rule.nort) or rule.any or ContextState()

    @cached_property
    def flag_types(self) -> frozenset[str]:
        """Types of arguments that decide what a call requires, by name (``gfp_t``)."""
        found: set[str] = set()
        for rule in self.apis.values():
            names = {
                name
                for case in rule.api.requires
                if case.when
                for name in conditions.parse(case.when).names
            }
            if names:  # few have some, and each prototype takes its time to parse
                found.update(kind for name, kind in rule.params if name in names)
        return frozenset(found)

    @cached_property
    def lock_types(self) -> Mapping[str, str]:
        """Kind of lock (rules/locks.yaml) by C type."""
        return {name: kind for kind, rule in self.locks.items() for name in rule.types}

    def same_locks(self, rt: bool) -> Mapping[str, str]:
        """Kinds of locks that are of another kind inside: the same lock can be taken as one
        and released as the other."""
        return {} if rt else {k: rule.nort_is for k, rule in self.locks.items() if rule.nort_is}

    def sleeping_locks(self, rt: bool) -> frozenset[str]:
        """Kinds of locks that may be held while the task sleeps: they restrict nothing."""
        return frozenset(k for k, rule in self.locks.items() if not self.phrases(k, rt))

    @cached_property
    def shared_locks(self) -> frozenset[str]:
        """Kinds of locks that their holder may take again."""
        return frozenset(k for k, rule in self.locks.items() if rule.shared)

    def phrases(self, kind: str, rt: bool) -> tuple[Effect, ...]:
        """What holding a lock of ``kind`` changes (KeyError: no such kind)."""
        rule = self.locks[kind]
        return tuple(effects.parse(text) for text in rule.any + (rule.rt if rt else rule.nort))
